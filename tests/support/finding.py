"""Real sources synced into a real catalog, and what each person finds there afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

from assistant.access.identity import caller_with_login, ensure_person
from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings, SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from connectors.contract import Connector
from tests.support.company import assembled
from tests.support.hashing import HashingEmbedder
from tests.support.scripted import ScriptedGenerator


class Finding:
    """Syncs sources by name, and searches as somebody."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self._data_dir = data_dir
        self._retriever: Retriever | None = None

    def sync(self, name: str, kind: str, connector: Connector) -> Report:
        """Run one sync of a source to its end, adding the source if there is none."""
        with self._database.begin() as conn:
            if name not in {source.name for source in sources.list_sources(conn)}:
                sources.put_source(conn, name, kind, {})
            source = sources.source_named(conn, name)
        job = SyncRun(
            source,
            connector,
            database=self._database,
            embedder=HashingEmbedder(),
            audit=AuditLog(self._database, self._data_dir),
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
        )
        return asyncio.run(job.run())

    def texts(self, login: str, question: str) -> set[str]:
        """Return the passages that somebody finds; a new login is a new person."""
        with self._database.begin() as conn:
            ensure_person(conn, login, login.title(), ["employee"])
            caller = caller_with_login(conn, login)
        if self._retriever is None:
            settings = Settings(data_dir=self._data_dir)
            self._retriever = assembled(settings, self._database, ScriptedGenerator()).retriever
        found = self._retriever.retrieve(question, caller, k=10)
        return {passage.text for passage in found.passages}
