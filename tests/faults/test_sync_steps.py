"""A sync run killed at any of its steps, and started again, ends where an undisturbed one ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import numpy as np
import psutil
import pytest
import sqlalchemy as sa

from assistant.ingest.step import Step
from assistant.store import sources
from assistant.store.database import Database, open_database
from assistant.store.document import vector_of
from assistant.store.embedded import EmbeddedServer
from tests.conftest import settings_for
from tests.support import worlds
from tests.support.dying import REFUSED, Nursery, Order, nursery, steps
from tests.support.worlds import World

pytestmark = pytest.mark.timeout(900)
"""Hundreds of runs: patience on a busy machine."""

STATE = {
    "documents": """
        SELECT d.external_id, d.version, d.version_no, d.uri, d.title, d.media_type, d.lang,
               d.collection, d.dated, d.modified_at, d.meta, d.content_sha256, d.original_sha256,
               d.n_chunks, d.state, a.allow, a.deny, a.all_of, d.seq IS NULL
        FROM documents d JOIN acls a ON a.id = d.access_id ORDER BY 1
    """,
    "versions": """
        SELECT d.external_id, v.version_no, v.version, v.content_sha256, v.title
        FROM document_versions v JOIN documents d ON d.id = v.document_id ORDER BY 1, 2
    """,
    "chunks": """
        SELECT d.external_id, c.ord, c.version_no, c.text, c.heading, c.kind, c.lang, c.page,
               c.start, c."end", c.sha256, c.embedder
        FROM chunks c JOIN documents d ON d.id = c.document_id ORDER BY 1, 2
    """,
    "originals": "SELECT sha256, media_type FROM originals ORDER BY 1",
    "groups": "SELECT group_name, member FROM memberships ORDER BY 1, 2",
    "failures": "SELECT external_id, cause, error FROM failures ORDER BY 1",
    "source": "SELECT cursor, whole, lease_holder FROM sources",
}
VECTORS = """
    SELECT c.embedding FROM chunks c JOIN documents d ON d.id = c.document_id
    ORDER BY d.external_id, c.ord
"""


only_files = pytest.mark.parametrize("trials", ["files"], indirect=True)


@dataclass
class State:
    """All that a sync leaves behind, without ids, times and counters of runs."""

    rows: dict[str, list[Any]]
    vectors: list[bytes]

    @classmethod
    def of(cls, database: Database) -> State:
        with database.snapshot() as conn:
            rows = {
                name: [list(row) for row in conn.execute(sa.text(query))]
                for name, query in STATE.items()
            }
            vectors = [bytes(row[0]) for row in conn.execute(sa.text(VECTORS))]
        for row in rows["source"]:
            if isinstance(row[0], dict):
                row[0].pop("began", None)  # when the listing began, by the clock
        return cls(rows, vectors)

    def must_equal(self, other: State, why: str, but: Collection[str] = ()) -> None:
        for name, rows in self.rows.items():
            if name in but:
                continue
            assert rows == other.rows[name], f"{name} differ {why}"
        for one, another in zip(self.vectors, other.vectors, strict=True):
            assert float(np.dot(vector_of(one), vector_of(another))) > 0.999, why


class Trials:
    """Copies of a database in which a source has been synced once, and then changed."""

    def __init__(self, server: EmbeddedServer, runner: Nursery, folder: Path, world: World) -> None:
        self.server, self.runner, self.folder, self.world = server, runner, folder, world
        self.base = f"base_{uuid4().hex}"
        self.admin(f"CREATE DATABASE {self.base} TEMPLATE template_assistant")
        world.begin()
        with self.opened(self.base) as database, database.begin() as conn:
            sources.put_source(conn, "docs", world.connector, {})
        assert self.run(self.base, folder / "first") == 0
        world.change()

    def admin(self, statement: str) -> None:
        engine = sa.create_engine(
            self.server.url("postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as conn:
            conn.execute(sa.text(statement))

    @contextmanager
    def opened(self, name: str) -> Iterator[Database]:
        database = open_database(settings_for(self.server.url(name), self.folder))
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def copy(self) -> Iterator[str]:
        name = f"trial_{uuid4().hex}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE {self.base}")
        try:
            yield name
        finally:
            self.admin(f"DROP DATABASE {name} WITH (FORCE)")

    def order(self, name: str, folder: Path, **more: Any) -> Order:
        folder.mkdir(parents=True, exist_ok=True)
        return Order(
            self.server.url(name), str(folder), self.world.connector, self.world.config, **more
        )

    def run(self, name: str, folder: Path, **more: Any) -> int:
        return self.runner.wait(self.runner.start(self.order(name, folder, **more)))

    def state(self, name: str) -> State:
        with self.opened(name) as database:
            return State.of(database)


@pytest.fixture(scope="module")
def runner() -> Iterator[Nursery]:
    with nursery() as running:
        yield running


@contextmanager
def made(kind: str, folder: Path) -> Iterator[World]:
    if kind == "files":
        with worlds.folder(folder / "company") as world:
            yield world
    else:
        with worlds.webdav() if kind == "webdav" else worlds.database() as world:
            yield world


@pytest.fixture(scope="module", params=["files", "sql", "webdav"])
def trials(
    request: pytest.FixtureRequest,
    postgres: EmbeddedServer,
    runner: Nursery,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Trials]:
    folder = tmp_path_factory.mktemp(request.param)
    with made(request.param, folder) as world:
        yield Trials(postgres, runner, folder, world)


@pytest.fixture(scope="module")
def undisturbed(trials: Trials) -> State:
    with trials.copy() as name:
        assert trials.run(name, trials.folder / "undisturbed") == 0
        state = trials.state(name)
    states = {row[-5] for row in state.rows["documents"]}
    assert states == {"live", "deleted"}
    assert state.rows["failures"]
    assert state.rows["groups"]
    return state


def test_killed_at_every_step(trials: Trials, undisturbed: State) -> None:
    died_at: list[str] = []
    while True:
        n = len(died_at) + 1
        folder = trials.folder / f"killed-{n}"
        with trials.copy() as name:
            ended = trials.run(name, folder, dies_at=n)
            if ended == 0:
                break
            assert ended == -signal.SIGKILL, (folder / "error").read_text()
            died_at.append(steps(folder)[-1])
            assert trials.run(name, folder) == 0
            why = f"after death {n}: {died_at[-1]}"
            state = trials.state(name)
            state.must_equal(undisturbed, why, but={"source"})
            if state.rows["source"] != undisturbed.rows["source"]:
                # The cursor of `sql` may look once more at rows that were seen before the death.
                assert trials.run(name, folder) == 0
                state = trials.state(name)
            state.must_equal(undisturbed, why)
    swept = {"unseen swept"} if trials.world.connector == "sql" else set()
    assert set(died_at) == set(get_args(Step)) - swept


@only_files
def test_killed_again_and_again_one_step_later(trials: Trials, undisturbed: State) -> None:
    folder = trials.folder / "again"
    n = 1
    with trials.copy() as name:
        while trials.run(name, folder, dies_at=n) != 0:
            n += 1
        trials.state(name).must_equal(undisturbed, f"after {n - 1} deaths")


OUTSIDE: tuple[Step, ...] = (
    "source checked",
    "groups listed",
    "groups stored",
    "page compared",
    "body read",
    "page embedded",
    "page committed",
    "all committed",
)
"""Steps at which a run holds no lock, unless another of its threads is committing."""

INSIDE: tuple[Step, ...] = ("commit begun", "document written", "cursor moved")
"""Steps within a transaction, which the server ends when it stands still for long."""


@only_files
@pytest.mark.parametrize("moment", [*OUTSIDE, *INSIDE])
def test_a_run_that_stood_still_past_its_lease_writes_nothing_more(
    trials: Trials, moment: Step
) -> None:
    slow, quick = trials.folder / f"slow-{moment}", trials.folder / f"quick-{moment}"
    with trials.copy() as name:
        order = trials.order(name, slow, stops_at=moment, lease_s=1.0, idle_s=2.0)
        pid = trials.runner.start(order)
        wait_until_stopped(pid)
        assert trials.run(name, quick, full=True) == 0, (quick / "error").read_text()
        state = trials.state(name)
        os.kill(pid, signal.SIGCONT)
        assert trials.runner.wait(pid) == REFUSED
        why = (slow / "error").read_text()
        assert "taken over" in why or "The database" in why
        trials.state(name).must_equal(state, f"after {moment}")


@only_files
def test_the_lease_is_kept_by_the_clock_of_the_database(trials: Trials) -> None:
    holder, other = trials.folder / "holder", trials.folder / "other"
    with trials.copy() as name:
        pid = trials.runner.start(trials.order(name, holder, stops_at="source checked"))
        wait_until_stopped(pid)
        for hour in (-3600.0, 3600.0):
            assert trials.run(name, other, clock_off_s=hour) == REFUSED
            assert "Another run" in (other / "error").read_text()
        os.kill(pid, signal.SIGCONT)
        assert trials.runner.wait(pid) == 0


def wait_until_stopped(pid: int) -> None:
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.02)
    time.sleep(1.2)
