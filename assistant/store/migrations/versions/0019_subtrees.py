"""Proofs need few hashes: the roots of the audit tree's perfect subtrees are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_BATCH = 10_000
_ADD = sa.text("INSERT INTO audit_subtrees (seq, roots) VALUES (:seq, :roots)")


def upgrade() -> None:
    """Create the table and fill it from the events that there are."""
    op.create_table(
        "audit_subtrees",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("roots", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_subtrees"),
    )
    conn = op.get_bind()
    batch: list[dict[str, object]] = []
    for seq, roots in _completed(conn):
        batch.append({"seq": seq, "roots": roots})
        if len(batch) == _BATCH:
            conn.execute(_ADD, batch)
            batch = []
    if batch:
        conn.execute(_ADD, batch)


def _completed(conn: sa.Connection) -> Iterator[tuple[int, bytes]]:
    """Yield each event that is the last one of subtrees, with their roots (RFC 6962, 2.1).

    Of a log with gaps, which only tampering explains, nothing after the first.
    """
    nodes: list[bytes] = []
    query = sa.text("SELECT seq, leaf FROM audit_events ORDER BY seq")
    rows = conn.execute(query.execution_options(yield_per=_BATCH))
    for size, (seq, leaf) in enumerate(rows):
        if seq != size:
            return
        node, roots, left = bytes(leaf), b"", size
        while left & 1:
            node = hashlib.sha256(b"\x01" + nodes.pop() + node).digest()
            roots, left = roots + node, left >> 1
        nodes.append(node)
        if roots:
            yield seq, roots
