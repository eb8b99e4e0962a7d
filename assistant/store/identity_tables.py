"""The tables of what vouches for people and programs, as SQLAlchemy Core values."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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

scim_users = Table(
    "scim_users",
    metadata,
    _person(primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("external_id", Text),
    Column("active", sa.Boolean, nullable=False),
    Column("body", JSONB, nullable=False),
    _time("created_at", nullable=False, server_default=sa.func.now()),
    _time("updated_at", nullable=False, server_default=sa.func.now()),
    _time("deleted_at"),
    Index("uq_scim_users_user_name", sa.text("lower(user_name)"), unique=True),
)

scim_groups = Table(
    "scim_groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("external_id", Text),
    _time("created_at", nullable=False, server_default=sa.func.now()),
    _time("updated_at", nullable=False, server_default=sa.func.now()),
    Index("uq_scim_groups_display_name", sa.text("lower(display_name)"), unique=True),
)

quotas = Table(
    "quotas",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", sa.Float, nullable=False),
    _time("at", nullable=False),
)
