"""What sources call their groups, where the ids aren't that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table; the next sync of each source fills it."""
    op.create_table(
        "group_titles",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "group_name", name="pk_group_titles"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_group_titles_source_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_group_titles_group_name", "group_titles", ["group_name"])
