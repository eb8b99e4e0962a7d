"""The tables of what vouches for people and programs, as SQLAlchemy Core values."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from assistant.store.tables import metadata


def _person(**options: bool) -> Column[str]:
    return Column("person_id", Text, ForeignKey("people.id", ondelete="CASCADE"), **options)  # type: ignore[arg-type]


def _time(name: str, **options: object) -> Column[object]:
    return Column(name, sa.DateTime(timezone=True), **options)  # type: ignore[arg-type]


token_holders = Table(
    "token_holders",
    metadata,
    _person(primary_key=True),
    _time("issued_at"),
    _time("signed_out_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    _person(nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("secret_hmac", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    _time("created_at", nullable=False, server_default=sa.func.now()),
    _time("expires_at", nullable=False),
    _time("revoked_at"),
    Index("ix_api_keys_person_id", "person_id"),
)

quotas = Table(
    "quotas",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", sa.Float, nullable=False),
    _time("at", nullable=False),
)
