"""Access for a while, which two people give; memberships may end by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def _time(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def upgrade() -> None:
    """Create the table; give memberships an end."""
    op.add_column("memberships", _time("expires_at"))
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), server_default="", nullable=False),
        sa.Column("collection", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hours", sa.BigInteger(), nullable=False),
        _time("asked_at", nullable=False, now=True),
        sa.Column("approved_by", sa.Text()),
        _time("approved_at"),
        _time("expires_at"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_break_glass"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_break_glass_person_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name="fk_break_glass_approved_by"),
        sa.CheckConstraint("approved_by <> person_id", name="ck_break_glass_two_people"),
        sa.CheckConstraint(
            "(document_id = '') <> (collection = '')", name="ck_break_glass_one_target"
        ),
    )
    op.create_index("ix_break_glass_person_id", "break_glass", ["person_id"])
