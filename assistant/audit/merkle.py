"""The Merkle tree of RFC 6962 (section 2) and RFC 9162 (section 2.1), pure, over SHA-256.

A tree of `size` leaves is kept as its frontier: the roots of its perfect subtrees, the largest
first, one for each 1 in the binary form of `size`. Proofs are made of roots of perfect subtrees
too, of at most `log2(size)` for each of their nodes, so whoever keeps those needs no other leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Subtree(NamedTuple):
    """The perfect subtree over the `width` leaves, a power of two, that end before leaf `end`."""

    end: int
    width: int


class ProofError(Exception):
    """A proof does not fit the root, the size or the leaf it is given with."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf, `H(0x00 ‖ data)`."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, `H(0x01 ‖ left ‖ right)`."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(frontier: Sequence[bytes], size: int, leaf: bytes, width: int = 1) -> tuple[bytes, ...]:
    """Return the frontier after adding a leaf's hash to a tree of `size` leaves.

    Or the root of a perfect subtree of `width` leaves, of which `size` is a multiple.
    """
    nodes = list(frontier)
    while size & width:
        leaf = node_hash(nodes.pop(), leaf)
        width <<= 1
    return (*nodes, leaf)


def completed(frontier: Sequence[bytes], size: int, leaf: bytes) -> tuple[bytes, ...]:
    """Return the roots of the subtrees that a leaf, added to `size` others, is the last one of.

    The smallest first: those over 2, 4, 8 leaves and so on.
    """
    nodes, roots = list(frontier), []
    while size & 1:
        leaf = node_hash(nodes.pop(), leaf)
        roots.append(leaf)
        size >>= 1
    return tuple(roots)


def perfect(start: int, end: int) -> list[Subtree]:
    """Return the fewest perfect subtrees that hold the leaves from `start` to before `end`."""
    found = []
    while start < end:
        width = 1 << (end - start).bit_length() - 1
        if start:
            width = min(width, start & -start)
        start += width
        found.append(Subtree(start, width))
    return found


def root_of(frontier: Sequence[bytes]) -> bytes:
    """Return the root of the tree with this frontier."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for node in reversed(frontier[:-1]):
        root = node_hash(node, root)
    return root


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier: tuple[bytes, ...] = ()
    for size, leaf in enumerate(leaves):
        frontier = append(frontier, size, leaf)
    return root_of(frontier)


def siblings(index: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose roots are the audit path of a leaf, from it upwards.

    Each root is that over the range's `perfect` subtrees (`root_of`).
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of a leaf in the tree over `leaves`, from the leaf upwards."""
    return tuple(tree_root(leaves[start:end]) for start, end in siblings(index, len(leaves)))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise `ProofError` unless the leaf is at `index` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    node, last = index, size - 1
    found = leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if found != root:
        raise ProofError("the proof leads to another root")


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the proof that the tree over `leaves` extends that of its first `old_size` leaves."""
    if not 0 < old_size <= len(leaves):
        raise ValueError(f"no tree of {old_size} precedes one of {len(leaves)}")
    proof: list[bytes] = []
    start, end = 0, len(leaves)
    whole = True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(tree_root(leaves[middle:end]))
            end = middle
        else:
            proof.append(tree_root(leaves[start:middle]))
            start = middle
            whole = False
    if not whole:
        proof.append(tree_root(leaves[start:end]))
    return tuple(reversed(proof))


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise `ProofError` unless the new tree extends the old one (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= size:
        raise ProofError(f"no tree of {old_size} precedes one of {size}")
    if old_size == size:
        if proof or old_root != root:
            raise ProofError("two trees of one size differ")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError("the proof is empty")
    old_found, found = _climb(old_size - 1, size - 1, path)
    if old_found != old_root:
        raise ProofError("the proof leads to another old root")
    if found != root:
        raise ProofError("the proof leads to another root")


def _climb(node: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the old and the new root that a consistency path leads to."""
    while node & 1:
        node, last = node >> 1, last >> 1
    old_found = found = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            old_found = node_hash(sibling, old_found)
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    return old_found, found


def _split(n: int) -> int:
    """Return the largest power of two smaller than `n`, which is at least 2."""
    return 1 << (n - 1).bit_length() - 1
