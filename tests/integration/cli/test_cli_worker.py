"""Workers as processes: `assistant worker`, and the one inside `assistant serve`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.ingest import jobs
from assistant.ingest.task import Task
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.runs import SyncRun
from tests.support.company import Company, signed_in

PATIENCE_S = 120.0
STOP_S = 10.0
"""What a worker promises to whoever stops it: a container is killed after that."""

CODE = """
import asyncio
from pathlib import Path
from pydantic import BaseModel
from connectors.contract import Access, Complete, Item, Mark

class Config(BaseModel, extra="forbid"):
    log: Path
    n: int
    pause_s: float = 0

class Slow:
    Config = Config
    def __init__(self, config):
        self.config = config
    async def check(self):
        pass
    async def changes(self, since):
        for n in range(since or 0, self.config.n):
            yield Item(id=f"n{n}", version="1", uri=f"n{n}", media_type="text/plain",
                       access=Access(allow=frozenset({"user:ana"})))
            yield Mark(cursor=n + 1, done=n + 1, total=self.config.n)
        yield Complete(cursor=None, done=self.config.n)
    async def fetch(self, item):
        with self.config.log.open("a") as log:
            log.write(item.id + "\\n")
        await asyncio.sleep(self.config.pause_s)
        yield f"Note {item.id} says that the canteen opens at noon.".encode()
    async def groups(self):
        for group in ():
            yield group
    async def aclose(self):
        pass
"""


class Site:
    """An environment with the connector `slow`, and a source of it."""

    def __init__(self, environment: dict[str, str], log: Path, database: Database) -> None:
        self.environment, self.log, self.database = environment, log, database

    def source(self, **config: float) -> int:
        """Add the source and queue a run of it; returns the run's id."""
        with self.database.begin() as conn:
            source = sources.put_source(conn, "slow", "slow", {"log": str(self.log), **config})
        return jobs.start(self.database, AuditLog(self.database, self.log.parent), source, Task())

    def run(self, run_id: int) -> SyncRun:
        with self.database.begin() as conn:
            return runs.run_of(conn, run_id)

    def fetched(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def documents(self) -> int:
        with self.database.begin() as conn:
            return int(conn.execute(sa.text("SELECT count(*) FROM documents")).scalar_one())

    @contextmanager
    def process(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command; killed at the end if it still lives."""
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli.main", *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def site(tmp_path: Path, postgres_url: str, database: Database, model_data_dir: Path) -> Site:
    site, data = tmp_path / "site", tmp_path / "data"
    info = site / "slow-1.0.dist-info"
    info.mkdir(parents=True)
    data.mkdir()
    (data / "models").symlink_to(model_data_dir / "models")
    (site / "slow.py").write_text(CODE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[assistant.connectors]\nslow = slow:Slow\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "PYTHONUNBUFFERED": "1",
        "ASSISTANT_DATABASE__URL": postgres_url,
        "ASSISTANT_DATA_DIR": str(data),
    }
    return Site(environment, tmp_path / "fetched", database)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_worker_does_what_waits_and_a_stopped_one_gives_it_back(site: Site) -> None:
    n = 60
    run_id = site.source(n=n, pause_s=0.5)
    with site.process("worker") as first:
        until(lambda: len(site.fetched()) >= 3)
        first.send_signal(signal.SIGTERM)
        assert first.wait(STOP_S) == 0
    given_back = site.run(run_id)
    assert (given_back.state, given_back.n_lost) == ("queued", 0)
    assert site.documents() < n
    with site.process("worker") as second:
        until(lambda: site.run(run_id).state == "done")
        second.send_signal(signal.SIGTERM)
        assert second.wait(STOP_S) == 0
    assert site.documents() == n
    assert site.run(run_id).n_lost == 0


def test_a_body_that_never_comes_does_not_hold_a_worker_back(site: Site) -> None:
    run_id = site.source(n=1, pause_s=3600)
    with site.process("worker") as first:
        until(lambda: len(site.fetched()) == 1)
        first.send_signal(signal.SIGTERM)
        assert first.wait(STOP_S) == 0
    assert site.run(run_id).state == "queued"


def test_the_server_does_what_is_asked_over_the_api(site: Site) -> None:
    company = Company(site.database)
    company.person("ines", roles=["integrator"])
    with site.database.begin() as conn:
        sources.put_source(conn, "slow", "slow", {"log": str(site.log), "n": 3})
    with site.process("serve", "--only", "api", "--port", "0") as server:
        assert server.stdout is not None
        address = next(
            found[1] for line in server.stdout if (found := re.match(r"API +(http\S+)", line))
        )
        with signed_in(address, site.database, "ines") as ines:
            run_id = ines.post("/v1/connectors/slow/runs", json={}).json()["id"]
            until(lambda: ines.get(f"/v1/sync-runs/{run_id}").json()["state"] == "done")
            shown = ines.get(f"/v1/sync-runs/{run_id}").json()
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_S) == 0
    assert (shown["counts"]["added"], shown["curation"]["documents"]) == (3, 3)
