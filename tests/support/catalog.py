"""What a sync run brought into the catalog: text and readers of each live document."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.ingest.task import Task
from assistant.settings import SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from connectors.contract import Connector
from tests.support.hashing import HashingEmbedder

STATE = sa.text(
    """
    SELECT d.external_id, string_agg(c.text, ' ' ORDER BY c.ord), a.allow
    FROM documents d JOIN acls a ON a.id = d.access_id LEFT JOIN chunks c ON c.document_id = d.id
    WHERE d.state = 'live' GROUP BY d.external_id, a.allow
    """
)


class Synced:
    """Runs syncs of one source and looks at what is in the catalog."""

    def __init__(self, database: Database, data_dir: Path, kind: str) -> None:
        self._database = database
        self._audit = AuditLog(database, data_dir)
        with database.begin() as conn:
            sources.put_source(conn, "source", kind, {})

    def run(self, connector: Connector, **options: Any) -> Report:
        """Run one sync to its end."""
        with self._database.begin() as conn:
            source = sources.source_named(conn, "source")
        job = SyncRun(
            source,
            connector,
            database=self._database,
            embedder=HashingEmbedder(),
            audit=self._audit,
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
            task=Task(**options),
        )
        return asyncio.run(job.run())

    def synced_at(self) -> datetime:
        """Return when the documents were last known to be as the source has them."""
        with self._database.begin() as conn:
            when = conn.execute(sa.text("SELECT synced_at FROM sources")).scalar_one()
        assert isinstance(when, datetime)
        return when

    def readers(self) -> dict[str, list[str]]:
        """Return who may read each live document."""
        with self._database.begin() as conn:
            return {row[0]: sorted(row[2]) for row in conn.execute(STATE)}

    def texts(self) -> dict[str, str]:
        """Return the text of each live document."""
        with self._database.begin() as conn:
            return {row[0]: row[1] for row in conn.execute(STATE)}
