"""Tokens of an identity provider, API keys, quotas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"


def _time(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _of_a_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["people.id"], name=f"fk_{table}_person_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create the tables; memberships may come from no source."""
    op.drop_constraint("pk_memberships", "memberships")
    op.alter_column("memberships", "source_id", nullable=True)
    op.create_unique_constraint(
        "uq_memberships_source_id_group_name_member",
        "memberships",
        ["source_id", "group_name", "member"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "token_holders",
        sa.Column("person_id", sa.Text(), nullable=False),
        _time("issued_at"),
        _time("signed_out_at"),
        sa.PrimaryKeyConstraint("person_id", name="pk_token_holders"),
        _of_a_person("token_holders"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("secret_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        _time("created_at", nullable=False, now=True),
        _time("expires_at", nullable=False),
        _time("revoked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        _of_a_person("api_keys"),
    )
    op.create_index("ix_api_keys_person_id", "api_keys", ["person_id"])
    op.create_table(
        "quotas",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        _time("at", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_quotas"),
    )
