"""An environment with a slow connector, in which commands run as processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.ingest import jobs
from assistant.ingest.task import Task
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.runs import SyncRun

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

    @property
    def data(self) -> Path:
        """Return the data folder of the commands."""
        return Path(self.environment["ASSISTANT_DATA_DIR"])

    def source(self, **config: float) -> int:
        """Add the source and queue a run of it; returns the run's id."""
        with self.database.begin() as conn:
            source = sources.put_source(conn, "slow", "slow", {"log": str(self.log), **config})
        return jobs.start(self.database, AuditLog(self.database, self.log.parent), source, Task())

    def run(self, run_id: int) -> SyncRun:
        """Return a run as it is now."""
        with self.database.begin() as conn:
            return runs.run_of(conn, run_id)

    def fetched(self) -> list[str]:
        """Return the items whose body was asked for."""
        return self.log.read_text().split() if self.log.exists() else []

    def documents(self) -> int:
        """Count the documents in the catalog."""
        with self.database.begin() as conn:
            return int(conn.execute(sa.text("SELECT count(*) FROM documents")).scalar_one())

    @contextmanager
    def process(self, *command: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command, with more variables; killed at the end if it still lives."""
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli.main", *command],
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def site_in(tmp_path: Path, database: Database, model_data_dir: Path) -> Site:
    """Make the environment in a folder, with the connector `slow` installed, and the models."""
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
        "ASSISTANT_DATABASE__URL": database.engine.url.render_as_string(False),
        "ASSISTANT_DATA_DIR": str(data),
    }
    return Site(environment, tmp_path / "fetched", database)


def address_of(server: subprocess.Popen[str]) -> str:
    """Wait for `assistant serve`; returns the address of its API."""
    assert server.stdout is not None
    return next(found[1] for line in server.stdout if (found := re.match(r"API +(http\S+)", line)))


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
