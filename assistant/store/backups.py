"""Which backups were made, so that an erasure knows where old copies are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.lifecycle_tables import backups


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup as it was made; `sha256` is that of its file, `n_events` those of its log."""

    file: str
    keys_file: str
    sha256: str
    n_events: int
    created_at: datetime | None = None


def add(conn: Connection, made: MadeBackup) -> None:
    """Note that a backup was made."""
    conn.execute(
        sa.insert(backups).values(
            file=made.file, keys_file=made.keys_file, sha256=made.sha256, n_events=made.n_events
        )
    )


def made_backups(conn: Connection) -> list[MadeBackup]:
    """Return the backups that were made, the oldest first."""
    rows = conn.execute(sa.select(backups).order_by(backups.c.id))
    return [
        MadeBackup(row.file, row.keys_file, row.sha256, row.n_events, row.created_at)
        for row in rows
    ]
