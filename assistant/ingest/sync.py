"""One sync run of one source, page by page: what a `Mark` closes is committed as one transaction.

The run of a page: 1. list what changed; 2. compare with the catalog; 3. fetch what has a new
version; 4. read it in child processes; 5. chunk; 6. embed what is new; 7. commit documents,
access, tombstones and cursor together, under the lease; 8. searchers follow the change feed.
A killed run goes on from its last page, with the same result as an undisturbed one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast

from sqlalchemy import Connection

from assistant.access.principals import own_group, qualify
from assistant.audit.event import SYSTEM, Event, SyncFinished, SyncStarted
from assistant.audit.log import AuditLog
from assistant.errors import AssistantError, Conflict, SyncError
from assistant.ingest import commit
from assistant.ingest.curate import Curator
from assistant.ingest.forecast import Forecast
from assistant.ingest.heartbeat import Heartbeat
from assistant.ingest.intake import Intake
from assistant.ingest.line import Line
from assistant.ingest.outcome import ENDINGS, Report
from assistant.ingest.page import Page
from assistant.ingest.progress import Counts, Gauge, Progress, Stages
from assistant.ingest.step import step
from assistant.ingest.task import Pass, Task
from assistant.ports import Embedder
from assistant.settings import CurationSettings, SyncSettings
from assistant.store import catalog, jobs, memberships, runs, sources
from assistant.store.database import Database
from assistant.store.group_names import replace_titles
from assistant.store.jobs import Held
from assistant.store.runs import Work
from assistant.store.sources import Lease, Source
from connectors.contract import (
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Mark,
    RetryLater,
)
from connectors.readers import Limits

Started = Callable[[Heartbeat], None]


def _nobody_asks(heart: Heartbeat) -> None:
    del heart


NOTHING_MASKED = CurationSettings()
MAX_RETRIES = 8
MAX_READERS = 2
MIN_GUARDED = 10
"""A source with fewer documents may lose any share of them."""

RETRY_PAGE = 20


class SyncRun:
    """One run; what it is to do is in `Task`."""

    def __init__(
        self,
        source: Source,
        connector: Connector,
        *,
        database: Database,
        embedder: Embedder,
        audit: AuditLog,
        settings: SyncSettings,
        progress: Progress,
        curation: CurationSettings = NOTHING_MASKED,
        task: Task = Task(),  # noqa: B008
    ) -> None:
        self._source = source
        self._connector = connector
        self._database = database
        self._embedder = embedder
        self._audit = audit
        self._settings = settings
        self._progress = progress
        self._task = task
        self._counts = Counts()
        self._gauge = Gauge()
        limits = Limits(file_bytes=settings.max_file_bytes, wall_s=settings.read_timeout_s)
        again = task.full or task.kind == "retry"
        self._curator = Curator(source.name, curation.personal_data)
        self._forecast = Forecast(source, self._curator) if task.kind == "dry_run" else None
        self._intake = Intake(
            source,
            connector,
            database,
            embedder,
            limits,
            progress,
            self._gauge,
            self._curator,
            again=again,
        )
        self._goes_on = False
        self._note = ""

    async def run(self, held: Held | None = None, started: Started = _nobody_asks) -> Report:
        """Bring the catalog to the state of the source, under a lease held or taken here.

        `started` is given the heartbeat, which can end the run. Raises `Conflict` while another
        run holds the lease or once it has taken this one over, `SyncError` when the source can't
        be used or the guard stops the run; what was committed before stays.
        """
        held = self._begin(held)
        state: runs.RunState = "failed"
        error = ""
        heart = Heartbeat(self._database, held, self._settings.lease_s, self._gauge.as_dict)
        step("lease taken")
        try:
            with heart:
                started(heart)
                await self._work(held)
            await asyncio.sleep(0)  # Were the run told to end at this moment, it is told here.
            state = "done"
        except ConnectorError as problem:
            error = str(problem)
            raise SyncError(f"{self._source.name}: {problem}") from problem
        except AssistantError as problem:
            error = str(problem)
            raise
        except (KeyboardInterrupt, asyncio.CancelledError):
            state, error = ENDINGS[heart.reason]
            if heart.reason is None:
                raise
            if heart.reason == "fenced":
                raise Conflict(error) from None
        finally:
            if state == "failed" and not error:
                error = "Something unexpected went wrong; the log of its process says where."
            self._intake.close()
            self._finish(held, state, error)
            await self._connector.aclose()
        step("run finished")
        return self._report(held, state)

    def _report(self, held: Held, state: runs.RunState) -> Report:
        return Report(
            self._source.name,
            self._counts,
            self._gauge.stages.seconds,
            held.run_id,
            state,
            self._gauge.stages.as_dict(),
            self._note,
        )

    def _begin(self, held: Held | None) -> Held:
        """Take the lease, unless a worker has, and go on counting where the run had stopped."""
        with self._database.begin() as conn:
            if held is None:
                waiting = jobs.active_run(conn, self._source.id)
                if waiting is not None and waiting.state == "paused":
                    raise Conflict(
                        f"Run {waiting.id} of {self._source.name} is paused; go on with `assistant "
                        "sync resume`, or give it up with `assistant sync cancel`."
                    )
                lease = sources.acquire_lease(conn, self._source.id, self._settings.lease_s)
                held = Held(lease, runs.start_run(conn, lease, self._task.kind))
            run = runs.run_of(conn, held.run_id)
            if self._task.kind == "sync" and run.stages:
                self._goes_on = True
                self._counts = Counts(**run.counts)
                self._gauge.stages = Stages.of(run.stages)
            self._audit.append(conn, Event(SYSTEM, SyncStarted(self._source.name, held.run_id)))
        return held

    def _finish(self, held: Held, state: runs.RunState, error: str) -> None:
        with self._database.begin() as conn:
            sources.release_lease(conn, held.lease)
            ours = runs.finish_run(
                conn, held.lease, held.run_id, state, self._done(), error, self._note
            )
            if ours:
                counts = self._counts.as_dict()
                done = SyncFinished(self._source.name, held.run_id, state, counts)
                self._audit.append(conn, Event(SYSTEM, done))

    def _done(self) -> Work:
        return Work(self._counts.as_dict(), self._gauge.stages.as_dict())

    async def _work(self, held: Held) -> None:
        await self._connector.check()
        step("source checked")
        if self._task.kind == "retry":
            await self._retry(held)
            return
        if self._forecast is None:
            await self._groups(held.lease)
        await self._documents(held)

    async def _groups(self, lease: Lease) -> None:
        self._gauge.stage = "groups"
        with self._database.begin() as conn:
            as_of = sources.clock(conn)
        name = self._source.name
        told = {own_group(name, one.id): one async for one in self._connector.groups()}
        groups = {group: {qualify(name, m) for m in one.members} for group, one in told.items()}
        step("groups listed")
        with self._database.begin() as conn:
            sources.check_lease(conn, lease)
            memberships.replace_groups(conn, self._source.id, groups)
            replace_titles(conn, self._source.id, {g: one.title for g, one in told.items()})
            sources.mark_groups(conn, lease, as_of)
        step("groups stored")

    async def _documents(self, held: Held) -> None:
        source = self._source
        cursor, whole, run_no, began_at = source.cursor, source.whole, source.run_no, source.pass_at
        with self._database.begin() as conn:
            now = sources.clock(conn)
        again = self._task.full or self._intake.is_outdated()
        if cursor is None or (again and not self._goes_on):
            cursor, whole, run_no, began_at = None, True, run_no + 1, now
        tries = 0
        while True:
            passing = Pass(held, whole, run_no, cursor, cursor is None, began_at or now)
            try:
                await (self._list if self._forecast is None else self._foresee)(passing)
                if self._forecast is None:
                    await self._intake.settle(held)
                step("all committed")
                self._mark_current(passing)
                return
            except CursorExpired:
                cursor, whole, run_no, began_at = None, True, run_no + 1, now
                self._forecast = self._forecast and Forecast(source, self._curator)
            except RetryLater as wish:
                tries += 1
                if tries > MAX_RETRIES:
                    raise
                cursor = passing.cursor
                await asyncio.sleep(wish.after_s or random.uniform(0, min(60, 2**tries)))  # noqa: S311

    def _mark_current(self, passing: Pass) -> None:
        """Note that the run saw all there was to see, also where only changes were listed."""
        if self._forecast is not None:
            return
        with self._database.begin() as conn:
            sources.check_lease(conn, passing.held.lease)
            sources.mark_synced(conn, passing.held.lease, passing.began_at)

    async def _foresee(self, passing: Pass) -> None:
        """Compare the source's pages with the catalog, and store nothing."""
        forecast = cast("Forecast", self._forecast)
        self._counts = forecast.counts
        async with aclosing(self._pages(passing)) as pages:
            async for page, mark in pages:
                await asyncio.to_thread(self._compare, forecast, passing, page, mark)
                self._gauge.done, self._gauge.total = mark.done, mark.total
                self._progress.committed(self._counts, mark.done, mark.total)
                passing.cursor = mark.cursor

    def _compare(self, forecast: Forecast, passing: Pass, page: Page, mark: Mark) -> None:
        with self._database.reading() as conn:
            forecast.page(conn, page)
            if isinstance(mark, Complete):
                n_unseen, n_live = forecast.sweep(conn, passing.run_no)
                forecast.counts.deleted += n_unseen
                self._note = self._objection(n_unseen, n_live)

    async def _pages(self, passing: Pass) -> AsyncGenerator[tuple[Page, Mark]]:
        """Yield what the source lists up to each mark."""
        page = Page()
        async with aclosing(self._connector.changes(passing.cursor)) as events:  # type: ignore[type-var]
            while True:
                self._gauge.stage = "list"
                with self._gauge.stages.timed("list"):
                    event = await anext(events, None)
                if event is None:
                    return
                self._gauge.stages.add("list", 0, 1)
                if not isinstance(event, Mark):
                    page.events.append(event)
                    continue
                if isinstance(event, Complete) and not passing.whole:
                    raise ConnectorError("The connector ended an incremental run as a full one.")
                step("page listed")
                yield page, event
                page = Page()

    def _line(self, passing: Pass) -> Line:
        async def store(page: Page, mark: Mark) -> None:
            await self._store(passing, page, mark)

        return Line(self._intake.embed, store)

    async def _list(self, passing: Pass) -> None:
        """Take the source's pages in order: one is read while those before are stored."""

        async with self._line(passing) as line, aclosing(self._pages(passing)) as pages:
            waiting: tuple[Page, Mark] | None = None
            async for page, mark in pages:
                if any(not page.ids.isdisjoint(earlier.ids) for earlier in line.pages):
                    await line.empty()
                await asyncio.to_thread(self._intake.compare, page)
                may_wait = not isinstance(mark, Complete) and self._intake.may_wait(page)
                page = waiting[0].joined(page) if waiting is not None else page
                waiting = (page, mark)
                if not (may_wait and page.is_small):
                    await self._intake.fill(page)
                    await line.put(page, mark)
                    waiting = None
            if waiting is not None:
                await line.put(*waiting)

    async def _retry(self, held: Held) -> None:
        """Read quarantined items again as they were listed last, and nothing else."""
        with self._database.begin() as conn:
            failures = runs.list_failures(conn, self._source.id, limit=100_000)
            items = self._task.chosen(failures, sources.clock(conn))
        passing = Pass(held, False, self._source.run_no, self._source.cursor, False, None)

        async with self._line(passing) as line:
            for start in range(0, len(items), RETRY_PAGE):
                page = Page(list(items[start : start + RETRY_PAGE]))
                await asyncio.to_thread(self._intake.compare, page)
                await self._intake.fill(page)
                done = start + len(page.events)
                await line.put(page, Mark(cursor=self._source.cursor, done=done, total=len(items)))

    async def _store(self, passing: Pass, page: Page, mark: Mark) -> None:
        """Commit a page that is embedded."""
        with self._gauge.stages.timed("commit", len(page.events)):
            await asyncio.to_thread(self._commit, passing, page, mark)
        step("page committed")
        if isinstance(mark, Complete) and self._note:
            raise SyncError(self._note)
        self._gauge.done, self._gauge.total = mark.done, mark.total
        self._progress.committed(self._counts, mark.done, mark.total)

    def _commit(self, passing: Pass, page: Page, mark: Mark) -> None:
        lease = passing.held.lease
        with self._database.begin() as conn:
            sources.renew_lease(conn, lease, self._settings.lease_s)
            step("commit begun")
            commit.page(conn, self._source, page, passing.run_no, self._curator)
            step("page written")
            whole = isinstance(mark, Complete)
            if whole:
                page.counts.deleted += self._sweep(conn, passing)
                step("unseen swept")
            self._counts.add(page.counts)
            if passing.began_at is not None and not self._note:
                sources.save_progress(
                    conn,
                    lease,
                    mark.cursor,
                    whole=passing.whole,
                    run_no=passing.run_no,
                    pass_at=None if whole else passing.began_at,
                )
            runs.update_run(conn, lease, passing.held.run_id, self._done())
            step("cursor moved")
        passing.cursor = mark.cursor

    def _sweep(self, conn: Connection, passing: Pass) -> int:
        """Delete what a whole pass did not see, unless that is so much that somebody must say so.

        Then the page before it is kept all the same, but not the cursor: the next run lists the
        page again and comes here again.
        """
        source_id = self._source.id
        self._note = self._objection(*catalog.count_unseen(conn, source_id, passing.run_no))
        sources.mark_synced(conn, passing.held.lease, passing.began_at, swept=not self._note)
        if self._note:
            return 0
        swept = catalog.sweep_unseen(conn, source_id, passing.run_no)
        runs.clear_failures(conn, source_id, [external_id for _, external_id in swept])
        if passing.began_here:
            runs.clear_older_failures(conn, source_id, passing.held.run_id)
        return len(swept)

    def _objection(self, n_unseen: int, n_live: int) -> str:
        """Return what the mass-delete guard says, if anything."""
        limit = self._settings.max_delete_share
        if n_live <= MIN_GUARDED or n_unseen <= limit * n_live or self._task.force:
            return ""
        return (
            f"{self._source.name}: this run would delete {n_unseen} of {n_live} documents, "
            "so it stopped. If the source really lost them, run "
            f"`assistant sync run {self._source.name} --force`."
        )
