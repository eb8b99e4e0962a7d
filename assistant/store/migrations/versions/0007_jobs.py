"""Sync runs as a queue, schedules, the four clocks of a source, and quarantined items as listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"

_NO_OBJECT = sa.text("'{}'::jsonb")
_STATES = "'queued', 'running', 'paused', 'done', 'failed', 'stopped', 'cancelled'"


def upgrade() -> None:
    """Add the columns; what the clocks showed until now goes on from the last whole run."""
    for name in ("next_run_at", "pass_at", "content_at", "deletes_at", "access_at"):
        op.add_column("sources", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("sources", sa.Column("schedule", JSONB(none_as_null=True)))
    op.execute("UPDATE sources SET content_at = synced_at, access_at = synced_at")
    op.execute("UPDATE sources SET deletes_at = synced_at")
    op.add_column("failures", sa.Column("item", JSONB(none_as_null=True)))
    op.execute("ALTER TABLE sync_runs DROP CONSTRAINT ck_sync_runs_ck_sync_runs_state")
    op.create_check_constraint(op.f("ck_sync_runs_state"), "sync_runs", f"state IN ({_STATES})")
    op.alter_column("sync_runs", "started_at", nullable=True, server_default=None)
    op.alter_column("sync_runs", "token", server_default="0")
    for column in (
        sa.Column("kind", sa.Text, nullable=False, server_default="sync"),
        sa.Column("options", JSONB, nullable=False, server_default=_NO_OBJECT),
        sa.Column("by_worker", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("wish", sa.Text, nullable=False, server_default=""),
        sa.Column("requested_by", sa.Text, nullable=False, server_default=""),
        sa.Column("n_lost", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("progress", JSONB, nullable=False, server_default=_NO_OBJECT),
        sa.Column("stages", JSONB, nullable=False, server_default=_NO_OBJECT),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column(
            "queued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column("beat_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("sync_runs", column)
    op.execute("UPDATE sync_runs SET queued_at = started_at")
    op.create_check_constraint(
        op.f("ck_sync_runs_kind"), "sync_runs", "kind IN ('sync', 'dry_run', 'retry')"
    )
    op.create_index(
        "ix_sync_runs_active",
        "sync_runs",
        ["id"],
        postgresql_where=sa.text("state IN ('queued', 'running', 'paused')"),
    )
