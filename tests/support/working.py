"""A worker in a process of its own: `python -m tests.support.working URL DATA FOLDER LEASE_S`.

Its source lists the files of a folder, three to a page. The body of `x` waits while there is a
file `hold/x`; every body that was asked for is a line of `fetched`.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, JsonValue

from assistant.audit.log import AuditLog
from assistant.ingest.jobs import Worker
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.ingest.task import Task
from assistant.settings import DatabaseSettings, Settings, SyncSettings
from assistant.store.database import Database, open_database
from assistant.store.sources import Source
from connectors.contract import Access, Complete, Failed, Gone, Group, Item, Mark
from tests.support.hashing import HashingEmbedder


class Held:
    """The files of a folder, whose bodies can be held back."""

    Config: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def check(self) -> None:
        """Nothing to check."""

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List the files by name."""
        after = since if isinstance(since, str) else ""
        files = sorted(p for p in self.folder.glob("*.txt") if p.name > after)
        for n, path in enumerate(files, 1):
            text = path.read_text()
            access = Access(allow=frozenset({"user:ana"}))
            yield Item(id=path.name, version=text, uri=path.name, access=access)
            if n % 3 == 0:
                yield Mark(cursor=path.name, done=n)
        yield Complete(cursor=None, done=len(files))

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Wait until nothing holds the body back."""
        while (self.folder / "hold" / item.id).exists():
            await asyncio.sleep(0.01)
        with (self.folder / "fetched").open("a") as log:
            log.write(item.id + "\n")
        if (self.folder / "broken" / item.id).exists():
            raise OSError(5, "Input/output error")
        yield f"{item.id} says {item.version}.".encode()

    async def groups(self) -> AsyncIterator[Group]:
        """There are none."""
        nobody: tuple[Group, ...] = ()
        for group in nobody:
            yield group

    async def aclose(self) -> None:
        """Nothing to release."""


def worker(database: Database, data: Path, folder: Path, lease_s: float = 60) -> Worker:
    """Return a worker whose every source is that folder."""
    audit = AuditLog(database, data)
    settings = SyncSettings.model_validate({"lease_s": lease_s})

    def make(source: Source, task: Task) -> SyncRun:
        return SyncRun(
            source,
            Held(folder),
            database=database,
            embedder=HashingEmbedder(),
            audit=audit,
            settings=settings,
            progress=Silent(),
            task=task,
        )

    return Worker(database, audit, settings, make)


@contextmanager
def working(database: Database, data: Path, folder: Path) -> Iterator[Worker]:
    """Run a worker in a thread of this process."""
    made = worker(database, data, folder)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(30)


@contextmanager
def apart(url: str, data: Path, folder: Path, lease_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker in a process of its own; killed at the end if it still lives."""
    command = [sys.executable, "-m", "tests.support.working", url, str(data), str(folder)]
    process = subprocess.Popen(
        [*command, str(lease_s)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Work until SIGTERM."""
    url, data, folder, lease_s = sys.argv[1:]
    settings = Settings(data_dir=Path(data), database=DatabaseSettings.model_validate({"url": url}))
    database = open_database(settings)
    made = worker(database, Path(data), Path(folder), float(lease_s))
    signal.signal(signal.SIGTERM, lambda *_: made.stop())
    made.run()
    database.close()


if __name__ == "__main__":
    main()
