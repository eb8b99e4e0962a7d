"""From a database and a repository into the catalog: content, a change of access, a deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from connectors.contract import Connector, Item
from connectors.git import Git, GitConfig
from connectors.sql import Sql, SqlConfig
from tests.support.git import Depot
from tests.support.hashing import HashingEmbedder

STATE = sa.text(
    """
    SELECT d.external_id, string_agg(c.text, ' ' ORDER BY c.ord), a.allow
    FROM documents d JOIN acls a ON a.id = d.access_id LEFT JOIN chunks c ON c.document_id = d.id
    WHERE d.state = 'live' GROUP BY d.external_id, a.allow
    """
)


class CountingGit(Git):
    """Remembers what was fetched."""

    fetched: tuple[str, ...] = ()

    def fetch(self, item: Item) -> AsyncIterator[bytes]:
        self.fetched = (*self.fetched, item.id)
        return super().fetch(item)


class CountingSql(Sql):
    """Remembers what was fetched."""

    fetched: tuple[str, ...] = ()

    def fetch(self, item: Item) -> AsyncIterator[bytes]:
        self.fetched = (*self.fetched, item.id)
        return super().fetch(item)


class Bench:
    """Runs syncs of one source and looks at what is in the catalog."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self.database = database
        self.audit = AuditLog(database, data_dir)
        with database.begin() as conn:
            sources.put_source(conn, "docs", "files", {})

    def run(self, connector: Connector) -> Report:
        with self.database.begin() as conn:
            source = sources.source_named(conn, "docs")
        job = SyncRun(
            source,
            connector,
            database=self.database,
            embedder=HashingEmbedder(),
            audit=self.audit,
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
        )
        return asyncio.run(job.run())

    def state(self) -> dict[str, tuple[str, list[str]]]:
        with self.database.begin() as conn:
            return {row[0]: (row[1], row[2]) for row in conn.execute(STATE)}


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path)


def test_a_repository(bench: Bench, tmp_path: Path) -> None:
    depot = Depot.made(tmp_path / "docs.git")

    def source() -> CountingGit:
        return CountingGit(GitConfig(url=f"file://{depot.path}", cache=tmp_path / "cache"))

    depot.commit(
        {
            ".access.toml": 'allow = ["everyone"]',
            "hr/leave.md": "Leave is thirty days.",
            "hr/Férias.md": "Férias são trinta dias.",
            "pump.md": "Pump P-101 needs oil.",
        }
    )
    first = bench.run(source())
    assert first.counts.added == 3
    assert bench.state()["hr/leave.md"] == ("Leave is thirty days.", ["everyone"])

    depot.commit({"hr/.access.toml": 'allow = ["group:hr"]'})
    access = source()
    report = bench.run(access)
    assert (report.counts.access_changed, access.fetched) == (2, ())
    assert bench.state()["hr/leave.md"] == ("Leave is thirty days.", ["group:docs:hr"])
    assert bench.state()["pump.md"][1] == ["everyone"]

    depot.commit({"hr/Férias.md": None, "pump.md": "Pump P-101 was replaced."})
    later = source()
    report = bench.run(later)
    assert (report.counts.deleted, report.counts.changed, later.fetched) == (1, 1, ("pump.md",))
    assert set(bench.state()) == {"hr/leave.md", "pump.md"}

    depot.commit({"pump.md": "A new beginning."}, rewrites=True)
    assert bench.run(source()).counts.deleted == 1
    assert bench.state() == {"pump.md": ("A new beginning.", [])}


def test_a_database(bench: Bench, postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def run(statement: str) -> None:
        with closing(engine.connect()) as conn:
            conn.execute(sa.text(statement))

    def source() -> CountingSql:
        orders = {
            "name": "orders",
            "table": "work_orders",
            "id": "id",
            "changed": "updated_at",
            "deleted": "gone",
            "title": "Work order {id}",
            "body": "Found: {found}\nDone: {done}",
            "allow_column": "team",
            "principals_are": "group:",
        }
        url = postgres_url.replace("+psycopg", "")
        return CountingSql(SqlConfig.model_validate({"url": url, "kinds": [orders]}))

    run(
        "CREATE TABLE work_orders (id int PRIMARY KEY, found text, done text, team text,"
        " gone boolean DEFAULT false, updated_at timestamptz DEFAULT now())"
    )
    run(
        "INSERT INTO work_orders (id, found, done, team) VALUES (1, 'bearing noise', 'replaced',"
        " 'plant'), (2, 'oil leak', NULL, 'plant'), (3, 'rust', 'painted', NULL)"
    )
    first = source()
    assert bench.run(first).counts.added == 3
    assert len(first.fetched) == 3
    assert bench.state()["orders/1.md"][1] == ["group:docs:plant"]
    assert "bearing noise" in bench.state()["orders/1.md"][0]
    assert bench.state()["orders/3.md"][1] == []

    run("UPDATE work_orders SET team = 'audit', updated_at = now() WHERE id = 1")
    access = source()
    report = bench.run(access)
    assert (report.counts.access_changed, access.fetched) == (1, ())
    assert bench.state()["orders/1.md"][1] == ["group:docs:audit"]

    run("UPDATE work_orders SET gone = true, updated_at = now() WHERE id = 2")
    run("UPDATE work_orders SET done = 'galvanised', updated_at = now() WHERE id = 3")
    later = source()
    report = bench.run(later)
    assert (report.counts.deleted, report.counts.changed) == (1, 1)
    assert later.fetched == ("orders/3.md",)
    assert set(bench.state()) == {"orders/1.md", "orders/3.md"}
    assert "galvanised" in bench.state()["orders/3.md"][0]
