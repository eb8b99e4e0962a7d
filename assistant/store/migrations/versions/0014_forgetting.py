"""Erased items that no sync may bring back, a count of erasures, conversations under keys."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from assistant.store.subject_keys import seal

revision = "0014"
down_revision = "0013"

_BATCH = 500

_OWNED = {
    "messages": "SELECT m.id AS key, c.person_id, m.created_at AS at, m.body AS value "
    "FROM messages m JOIN conversations c ON c.id = m.conversation_id",
    "conversations": "SELECT id AS key, person_id, created_at AS at, title AS value "
    "FROM conversations WHERE title <> ''",
    "feedback": "SELECT message_id AS key, person_id, created_at AS at, comment AS value "
    "FROM feedback WHERE comment <> ''",
}
_PUT = {
    "messages": "UPDATE messages SET body = CAST(:value AS jsonb) WHERE id = :key",
    "conversations": "UPDATE conversations SET title = :value WHERE id = :key",
    "feedback": "UPDATE feedback SET comment = :value "
    "WHERE message_id = :key AND person_id = :person_id",
}


def upgrade() -> None:
    """Create the table; seal what conversations hold with their owners' keys."""
    op.create_table(
        "tombstones",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "digest", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_erasure_id", "tombstones", ["erasure_id"])
    op.execute("INSERT INTO heads (name, value) VALUES ('erasures', 0)")
    for table, query in _OWNED.items():
        _seal_all(table, query)


def _seal_all(table: str, query: str) -> None:
    conn = op.get_bind()
    rows = conn.execute(sa.text(query)).all()
    for start in range(0, len(rows), _BATCH):
        sealed = [_sealed(conn, row) for row in rows[start : start + _BATCH]]
        conn.execute(sa.text(_PUT[table]), sealed)


def _sealed(conn: sa.Connection, row: Any) -> dict[str, Any]:
    at: datetime = row.at
    value = json.dumps(seal(conn, row.person_id, at, row.value))
    known = {"key": row.key, "value": value}
    return {**known, "person_id": row.person_id}
