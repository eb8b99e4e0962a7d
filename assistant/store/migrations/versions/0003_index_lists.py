"""The grouping of vectors that an index has learnt, so that a rebuild need not learn it again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "index_lists",
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("n_trained", sa.BigInteger(), nullable=False),
        sa.Column("n_chunks", sa.BigInteger(), nullable=False),
        sa.Column("directions", sa.LargeBinary(), nullable=False),
        sa.Column("chunk_ids", sa.LargeBinary(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column(
            "saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("embedder", name="pk_index_lists"),
    )
