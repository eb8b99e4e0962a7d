"""Backups, keys of subjects, erasures and legal holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0010"
down_revision = "0009"


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "backups",
        sa.Column("id", sa.BigInteger(), nullable=False),
        _now("created_at"),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("keys_file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("n_events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backups"),
    )
    op.create_table(
        "subject_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subject_keys"),
        sa.UniqueConstraint("subject", "month", name="uq_subject_keys_subject_month"),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        _now("started_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("person_ids", ARRAY(sa.Text()), nullable=False),
        sa.Column("document_ids", ARRAY(sa.Text()), nullable=False),
        sa.Column("certificate", JSONB()),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _now("created_at"),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.CheckConstraint(
            "kind IN ('subject', 'document', 'collection', 'everything')", name="ck_holds_kind"
        ),
    )
