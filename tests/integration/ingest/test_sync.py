"""One sync run against the real store and real readers: content, access, deletions, crashes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, JsonValue

from assistant.audit.log import AuditLog
from assistant.errors import Conflict, SyncError
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.ingest.task import Task
from assistant.settings import SyncSettings
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.group_names import names_of
from connectors.contract import (
    Access,
    Complete,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from tests.support.hashing import HashingEmbedder

STATE = sa.text(
    """
    SELECT d.external_id, string_agg(c.text, ' ' ORDER BY c.ord), a.allow
    FROM documents d JOIN acls a ON a.id = d.access_id LEFT JOIN chunks c ON c.document_id = d.id
    WHERE d.state = 'live' GROUP BY d.external_id, a.allow
    """
)


class Killed(BaseException):
    """Stands for a kill -9: nothing in the engine may catch it."""


class Documents:
    """A source in memory that lists again each time, and may die at a chosen step."""

    Config: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, bodies: dict[str, str], access: dict[str, Access] | None = None) -> None:
        self.bodies = bodies
        self.access = access or {}
        self.broken: set[str] = set()
        self.members: dict[str, frozenset[str]] = {}
        self.fetched: list[str] = []
        self.titles: dict[str, str] = {}
        self.dies_at: int | None = None
        self.expires = False
        self.busy = 0
        self._step = 0

    def _tick(self) -> None:
        self._step += 1
        if self._step == self.dies_at:
            raise Killed

    async def check(self) -> None:
        self._tick()

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        if since is not None and self.expires:
            self.expires = False
            raise CursorExpired("gone")
        after = since if isinstance(since, str) else ""
        for n, key in enumerate(sorted(k for k in self.bodies if k > after), 1):
            self._tick()
            if self.busy:
                self.busy -= 1
                raise RetryLater(0.001)
            if key.startswith("!"):
                yield Failed(id=key, error="unlisted")
                continue
            access = self.access.get(key, Access(allow=frozenset({"user:ana"})))
            yield Item(id=key, version=self.bodies[key], uri=key, access=access)
            if n % 3 == 0:
                yield Mark(cursor=key, done=n)
        self._tick()
        yield Complete(cursor=None)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        self._tick()
        if item.id in self.broken:
            raise OSError(5, "Input/output error")
        self.fetched.append(item.id)
        yield f"{item.id} says {self.bodies[item.id]}.".encode()

    async def groups(self) -> AsyncIterator[Group]:
        for name, members in self.members.items():
            yield Group(id=name, members=members, title=self.titles.get(name, ""))

    async def aclose(self) -> None:
        return None


class Bench:
    """Runs syncs of one source and looks at what is in the catalog."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self.database = database
        self.audit = AuditLog(database, data_dir)
        with database.begin() as conn:
            sources.put_source(conn, "notes", "files", {})

    def run(self, connector: Documents, **options: Any) -> Report:
        connector.fetched.clear()
        with self.database.begin() as conn:
            source = sources.source_named(conn, "notes")
        job = SyncRun(
            source,
            connector,
            database=self.database,
            embedder=HashingEmbedder(),
            audit=self.audit,
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
            task=Task(**options),
        )
        return asyncio.run(job.run())

    def state(self) -> dict[str, tuple[str, list[str]]]:
        with self.database.begin() as conn:
            return {row[0]: (row[1], row[2]) for row in conn.execute(STATE)}

    def texts(self) -> dict[str, str]:
        return {key: text for key, (text, _) in self.state().items()}


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path)


def notes(n: int) -> dict[str, str]:
    return {f"n{i:02}.txt": f"v{i}" for i in range(n)}


def said(bodies: dict[str, str]) -> dict[str, str]:
    return {key: f"{key} says {text}." for key, text in bodies.items() if not key.startswith("!")}


def test_everything_arrives_once_and_an_unchanged_source_is_not_read_again(bench: Bench) -> None:
    source = Documents(notes(7))
    first = bench.run(source)
    assert bench.texts() == said(source.bodies)
    assert (first.counts.added, len(source.fetched)) == (7, 7)
    again = bench.run(source)
    assert (again.counts.unchanged, again.counts.added, source.fetched) == (7, 0, [])


def test_changes_and_deletions_follow(bench: Bench) -> None:
    source = Documents(notes(7))
    bench.run(source)
    source.bodies["n03.txt"] = "new"
    del source.bodies["n05.txt"]
    report = bench.run(source)
    assert bench.texts() == said(source.bodies)
    assert source.fetched == ["n03.txt"]
    assert (report.counts.changed, report.counts.deleted) == (1, 1)


def test_an_access_change_reads_nothing(bench: Bench) -> None:
    source = Documents(notes(4))
    bench.run(source)
    source.access["n02.txt"] = Access(allow=frozenset({"group:hr"}))
    report = bench.run(source)
    assert bench.state()["n02.txt"][1] == ["group:notes:hr"]
    assert (report.counts.access_changed, source.fetched) == (1, [])


def test_an_unreadable_item_keeps_its_content_but_follows_its_access(bench: Bench) -> None:
    source = Documents(notes(4))
    bench.run(source)
    source.bodies["n01.txt"] = "changed"
    source.broken = {"n01.txt"}
    source.access["n01.txt"] = Access()
    report = bench.run(source)
    assert bench.state()["n01.txt"] == ("n01.txt says v1.", [])
    assert report.counts.failed == 1
    with bench.database.begin() as conn:
        assert [f.external_id for f in runs.list_failures(conn)] == ["n01.txt"]
    source.broken = set()
    bench.run(source)
    assert bench.texts()["n01.txt"] == "n01.txt says changed."
    with bench.database.begin() as conn:
        assert runs.list_failures(conn) == []


def test_what_can_not_be_listed_is_kept_with_all_beneath_it(bench: Bench) -> None:
    source = Documents({"dir/a.txt": "a", "dir/b.txt": "b", "z.txt": "z"})
    bench.run(source)
    source.bodies = {"z.txt": "z", "!dir": ""}

    class Partly(Documents):
        async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
            yield Failed(id="dir/", error="Permission denied")
            async for event in super().changes(since):
                yield event

    partly = Partly({"z.txt": "z"})
    report = bench.run(partly)
    assert sorted(bench.texts()) == ["dir/a.txt", "dir/b.txt", "z.txt"]
    assert (report.counts.failed, report.counts.deleted) == (1, 0)


def test_an_empty_mount_does_not_wipe_the_catalog(bench: Bench) -> None:
    bench.run(Documents(notes(20)))
    with pytest.raises(SyncError, match="would delete 20 of 20"):
        bench.run(Documents({}))
    assert len(bench.texts()) == 20
    bench.run(Documents({}), force=True)
    assert bench.texts() == {}


def test_a_source_that_lists_half_loses_nothing(bench: Bench) -> None:
    whole = notes(20)
    bench.run(Documents(whole))
    half = dict(list(whole.items())[:10])
    with pytest.raises(SyncError, match="would delete 10 of 20"):
        bench.run(Documents(half))
    assert bench.texts() == said(whole)
    again = bench.run(Documents(whole))
    assert (again.counts.unchanged, again.counts.deleted) == (20, 0)


def test_groups_are_replaced_before_documents(bench: Bench) -> None:
    source = Documents(notes(1))
    source.members = {"group:hr": frozenset({"user:ana", "group:staff"})}
    bench.run(source)
    with bench.database.begin() as conn:
        rows = conn.execute(sa.text("SELECT group_name, member FROM memberships ORDER BY 2")).all()
    assert [tuple(row) for row in rows] == [
        ("group:notes:hr", "group:notes:staff"),
        ("group:notes:hr", "user:local|ana"),
    ]


def test_what_groups_are_called_follows_the_source(bench: Bench) -> None:
    source = Documents(notes(1))
    source.members = {"group:7f3a": frozenset({"user:ana"}), "group:b2": frozenset({"user:bo"})}
    seen = []
    for titles in ({"group:7f3a": "Board"}, {"group:7f3a": "Diretoria"}, {}):
        source.titles = titles
        bench.run(source)
        with bench.database.begin() as conn:
            known = names_of(conn, ["group:notes:7f3a", "group:notes:b2", "user:local|ana"])
        seen.append([one.title for one in known.values()])
    assert seen == [["Board", ""], ["Diretoria", ""], ["", ""]]


def test_an_expired_cursor_lists_afresh_and_patience_is_rewarded(bench: Bench) -> None:
    source = Documents(notes(8))
    source.dies_at = 12
    with pytest.raises(Killed):
        bench.run(source)
    source.dies_at, source.expires, source.busy = None, True, 2
    bench.run(source)
    assert bench.texts() == said(source.bodies)


def test_two_runs_never_both_write(bench: Bench) -> None:
    with bench.database.begin() as conn:
        source = sources.source_named(conn, "notes")
        sources.acquire_lease(conn, source.id, 60)
    with pytest.raises(Conflict, match="Another run"):
        bench.run(Documents(notes(2)))
    assert bench.texts() == {}


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_with_crashes_end_where_the_source_is(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    bodies = notes(9)
    for turn in range(3):
        for key in chance.sample(sorted(bodies), 2):
            bodies[key] = f"t{turn}"
        del bodies[chance.choice(sorted(bodies))]
        bodies[f"x{seed}{turn}.txt"] = "fresh"
        while True:
            source = Documents(bodies)
            source.dies_at = chance.randrange(1, 25) if chance.random() < 0.7 else None
            try:
                bench.run(source)
                break
            except Killed:
                continue
        assert bench.texts() == said(bodies)
    assert bench.audit.verify().ok
