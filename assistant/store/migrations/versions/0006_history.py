"""Which documents there were under which ACL, and who readers were, for replays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables; the history begins with the documents as they are."""
    op.create_table(
        "document_history",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access_id", sa.Integer(), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "seq", name="pk_document_history"),
    )
    op.create_table(
        "principal_sets",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column(
            "principals", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        sa.PrimaryKeyConstraint("sha256", name="pk_principal_sets"),
    )
    op.execute(
        """
        INSERT INTO document_history (document_id, seq, access_id, version_no, live)
        SELECT id, seq, access_id, version_no, state = 'live'
        FROM documents WHERE seq IS NOT NULL
        """
    )
