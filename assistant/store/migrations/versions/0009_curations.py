"""What was found in documents before they were stored, and which are alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tables, and the columns of chunks."""
    op.create_table(
        "curations",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("rank", ARRAY(sa.Integer()), nullable=False),
        sa.Column("edges", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("repeated", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("findings", JSONB(), nullable=False),
        sa.Column("original_id", sa.Text()),
        sa.Column("likeness", sa.Float()),
        sa.Column("successor_id", sa.Text()),
        sa.Column("state", sa.SmallInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_curations"),
        sa.UniqueConstraint("arrived", name="uq_curations_arrived"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_curations_document_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_curations_original_id", "curations", ["original_id"])
    op.create_index("ix_curations_successor_id", "curations", ["successor_id"])
    op.create_index(
        "ix_curations_unsettled", "curations", ["arrived"], postgresql_where=sa.text("state < 2")
    )
    op.create_table(
        "traces",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "arrived", name="pk_traces"),
        sa.ForeignKeyConstraint(
            ["arrived"], ["curations.arrived"], name="fk_traces_arrived", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_traces_arrived", "traces", ["arrived"])
    op.add_column(
        "chunks", sa.Column("instruction", sa.Float(), server_default="0", nullable=False)
    )
    op.add_column(
        "chunks",
        sa.Column("omitted", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    op.add_column(
        "sync_runs",
        sa.Column("curation", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
