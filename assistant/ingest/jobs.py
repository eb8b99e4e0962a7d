"""The worker: takes sync runs that wait, does them, and queues what is due; any number may run.

Everything that matters is in the database, so that a worker may end at any moment: its runs are
taken up by another one from their last marks.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from assistant.audit.event import SYSTEM, Actor, Event, SyncOrdered
from assistant.audit.log import AuditLog
from assistant.errors import AssistantError, Conflict
from assistant.ingest.heartbeat import Heartbeat
from assistant.ingest.schedule import Schedule
from assistant.ingest.sync import SyncRun
from assistant.ingest.task import Task
from assistant.settings import SyncSettings
from assistant.store import jobs, runs, sources
from assistant.store.database import Database
from assistant.store.jobs import Held
from assistant.store.runs import Wish, Work
from assistant.store.sources import Source
from assistant.telemetry import logger

POLL_S = 1.0
STOP_S = 7.0
"""How long the runs of a worker that stops have to come to a mark; then they are given back."""

_log = logger(__name__)

Make = Callable[[Source, Task], SyncRun]
"""Returns a run, ready to start; raises `AssistantError` if the source can't be used."""


class Worker:
    """Does the runs that wait, several sources at once, until it is told to stop."""

    def __init__(
        self, database: Database, audit: AuditLog, settings: SyncSettings, make: Make
    ) -> None:
        self._database = database
        self._audit = audit
        self._settings = settings
        self._make = make
        self._wake = threading.Event()
        self._is_stopping = False
        self._lock = threading.Lock()
        self._hearts: dict[int, Heartbeat] = {}
        self._threads: dict[Held, threading.Thread] = {}

    def stop(self) -> None:
        """Take no more runs, and let those under way end at their next mark; returns at once."""
        with self._lock:
            self._is_stopping = True
            for heart in self._hearts.values():
                heart.end("requeue")
        self._wake.set()

    def run(self) -> bool:
        """Work until `stop`; returns whether every run came to its end within `STOP_S`.

        A run that did not is given back, and goes on from its last mark in whoever takes it.
        """
        while not self._is_stopping:
            try:
                queue_due(self._database, self._audit)
                self._take()
            except Conflict:
                pass  # Another worker was faster.
            except AssistantError as error:
                _log.warning("worker waits", slug=error.slug, error=str(error))
            self._wake.wait(POLL_S)
            self._wake.clear()
        until = time.monotonic() + STOP_S
        for thread in list(self._threads.values()):
            thread.join(max(0.0, until - time.monotonic()))
        late = [held for held, thread in list(self._threads.items()) if thread.is_alive()]
        for held in late:
            self._give_back(held)
        return not late

    def _give_back(self, held: Held) -> None:
        try:
            with self._database.begin() as conn:
                jobs.give_back(conn, held)
        except AssistantError as error:
            _log.warning("run not given back", run_id=held.run_id, slug=error.slug)

    def _take(self) -> None:
        while len(self._threads) < self._settings.parallel_runs and not self._is_stopping:
            with self._database.begin() as conn:
                held = jobs.claim(conn, self._settings.lease_s)
            if held is None:
                return
            name = f"sync run {held.run_id}"
            thread = threading.Thread(target=self._do, args=[held], name=name, daemon=True)
            self._threads[held] = thread
            thread.start()

    def _do(self, held: Held) -> None:
        try:
            run = self._made(held)
            if run is None:
                return
            report = asyncio.run(run.run(held, lambda heart: self._started(held, heart)))
            counts = report.counts.as_dict()
            _log.info("sync.done", source=report.source, state=report.state, **counts)
        except AssistantError as error:
            _log.error("sync.failed", run_id=held.run_id, error=str(error))
        finally:
            with self._lock:
                self._hearts.pop(held.run_id, None)
            self._threads.pop(held, None)
            self._wake.set()

    def _made(self, held: Held) -> SyncRun | None:
        """Return the run that was taken, or None where its source can't be used."""
        with self._database.begin() as conn:
            row = runs.run_of(conn, held.run_id)
            source = sources.source_of(conn, row.source_id)
        try:
            return self._make(source, Task.of(row))
        except AssistantError as error:
            _log.error("sync.failed", source=source.name, error=str(error))
            with self._database.begin() as conn:
                work = Work(row.counts, row.stages)
                sources.release_lease(conn, held.lease)
                runs.finish_run(conn, held.lease, held.run_id, "failed", work, str(error))
            return None

    def _started(self, held: Held, heart: Heartbeat) -> None:
        with self._lock:
            self._hearts[held.run_id] = heart
            if self._is_stopping:
                heart.end("requeue")


def start(
    database: Database, audit: AuditLog, source: Source, task: Task, actor: Actor = SYSTEM
) -> int:
    """Queue a run for any worker; returns its id. Raises `Conflict` while there is another."""
    with database.begin() as conn:
        run_id = jobs.enqueue(conn, source.id, task.kind, task.options, actor.person_id)
        ordered = SyncOrdered(source.name, run_id, "start" if task.kind == "sync" else task.kind)
        audit.append(conn, Event(actor, ordered))
    return run_id


def steer(
    database: Database, audit: AuditLog, run_id: int, wish: Wish, actor: Actor = SYSTEM
) -> runs.SyncRun:
    """Pause or cancel a run, or resume it with an empty wish; returns it as it is now.

    Raises `NotFound`, and `Conflict` for a run in a state that has nothing to do with it.
    """
    with database.begin() as conn:
        run = jobs.order(conn, run_id, wish) if wish else jobs.resume(conn, run_id)
        name = sources.source_of(conn, run.source_id).name
        audit.append(conn, Event(actor, SyncOrdered(name, run_id, wish or "resume")))
    return run


def queue_due(database: Database, audit: AuditLog) -> None:
    """Queue the runs whose time has come, the retries too, and those whose worker has died.

    Safe with any number of callers: a source's row is locked while its next time is set.
    """
    with database.begin() as conn:
        for lost in jobs.requeue_lost(conn):
            _log.warning("sync.lost", run_id=lost.run_id, again=lost.again)
    with database.begin() as conn:
        now = sources.clock(conn)
        for source_id, name, given in jobs.due_schedules(conn):
            if jobs.active_run(conn, source_id) is None:
                run_id = jobs.enqueue(conn, source_id)
                audit.append(conn, Event(SYSTEM, SyncOrdered(name, run_id, "schedule")))
            upcoming = Schedule.model_validate(given).next(now)
            jobs.set_schedule(conn, source_id, given, upcoming)
    with database.begin() as conn:
        for source_id, name in jobs.due_retries(conn):
            if jobs.active_run(conn, source_id) is None:
                run_id = jobs.enqueue(conn, source_id, "retry", {"due": True})
                audit.append(conn, Event(SYSTEM, SyncOrdered(name, run_id, "retry")))
