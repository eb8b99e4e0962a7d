"""The tables of curation, as SQLAlchemy Core values."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from assistant.store.tables import metadata

curations = Table(
    "curations",
    metadata,
    Column("document_id", Text, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("arrived", BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    Column("rules", Text, nullable=False),
    Column("text_sha256", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("family", Text, nullable=False),
    Column("rank", ARRAY(Integer), nullable=False),
    Column("edges", ARRAY(BigInteger), nullable=False),
    Column("repeated", ARRAY(BigInteger), nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("original_id", Text),
    Column("likeness", sa.Float),
    Column("successor_id", Text),
    Column("state", sa.SmallInteger, nullable=False, server_default="0"),
    Index("ix_curations_original_id", "original_id"),
    Index("ix_curations_successor_id", "successor_id"),
    Index("ix_curations_unsettled", "arrived", postgresql_where=sa.text("state < 2")),
)

traces = Table(
    "traces",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column(
        "arrived", BigInteger, ForeignKey("curations.arrived", ondelete="CASCADE"), nullable=False
    ),
    sa.PrimaryKeyConstraint("key", "arrived"),
    Index("ix_traces_arrived", "arrived"),
)
