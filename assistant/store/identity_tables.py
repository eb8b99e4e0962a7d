"""The tables of what vouches for people and programs, as SQLAlchemy Core values."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from assistant.store.tables import metadata


def _person(name: str = "person_id", **options: bool) -> Column[str]:
    return Column(name, Text, ForeignKey("people.id", ondelete="CASCADE"), **options)  # type: ignore[arg-type]


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

scim_users = Table(
    "scim_users",
    metadata,
    _person(primary_key=True),
    _person("directory_id", nullable=False),
    Column("user_name", Text, nullable=False),
    Column("external_id", Text),
    Column("active", sa.Boolean, nullable=False),
    Column("attributes", JSONB, nullable=False),
    Column("locked", sa.Boolean, nullable=False, server_default=sa.text("false")),
    _time("created_at", nullable=False, server_default=sa.func.now()),
    _time("updated_at", nullable=False, server_default=sa.func.now()),
    _time("deleted_at"),
    Index("ix_scim_users_external_id", "directory_id", "external_id"),
)

scim_groups = Table(
    "scim_groups",
    metadata,
    Column("id", Text, primary_key=True),
    _person("directory_id", nullable=False),
    Column("display_name", Text, nullable=False),
    Column("external_id", Text),
    _time("created_at", nullable=False, server_default=sa.func.now()),
    _time("updated_at", nullable=False, server_default=sa.func.now()),
)

# Names are unique within a directory, in whatever case.
Index(
    "uq_scim_users_user_name",
    scim_users.c.directory_id,
    sa.func.lower(scim_users.c.user_name),
    unique=True,
    postgresql_where=scim_users.c.deleted_at.is_(None),
)
Index(
    "uq_scim_groups_display_name",
    scim_groups.c.directory_id,
    sa.func.lower(scim_groups.c.display_name),
    unique=True,
)

group_titles = Table(
    "group_titles",
    metadata,
    Column(
        "source_id", sa.BigInteger, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("group_name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Index("ix_group_titles_group_name", "group_name"),
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", Text, primary_key=True),
    _person(nullable=False),
    Column("document_id", Text, nullable=False, server_default=""),
    Column("collection", Text, nullable=False, server_default=""),
    Column("named", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False),
    Column("hours", sa.BigInteger, nullable=False),
    _time("asked_at", nullable=False, server_default=sa.func.now()),
    Column("approved_by", Text, ForeignKey("people.id")),
    _time("approved_at"),
    _time("expires_at"),
    _time("ended_at"),
    Column("refused_by", Text, ForeignKey("people.id")),
    Column("answer", Text, nullable=False, server_default=""),
    sa.CheckConstraint("approved_by <> person_id", name="two_people"),
    sa.CheckConstraint("refused_by <> person_id", name="refused_by_another"),
    sa.CheckConstraint("(document_id = '' AND named = '') <> (collection = '')", name="one_target"),
    Index("ix_break_glass_person_id", "person_id"),
)
