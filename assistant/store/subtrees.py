"""The roots of the audit tree's perfect subtrees, so that a proof needs few hashes.

They are derived from the events and prove nothing by themselves: whoever uses them compares the
outcome with a signed root.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Connection, LargeBinary, Table

from assistant.store.tables import audit_events, metadata

_HASH_BYTES = 32

audit_subtrees = Table(
    "audit_subtrees",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("roots", LargeBinary, nullable=False),
)
"""Of each event that completes subtrees, their roots: over 2, 4, 8 events and so on, joined."""


def roots(conn: Connection, wanted: Collection[tuple[int, int]]) -> list[bytes] | None:
    """Return the root of each subtree, named by its end and its width; None if one isn't stored."""
    ends = sa.literal([end - 1 for end, _ in wanted], sa.ARRAY(BigInteger))
    own = sa.func.coalesce(audit_subtrees.c.roots, b"")
    query = sa.select(audit_events.c.seq, audit_events.c.leaf.concat(own)).select_from(
        audit_events.outerjoin(audit_subtrees, audit_subtrees.c.seq == audit_events.c.seq)
    )
    rows = conn.execute(query.where(audit_events.c.seq == sa.any_(ends)))
    stored = {row[0] + 1: bytes(row[1]) for row in rows}
    found = []
    for end, width in wanted:
        at = (width.bit_length() - 1) * _HASH_BYTES
        root = stored.get(end, b"")[at : at + _HASH_BYTES]
        if len(root) < _HASH_BYTES:
            return None
        found.append(root)
    return found
