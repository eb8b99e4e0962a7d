"""A database with its data folder, to be backed up, erased from and restored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from assistant import wiring
from assistant.access.identity import caller_with_login
from assistant.audit.log import AuditLog
from assistant.domain import Done, Question
from assistant.lifecycle import backup, sealed
from assistant.ports import Embedder, Generator
from assistant.store import people
from assistant.store.backups import MadeBackup
from assistant.store.database import Database
from assistant.wiring import assembled
from tests.conftest import settings_for

QUESTION = "What was the net income of 2025?"


@dataclass
class Place:
    """A database with its data folder; without a `writer` answers are quotes."""

    database: Database
    folder: Path
    model: Embedder
    writer: Generator | None = None

    @property
    def log(self) -> AuditLog:
        return AuditLog(self.database, self.folder)

    def person_id(self, login: str) -> str:
        """The id of a person."""
        with self.database.begin() as conn:
            return people.person_with_login(conn, login).id

    def answer(self, question: str = QUESTION, login: str = "ana") -> tuple[str, list[str]]:
        """What somebody is told, and the quotes they are shown; the index is saved then."""
        settings = settings_for(str(self.database.engine.url), self.folder)
        made = assembled(settings, self.database, self.model, self.writer)
        with self.database.begin() as conn:
            caller = caller_with_login(conn, login)

        async def ask() -> tuple[str, list[str]]:
            async for event in made.answerer.answer(Question(question, caller)):
                if isinstance(event, Done):
                    return event.answer.text, [c.quote for c in event.answer.citations]
            raise AssertionError("no answer")

        try:
            return asyncio.run(ask())
        finally:
            kept = wiring.generations(settings, self.database)
            kept.save(made.retriever._follower)
            kept.close()
            made.retriever.close()


def create(origin: Place, path: Path) -> MadeBackup:
    keys = path.parent / "assistant.keys"
    return backup.create(origin.database, origin.log, origin.folder, path, keys)


def restore(place: Place, path: Path, identity: Path) -> backup.Restored:
    keys = path.parent / "assistant.keys"
    key = sealed.read_identity(identity)
    return backup.restore(place.database, place.folder, path, keys, key)
