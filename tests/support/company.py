"""A small company in a real database, behind a real API server on a free port."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from assistant.access.identity import create_person
from assistant.access.principals import qualify
from assistant.answering.answer import Answerer
from assistant.answering.record import Record
from assistant.answering.verify import similarity_of
from assistant.audit.log import AuditLog
from assistant.domain import Chunk, DocumentId
from assistant.ports import Embedder, Generator
from assistant.retrieval.follower import Follower
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.store import catalog, ledger, memberships, people, sources
from assistant.store.acls import acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument, Original
from assistant.wiring import Assistant
from indexes.hybrid import HybridIndex
from tests.support.hashing import HashingEmbedder

SOURCE = "intranet"


def assembled(settings: Settings, database: Database, generator: Generator) -> Assistant:
    """Assemble the assistant as `wiring` does, with a hashing embedder and another generator."""
    embedder = HashingEmbedder()
    audit = AuditLog(database, settings.data_dir)
    retriever = Retriever(
        database, embedder, Follower(HybridIndex(embedder.dimension), embedder.name)
    )
    answerer = Answerer(retriever, generator, Record(database, audit), similarity_of(embedder), 4)
    return Assistant(settings, database, audit, embedder, generator, retriever, answerer)


@dataclass
class Company:
    """Adds people, groups and documents to a database, and changes them."""

    database: Database
    embedder: Embedder = field(default_factory=HashingEmbedder)
    groups: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.database.begin() as conn:
            source = sources.put_source(
                conn, SOURCE, "files", {"folder": "/nowhere"}, title="The intranet"
            )
        self.source_id = source.id

    def person(
        self,
        login: str,
        *groups: str,
        roles: Sequence[str] = ("employee",),
        lang: str = "en",
        password: str | None = None,
        company: str = "acme",
    ) -> str:
        """Add a person with the groups they are in; returns their id."""
        with self.database.begin() as conn:
            added = create_person(
                conn, login, login.title(), roles, password=password, lang=lang, company=company
            )
        for group in groups:
            self.join(login, group)
        return added.id

    def join(self, login: str, group: str) -> None:
        """Put a person into a group."""
        self.groups.setdefault(group, set()).add(login)
        self._publish()

    def leave(self, login: str, group: str) -> None:
        """Take a person out of a group."""
        self.groups[group].discard(login)
        self._publish()

    def document(
        self,
        name: str,
        *passages: str,
        allow: Sequence[str] = ("everyone",),
        original: Original | None = None,
        boxes: tuple[tuple[int, float, float, float, float], ...] = (),
        lang: str = "en",
    ) -> DocumentId:
        """Add a document, or a new version of it, with a chunk for each passage."""
        chunks, start = [], 0
        for text in passages:
            page = boxes[0][0] if boxes else None
            chunk = Chunk(text, (), "paragraph", lang, start, start + len(text), page, boxes)
            start += len(text) + 1
            vector = self.embedder.embed_documents([f"{name}\n{text}"])[0]
            chunks.append(NewChunk(chunk, vector, self.embedder.name))
        facts = Facts(
            uri=f"https://intranet.example/{name}",
            title=name.replace("-", " ").title(),
            media_type=original.media_type if original else "text/plain",
            lang=lang,
            collection="acme",
            industry="finance",
            modified_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
        digest = hashlib.sha256("\n".join(passages).encode()).hexdigest()
        with self.database.begin() as conn:
            access = acl_id(conn, {qualify(SOURCE, principal) for principal in allow})
            new = NewDocument(self.source_id, name, digest, digest, access, facts, original)
            return catalog.upsert_document(conn, new, chunks)

    def delete(self, name: str) -> None:
        """Delete a document."""
        with self.database.begin() as conn:
            catalog.delete_document(conn, self.source_id, name)

    def allow(self, name: str, *principals: str) -> None:
        """Let only these read a document."""
        with self.database.begin() as conn:
            access = acl_id(conn, {qualify(SOURCE, principal) for principal in principals})
            catalog.set_document_access(conn, self.source_id, name, access)

    def _publish(self) -> None:
        named = {
            qualify(SOURCE, f"group:{group}"): {qualify(SOURCE, f"user:{m}") for m in members}
            for group, members in self.groups.items()
        }
        with self.database.begin() as conn:
            memberships.replace_groups(conn, self.source_id, named)


def pdf(*pages: str, size: tuple[float, float] = (595, 842)) -> Original:
    """Return a PDF of pages (A4 unless told), each with one line 72 points below its top."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=size, invariant=1)
    for text in pages:
        canvas.drawString(72, size[1] - 72, text)
        canvas.showPage()
    canvas.save()
    return Original("application/pdf", file.getvalue())


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port of the loopback; yields its URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def signed_in(url: str, database: Database, login: str) -> httpx.Client:
    """Return a client with a session of this person, begun without the cost of a password."""
    with database.begin() as conn:
        token = people.start_session(conn, people.person_with_login(conn, login).id, 3600)
    return httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {token}"})


def events_of(database: Database) -> list[dict[str, Any]]:
    """Return the events of the audit log, parsed."""
    with database.begin() as conn:
        return [json.loads(event.body) for event in ledger.events(conn)]
