"""Proofs of the audit log from few stored hashes, however long the log is.

The stored roots of subtrees prove nothing by themselves. So what is made of them is compared with
the signed root first; where it leads to another one, all leaves are hashed instead.
"""

from __future__ import annotations

from itertools import islice

from sqlalchemy import Connection

from assistant.audit import merkle
from assistant.audit.keys import TreeHead
from assistant.audit.merkle import Subtree
from assistant.errors import AuditTampered
from assistant.store import ledger, subtrees
from assistant.store.ledger import StoredEvent


def path(conn: Connection, event: StoredEvent, head: TreeHead) -> tuple[bytes, ...]:
    """Return an event's audit path to a head over it; raises `AuditTampered` if there is none."""
    parts = [merkle.perfect(*apart) for apart in merkle.siblings(event.seq, head.size)]
    roots = subtrees.roots(conn, [subtree for part in parts for subtree in part])
    if roots is not None:
        each = iter(roots)
        found = tuple(merkle.root_of(list(islice(each, len(part)))) for part in parts)
        if _leads(event, found, head):
            return found
    leaves = ledger.leaves(conn, head.size)
    if len(leaves) != head.size:
        raise AuditTampered()
    return merkle.inclusion_proof(leaves, event.seq)


def around(
    conn: Connection, first: int, leaves: list[bytes], head: TreeHead
) -> tuple[list[bytes], list[bytes]]:
    """Return the roots of the perfect subtrees before some events, and of those after them.

    `leaves` are the events' hashes from the `first` on; the head is over them and all others.
    """
    end = first + len(leaves)
    before, after = merkle.perfect(0, first), merkle.perfect(end, head.size)
    roots = subtrees.roots(conn, [*before, *after])
    if roots is None or _root(before, leaves, after, roots) != head.root:
        whole = ledger.leaves(conn, head.size)
        roots = [merkle.tree_root(whole[end - width : end]) for end, width in (*before, *after)]
    return roots[: len(before)], roots[len(before) :]


def _leads(event: StoredEvent, found: tuple[bytes, ...], head: TreeHead) -> bool:
    try:
        merkle.verify_inclusion(event.leaf, event.seq, head.size, found, head.root)
    except merkle.ProofError:
        return False
    return True


def _root(
    before: list[Subtree], leaves: list[bytes], after: list[Subtree], roots: list[bytes]
) -> bytes:
    """Return the root of the tree over all of these."""
    frontier = tuple(roots[: len(before)])
    size = sum(subtree.width for subtree in before)
    for leaf in leaves:
        frontier = merkle.append(frontier, size, leaf)
        size += 1
    for subtree, root in zip(after, roots[len(before) :], strict=True):
        frontier = merkle.append(frontier, size, root, subtree.width)
        size = subtree.end
    return merkle.root_of(frontier)
