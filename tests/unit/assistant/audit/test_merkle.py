from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.audit import merkle
from assistant.audit.merkle import ProofError

# The inputs, roots and proofs of the Certificate Transparency reference implementation
# (merkle_tree_test.cc), which RFC 6962 logs are tested with.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
LEAVES = [merkle.leaf_hash(bytes.fromhex(text)) for text in INPUTS]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N10 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
N23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
LEAF4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, word by word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, word by word."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def fake_leaves(n: int) -> list[bytes]:
    return [merkle.leaf_hash(str(i).encode()) for i in range(n)]


def test_the_roots_of_the_reference_implementation() -> None:
    assert merkle.tree_root([]) == merkle.EMPTY_ROOT == merkle.root_of([])
    found = [merkle.tree_root(LEAVES[:n]).hex() for n in range(1, 9)]
    assert found == ROOTS


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, [N10, N23, N47]),
        (5, 8, [LEAF4, N67, ROOTS[3]]),
        (2, 3, [ROOTS[1]]),
        (1, 5, [ROOTS[0], N23, LEAF4]),
    ],
)
def test_the_inclusion_proofs_of_the_reference_implementation(
    index: int, size: int, proof: list[str]
) -> None:
    made = merkle.inclusion_proof(LEAVES[:size], index)
    assert [node.hex() for node in made] == proof
    merkle.verify_inclusion(LEAVES[index], index, size, made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("old", "size", "proof"),
    [(1, 1, []), (1, 8, [N10, N23, N47]), (6, 8, [N45, N67, ROOTS[3]]), (2, 5, [N23, LEAF4])],
)
def test_the_consistency_proofs_of_the_reference_implementation(
    old: int, size: int, proof: list[str]
) -> None:
    made = merkle.consistency_proof(LEAVES[:size], old)
    assert [node.hex() for node in made] == proof
    merkle.verify_consistency(
        old, bytes.fromhex(ROOTS[old - 1]), size, bytes.fromhex(ROOTS[size - 1]), made
    )


@given(st.integers(0, 70))
def test_growing_leaf_by_leaf_gives_the_naive_root(n: int) -> None:
    leaves = fake_leaves(n)
    assert merkle.tree_root(leaves) == naive_root(leaves)


@given(st.integers(1, 70), st.data())
def test_every_leaf_is_proven_and_only_at_its_place(n: int, data: st.DataObject) -> None:
    leaves, index = fake_leaves(n), data.draw(st.integers(0, n - 1))
    root, proof = naive_root(leaves), merkle.inclusion_proof(leaves, index)
    assert list(proof) == naive_path(index, leaves)
    merkle.verify_inclusion(leaves[index], index, n, proof, root)
    elsewhere = data.draw(st.integers(-1, n).filter(lambda i: i != index))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaves[index], elsewhere, n, proof, root)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, n, proof, root)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaves[index], index, n, [*proof, root], root)
    for drop in range(len(proof)):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(
                leaves[index], index, n, [*proof[:drop], *proof[drop + 1 :]], root
            )


@given(st.integers(1, 70), st.data())
def test_a_longer_tree_is_proven_to_extend_a_shorter_one(n: int, data: st.DataObject) -> None:
    leaves, old = fake_leaves(n), data.draw(st.integers(1, n))
    old_root, root = naive_root(leaves[:old]), naive_root(leaves)
    proof = merkle.consistency_proof(leaves, old)
    assert list(proof) == naive_subproof(old, leaves, True)
    merkle.verify_consistency(old, old_root, n, root, proof)
    wrong = merkle.leaf_hash(b"wrong")
    for pair in ((wrong, root), (old_root, wrong)):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, pair[0], n, pair[1], proof)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, old_root, n, root, [*proof, root])
    for spoil in range(len(proof)):
        with pytest.raises(ProofError):
            merkle.verify_consistency(
                old, old_root, n, root, [*proof[:spoil], wrong, *proof[spoil + 1 :]]
            )


def test_impossible_places_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 8"):
        merkle.inclusion_proof(LEAVES, 8)
    with pytest.raises(ValueError, match="no tree of 9"):
        merkle.consistency_proof(LEAVES, 9)
    with pytest.raises(ValueError, match="no tree of 0"):
        merkle.consistency_proof(LEAVES, 0)
    with pytest.raises(ProofError):
        merkle.verify_consistency(0, merkle.EMPTY_ROOT, 8, bytes.fromhex(ROOTS[7]), [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            4, bytes.fromhex(ROOTS[3]), 8, bytes.fromhex(ROOTS[7]), [bytes.fromhex(ROOTS[3])] * 4
        )
    with pytest.raises(ProofError, match="empty"):
        merkle.verify_consistency(3, bytes.fromhex(ROOTS[2]), 8, bytes.fromhex(ROOTS[7]), [])


@given(st.integers(1, 70), st.data())
def test_few_subtrees_stand_for_any_stretch_of_leaves(n: int, data: st.DataObject) -> None:
    leaves = fake_leaves(n)
    start = data.draw(st.integers(0, n))
    end = data.draw(st.integers(start, n))
    parts = merkle.perfect(start, end)
    assert len(parts) <= 2 * n.bit_length()
    frontier: tuple[bytes, ...] = ()
    for seq, leaf in enumerate(leaves[:start]):
        frontier = merkle.append(frontier, seq, leaf)
    assert list(frontier) == [
        naive_root(leaves[to - width : to]) for to, width in merkle.perfect(0, start)
    ]
    at = start
    for to, width in parts:
        assert (to, width.bit_count(), at % width) == (at + width, 1, 0)
        frontier = merkle.append(frontier, at, naive_root(leaves[at:to]), width)
        at = to
    assert at == end
    assert merkle.root_of(frontier) == naive_root(leaves[:end])


@given(st.integers(0, 70))
def test_a_leaf_completes_the_subtrees_that_end_with_it(n: int) -> None:
    leaves, frontier = fake_leaves(n + 1), tuple[bytes, ...]()
    for seq, leaf in enumerate(leaves):
        roots = merkle.completed(frontier, seq, leaf)
        widths = [2 << level for level in range(len(roots))]
        assert list(roots) == [naive_root(leaves[seq + 1 - width : seq + 1]) for width in widths]
        assert (seq + 1) % (widths[-1] * 2 if widths else 2)
        frontier = merkle.append(frontier, seq, leaf)
