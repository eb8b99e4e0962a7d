"""People and groups that an identity provider pushes (SCIM)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"


def _time(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _to_people(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["people.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "scim_users",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("directory_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("attributes", JSONB(), nullable=False),
        sa.Column("locked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _time("created_at", nullable=False, now=True),
        _time("updated_at", nullable=False, now=True),
        _time("deleted_at"),
        sa.PrimaryKeyConstraint("person_id", name="pk_scim_users"),
        _to_people("scim_users", "person_id"),
        _to_people("scim_users", "directory_id"),
    )
    op.create_index(
        "uq_scim_users_user_name",
        "scim_users",
        ["directory_id", sa.text("lower(user_name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_scim_users_external_id", "scim_users", ["directory_id", "external_id"])
    op.create_table(
        "scim_groups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("directory_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text()),
        _time("created_at", nullable=False, now=True),
        _time("updated_at", nullable=False, now=True),
        sa.PrimaryKeyConstraint("id", name="pk_scim_groups"),
        _to_people("scim_groups", "directory_id"),
    )
    op.create_index(
        "uq_scim_groups_display_name",
        "scim_groups",
        ["directory_id", sa.text("lower(display_name)")],
        unique=True,
    )
