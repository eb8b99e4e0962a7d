"""The tables of the life cycle of data, as SQLAlchemy Core values."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from assistant.store.tables import metadata


def _now(name: str) -> Column[object]:
    return Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _time(name: str) -> Column[object]:
    return Column(name, sa.DateTime(timezone=True))


backups = Table(
    "backups",
    metadata,
    Column("id", BigInteger, primary_key=True),
    _now("created_at"),
    Column("file", Text, nullable=False),
    Column("keys_file", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("n_events", BigInteger, nullable=False),
)

subject_keys = Table(
    "subject_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    sa.UniqueConstraint("subject", "month"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Text, primary_key=True),
    _now("started_at"),
    _time("finished_at"),
    Column("salt", LargeBinary, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("person_ids", ARRAY(Text), nullable=False),
    Column("document_ids", ARRAY(Text), nullable=False),
    Column("certificate", JSONB(none_as_null=True)),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("erasure_id", Text, nullable=False),
    sa.Index("ix_tombstones_erasure_id", "erasure_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    _now("created_at"),
    _time("released_at"),
    sa.CheckConstraint("kind IN ('subject', 'document', 'collection', 'everything')", name="kind"),
)
