"""A process that starts sync runs which die, or stand still, at a step that a test chooses.

It has everything imported and forks for each run, so that a run costs no start of an interpreter.
`python -m tests.support.dying` reads an `Order` a line and answers each with a process id; the
runs write the steps they come to into `steps` of their folder. After `{"wait": id}` it answers
with how that run ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.errors import AssistantError
from assistant.ingest.progress import Silent
from assistant.ingest.step import Step, watched
from assistant.ingest.sync import SyncRun
from assistant.ingest.task import Task
from assistant.settings import DatabaseSettings, Settings, SyncSettings
from assistant.store import sources
from assistant.store.database import open_database
from connectors.registry import connector_class
from tests.support.hashing import HashingEmbedder

REFUSED = 3
"""The exit code of a run that raised one of our own errors, which its folder's `error` says."""


@dataclass(frozen=True, slots=True)
class Order:
    """A run of the source `docs`: killed at its `dies_at`-th step, stopped at `stops_at`.

    `idle_s` is when the server puts out a session of it that stands still in a transaction.
    """

    url: str
    folder: str
    connector: str
    config: dict[str, Any]
    dies_at: int = 0
    stops_at: str = ""
    lease_s: float = 900.0
    idle_s: float = 45.0
    clock_off_s: float = 0.0
    full: bool = False


class Nursery:
    """The process, from the side of a test."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )

    def start(self, order: Order) -> int:
        """Start a run; returns its process id."""
        return self._ask(asdict(order))

    def wait(self, pid: int) -> int:
        """Return the exit code of a run, minus the signal that ended it."""
        return self._ask({"wait": pid})

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, question: dict[str, Any]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Run the process."""
    process = Nursery()
    try:
        yield process
    finally:
        process.close()


def steps(folder: Path) -> list[str]:
    """Return the steps that the runs of a folder came to."""
    path = folder / "steps"
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    """Serve orders until there are no more; a run that nobody waited for is killed."""
    running: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
            running.discard(asked["wait"])
        else:
            answer = os.fork()
            if answer == 0:
                os._exit(_run(Order(**asked)))
            running.add(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _run(order: Order) -> int:
    folder = Path(order.folder)
    # What a run logs must not come between the answers.
    os.dup2(os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    now = time.time
    time.time = lambda: now() + order.clock_off_s
    settings = Settings(
        data_dir=folder,
        database=DatabaseSettings.model_validate({"url": order.url}),
        sync=SyncSettings.model_validate({"lease_s": order.lease_s}),
    )
    opened = open_database(settings)

    @sa.event.listens_for(opened.engine, "connect")
    def _be_patient(connection: Any, _: object) -> None:
        milliseconds = int(order.idle_s * 1000)
        connection.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}")
        connection.commit()

    with opened.begin() as conn:
        source = sources.source_named(conn, "docs")
    cls = connector_class(order.connector)
    run = SyncRun(
        source,
        cls(cls.Config.model_validate(order.config)),
        database=opened,
        embedder=HashingEmbedder(),
        audit=AuditLog(opened, folder),
        settings=settings.sync,
        progress=Silent(),
        task=Task(full=order.full),
    )
    try:
        with watched(_Fate(order, folder).meet):
            asyncio.run(run.run())
    except AssistantError as error:
        (folder / "error").write_text(str(error))
        return REFUSED
    finally:
        opened.close()
    return 0


class _Fate:
    """What becomes of a run at its steps."""

    def __init__(self, order: Order, folder: Path) -> None:
        self._order = order
        self._n_steps = 0
        self._lock = threading.Lock()
        self._stopped = False
        self._log = os.open(folder / "steps", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def meet(self, step: Step) -> None:
        # Steps are taken in several threads: without the lock two of them could pass the count.
        with self._lock:
            self._n_steps += 1
            os.write(self._log, f"{step}\n".encode())
            if self._n_steps == self._order.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
        if step == self._order.stops_at and not self._stopped:
            self._stopped = True
            os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    main()
