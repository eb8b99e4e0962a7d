"""The pulse of a running sync run: keeps its lease, tells how far it is, and hears what to do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Literal

from pydantic import JsonValue

from assistant.errors import AssistantError, Conflict
from assistant.store import jobs, sources
from assistant.store.database import Database
from assistant.store.jobs import Held
from assistant.telemetry import logger

Reason = Literal["pause", "cancel", "requeue", "fenced"]

BEAT_S = 1.0

_log = logger(__name__)


class Heartbeat:
    """A thread beside a run, for the time of a `with` block in the task of the run.

    When the run is to end before its time, `reason` says why and the task is cancelled: it goes
    no further than its next `await`, and what its marks have committed stays.
    """

    def __init__(
        self,
        database: Database,
        held: Held,
        lease_s: float,
        progress: Callable[[], Mapping[str, JsonValue]],
    ) -> None:
        self.reason: Reason | None = None
        self._database = database
        self._held = held
        self._lease_s = lease_s
        self._progress = progress
        self._renewed_at = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        """Begin; there must be a running task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a heartbeat needs a task to watch over")
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Stop beating."""
        self._over.set()
        self._thread.join()

    def end(self, reason: Reason) -> None:
        """Let the run end, for the first reason that is given; may be called from any thread."""
        if self.reason is None and not self._over.is_set():
            self.reason = reason
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _beat(self) -> None:
        pause_s = min(BEAT_S, self._lease_s / 4)
        while not self._over.wait(pause_s):
            try:
                self._once()
            except Conflict:
                self.end("fenced")
                return
            except AssistantError as error:
                # While the database is away nothing is committed either; the lease runs on.
                _log.warning("heartbeat missed", slug=error.slug)

    def _once(self) -> None:
        with self._database.begin() as conn:
            # The source's row before the run's, as a commit locks them, or both wait for ever.
            if time.monotonic() - self._renewed_at >= self._lease_s / 4:
                sources.renew_lease(conn, self._held.lease, self._lease_s)
                self._renewed_at = time.monotonic()
            wish = jobs.beat(conn, self._held, self._progress())
        if wish:
            self.end(wish)
