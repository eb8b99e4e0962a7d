"""The sealed secrets of a source's connector."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "sources",
        sa.Column("secrets", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
