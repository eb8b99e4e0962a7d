"""Companies' folders, synced into a database of their own, behind a live API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from fastapi import FastAPI

from assistant import wiring
from assistant.access.identity import create_person
from assistant.answering.answer import Answerer
from assistant.answering.record import Record
from assistant.answering.verify import similarity_of
from assistant.api.app import create_app
from assistant.ingest.task import Task
from assistant.ports import Embedder
from assistant.settings import ConnectorSettings, DatabaseSettings, Settings
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.embedded import EmbeddedServer
from tests.support.company import served
from tests.support.scripted import ScriptedGenerator
from ui.client import Client

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Member:
    """Somebody who signs in, with the questions suggested to them."""

    login: str
    name: str
    lang: str
    company: str
    questions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("employee",)


@dataclass
class World:
    """Companies (the folders below `folder`), their people, and the address of the API."""

    folder: Path
    settings: Settings
    database: Database
    embedder: Embedder
    members: Sequence[Member]
    url: str = ""

    def sync(self) -> None:
        """Bring the database up to date with the folders."""
        for folder in sorted(self.folder.iterdir()):
            title = folder.name.replace("-", " ").title()
            with self.database.begin() as conn:
                source = sources.put_source(
                    conn, folder.name, "files", {"path": str(folder)}, title=title
                )
            run = wiring.sync_run(
                self.settings, self.database, self.embedder, source, task=Task(force=True)
            )
            with ThreadPoolExecutor(1) as pool:  # a browser's loop may run in this thread
                report = pool.submit(asyncio.run, run.run()).result()
            with self.database.begin() as conn:
                failures = runs.list_failures(conn, source.id)
            assert report.counts.failed == 0, failures

    @contextmanager
    def working(self) -> Iterator[None]:
        """Do the runs that are queued, as `assistant serve` does."""
        worker = wiring.worker(self.settings, self.database, self.embedder)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield
        finally:
            worker.stop()
            thread.join(30)

    @contextmanager
    def revoked(self, name: str) -> Iterator[None]:
        """Take everybody's access to a file away, and give it back at the end."""
        sidecar = self.folder / f"{name}.access.toml"
        sidecar.write_text("allow = []\n", encoding="utf-8")
        try:
            self.sync()
            yield
        finally:
            sidecar.unlink()
            self.sync()

    @contextmanager
    def extra(self, name: str, text: str) -> Iterator[None]:
        """Have one more file, until the end."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        try:
            self.sync()
            yield
        finally:
            path.unlink()
            self.sync()

    def client(self, login: str) -> Client:
        """Sign in at the API."""
        token = Client(self.url).sign_in(login, PASSWORD).token
        return Client(self.url, token)

    @contextmanager
    def written_by(self, generator: ScriptedGenerator) -> Iterator[str]:
        """Serve the same world with another generator; yields the address of its API."""
        made = wiring.assembled(self.settings, self.database, self.embedder)
        answerer = Answerer(
            made.retriever,
            generator,
            Record(self.database, made.audit),
            similarity_of(self.embedder),
            4,
        )
        with served(create_app(replace(made, generator=generator, answerer=answerer))) as url:
            yield url

    def app(self) -> FastAPI:
        """Return the API as it is served in production."""
        questions = {member.login: member.questions for member in self.members}
        made = wiring.assembled(self.settings, self.database, self.embedder)
        return create_app(made, lambda person: questions[person.login])


@contextmanager
def opened(
    postgres: EmbeddedServer,
    data_dir: Path,
    embedder: Embedder,
    write: Callable[[Path], None],
    members: Sequence[Member],
) -> Iterator[World]:
    """Write the companies' folders, sync them, and serve the API over them."""
    folder = data_dir / "companies"
    folder.mkdir()
    write(folder)
    with _database_url(postgres) as url:
        settings = Settings(
            data_dir=data_dir,
            database=DatabaseSettings.model_validate({"url": url}),
            connectors=ConnectorSettings(local_roots=(data_dir / "waiting",)),
        )
        with wiring.database(settings) as database:
            for one in members:
                with database.begin() as conn:
                    create_person(
                        conn,
                        one.login,
                        one.name,
                        one.roles,
                        password=PASSWORD,
                        lang=one.lang,
                        company=one.company,
                    )
            world = World(folder, settings, database, embedder, members)
            world.sync()
            with served(world.app()) as address:
                world.url = address
                yield world


@contextmanager
def _database_url(postgres: EmbeddedServer) -> Iterator[str]:
    name = f"ui_{uuid4().hex}"
    engine = sa.create_engine(
        postgres.url("postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        conn.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template_assistant"))
    yield postgres.url(name)
    with engine.connect() as conn:
        conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
