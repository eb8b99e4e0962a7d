"""One sync run of one source, page by page: what a `Mark` closes is committed as one transaction.

The run of a page: 1. list what changed; 2. compare with the catalog; 3. fetch what has a new
version; 4. read it in child processes; 5. chunk; 6. embed what is new; 7. commit documents,
access, tombstones and cursor together, under the lease; 8. searchers follow the change feed.
A killed run goes on from its last page, with the same result as an undisturbed one.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.access.principals import own_group, qualify
from assistant.audit.event import SYSTEM, Event, SyncFinished, SyncStarted
from assistant.audit.log import AuditLog
from assistant.errors import AssistantError, DependencyError, SyncError
from assistant.ingest import commit
from assistant.ingest.body import Body, fetch, understand
from assistant.ingest.line import Line
from assistant.ingest.page import Page, Unread
from assistant.ingest.progress import Counts, Progress, Seconds
from assistant.ingest.step import step
from assistant.ports import Embedder
from assistant.settings import SyncSettings
from assistant.store import catalog, memberships, runs, sources
from assistant.store.database import Database
from assistant.store.document import NewChunk
from assistant.store.sources import Lease, Source
from assistant.text.context import embedding_text
from connectors.contract import (
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Item,
    Mark,
    RetryLater,
)
from connectors.readers import Limits, ReadError, Sandbox

T = TypeVar("T")

LEASE_S = 900.0
MAX_RETRIES = 8
MAX_READERS = 2
MAX_QUIET = 1000
MAX_QUIET_S = 5.0
"""How many events with nothing to read, and seconds, may wait for a commit of their own."""
MIN_GUARDED = 10
"""A source with fewer documents may lose any share of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a finished run did."""

    source: str
    counts: Counts
    seconds: Mapping[str, float]


class SyncRun:
    """One run; `full` reads every document again, `force` lifts the mass-delete guard."""

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
        full: bool = False,
        force: bool = False,
    ) -> None:
        self._source = source
        self._connector = connector
        self._database = database
        self._embedder = embedder
        self._audit = audit
        self._settings = settings
        self._progress = progress
        self._full = full
        self._force = force
        self._limits = Limits(file_bytes=settings.max_file_bytes, wall_s=settings.read_timeout_s)
        self._sandbox = Sandbox()
        self._counts = Counts()
        self._seconds = Seconds()

    async def run(self) -> Report:
        """Bring the catalog to the state of the source.

        Raises `Conflict` while another run holds the lease, `SyncError` when the source can't be
        used or the guard stops the run; what was committed before stays.
        """
        with self._database.begin() as conn:
            lease = sources.acquire_lease(conn, self._source.id, LEASE_S)
            run_id = runs.start_run(conn, lease)
            self._audit.append(conn, Event(SYSTEM, SyncStarted(self._source.name, run_id)))
        state: runs.RunState = "failed"
        error = ""
        step("lease taken")
        try:
            await self._connector.check()
            step("source checked")
            await self._groups(lease)
            await self._documents(lease, run_id)
            state = "done"
        except ConnectorError as problem:
            error = str(problem)
            raise SyncError(f"{self._source.name}: {problem}") from problem
        except AssistantError as problem:
            error = str(problem)
            raise
        except (KeyboardInterrupt, asyncio.CancelledError):
            state, error = "stopped", "Interrupted; the next run goes on from here."
            raise
        finally:
            self._sandbox.close()
            self._finish(lease, run_id, state, error)
            await self._connector.aclose()
        step("run finished")
        return Report(self._source.name, self._counts, self._seconds.stages)

    def _finish(self, lease: Lease, run_id: int, state: runs.RunState, error: str) -> None:
        with self._database.begin() as conn:
            counts, seconds = self._counts.as_dict(), self._seconds.stages
            runs.finish_run(conn, run_id, state, counts, seconds, error)
            sources.release_lease(conn, lease)
            done = SyncFinished(self._source.name, run_id, state, counts)
            self._audit.append(conn, Event(SYSTEM, done))

    async def _groups(self, lease: Lease) -> None:
        groups = {
            own_group(self._source.name, group.id): {
                qualify(self._source.name, member) for member in group.members
            }
            async for group in self._connector.groups()
        }
        step("groups listed")
        with self._database.begin() as conn:
            sources.check_lease(conn, lease)
            memberships.replace_groups(conn, self._source.id, groups)
            sources.mark_synced(conn, lease, groups=True)
        step("groups stored")

    async def _documents(self, lease: Lease, run_id: int) -> None:
        cursor, whole, run_no = self._source.cursor, self._source.whole, self._source.run_no
        if cursor is None or self._full:
            cursor, whole, run_no = None, True, run_no + 1
        tries = 0
        while True:
            passing = Pass(lease, run_id, whole, run_no, cursor, cursor is None)
            try:
                await self._list(passing)
                step("all committed")
                self._mark_current(lease)
                return
            except CursorExpired:
                cursor, whole, run_no = None, True, run_no + 1
            except RetryLater as wish:
                tries += 1
                if tries > MAX_RETRIES:
                    raise
                cursor = passing.cursor
                await asyncio.sleep(wish.after_s or random.uniform(0, min(60, 2**tries)))  # noqa: S311

    def _mark_current(self, lease: Lease) -> None:
        """Note that the run saw all there was to see, also where only changes were listed."""
        with self._database.begin() as conn:
            sources.check_lease(conn, lease)
            sources.mark_synced(conn, lease)

    async def _list(self, passing: Pass) -> None:
        """Take the source's pages in order: one is read while those before are stored."""

        async def commit_one(page: Page, mark: Mark) -> None:
            await self._store(passing, page, mark)

        page, waiting = Page(), None
        async with (
            Line(self._embed, commit_one) as line,
            aclosing(self._connector.changes(passing.cursor)) as events,  # type: ignore[type-var]
        ):
            async for event in events:
                if not isinstance(event, Mark):
                    page.events.append(event)
                    continue
                if isinstance(event, Complete) and not passing.whole:
                    raise ConnectorError("The connector ended an incremental run as a full one.")
                step("page listed")
                if any(not page.ids.isdisjoint(earlier.ids) for earlier in line.pages):
                    await line.empty()
                await asyncio.to_thread(self._compare, page)
                waiting = event
                if isinstance(event, Complete) or not self._may_wait(page):
                    await self._fill(page)
                    await line.put(page, event)
                    page, waiting = Page(), None
            if waiting is not None:
                await line.put(page, waiting)

    def _compare(self, page: Page) -> None:
        """Look up what the catalog knows of the page's items."""
        ids = [item.id for item in page.items if item.id not in page.compared]
        with self._database.reading() as conn:
            page.known |= catalog.known_documents(conn, self._source.id, ids)
        page.compared.update(ids)
        step("page compared")

    def _may_wait(self, page: Page) -> bool:
        """Say whether a page with nothing to read may grow by the next: few large commits."""
        quiet = not (self._full or page.gone or page.failed or any(map(page.is_new, page.items)))
        return quiet and len(page.events) < MAX_QUIET and page.age_s < MAX_QUIET_S

    async def _store(self, passing: Pass, page: Page, mark: Mark) -> None:
        """Commit a page that is embedded."""
        await self._timed("commit", asyncio.to_thread(self._commit, passing, page, mark))
        self._counts.add(page.counts)
        self._progress.committed(self._counts, mark.done, mark.total)
        passing.cursor = mark.cursor
        step("page committed")

    async def _fill(self, page: Page) -> None:
        """Find out what the page's new items hold: fetch, read, chunk."""
        wanted = [item for item in page.items if self._full or page.is_new(item)]
        if not wanted:
            return
        with tempfile.TemporaryDirectory(prefix="assistant-sync-") as folder:
            gate = asyncio.Semaphore(MAX_READERS)
            reading = (self._read(item, Path(folder), gate) for item in wanted)
            found = await self._timed("read", asyncio.gather(*reading))
        page.found = {item.id: body for item, body in zip(wanted, found, strict=True)}

    async def _read(self, item: Item, folder: Path, gate: asyncio.Semaphore) -> Body | Unread:
        """Read one item; whatever goes wrong with it never stops the run."""
        async with gate:
            try:
                path = await fetch(self._connector, item, folder, self._limits.file_bytes)
                step("body fetched")
                body = await asyncio.to_thread(understand, path, item, self._sandbox, self._limits)
                path.unlink()
            except ReadError as error:
                outcome: Body | Unread = Unread(error.cause, str(error))
            except (RetryLater, DependencyError):
                raise
            except Exception as error:
                outcome = Unread("unreadable", f"{type(error).__name__}: {error}")
            else:
                outcome = body
        step("body read")
        self._progress.read(item.id, outcome.cause if isinstance(outcome, Unread) else None)
        return outcome

    async def _embed(self, pages: Sequence[Page], before: Sequence[Page]) -> None:
        """Give the pages' bodies chunks with vectors, those of a twin where there is one."""
        made = {
            page.bodies[item_id].content_sha256: page.chunks[item_id]
            for page in before
            for item_id in page.embedded
        }
        await self._timed("embed", asyncio.to_thread(self._embed_now, pages, made))

    def _embed_now(self, pages: Sequence[Page], made: dict[str, list[NewChunk]]) -> None:
        new: dict[str, Body] = {}
        with self._database.begin() as conn:
            for page in pages:
                for item_id, body in page.bodies.items():
                    known = catalog.reuse_by_content(conn, body.content_sha256, self._embedder.name)
                    if known is not None:
                        page.chunks[item_id] = known
                        continue
                    page.embedded.add(item_id)
                    if body.content_sha256 not in made:
                        new[body.content_sha256] = body
        texts = [embedding_text(body.title, c) for body in new.values() for c in body.chunks]
        vectors = iter(self._embedder.embed_documents(texts))
        for sha256, body in new.items():
            made[sha256] = [NewChunk(c, next(vectors), self._embedder.name) for c in body.chunks]
        for page in pages:
            bodies = page.bodies
            for item_id in page.embedded:
                page.chunks[item_id] = made[bodies[item_id].content_sha256]
        step("page embedded")

    def _commit(self, passing: Pass, page: Page, mark: Mark) -> None:
        with self._database.begin() as conn:
            sources.renew_lease(conn, passing.lease, LEASE_S)
            step("commit begun")
            commit.page(conn, self._source, page, passing.run_no)
            step("page written")
            if isinstance(mark, Complete):
                page.counts.deleted += self._sweep(conn, passing.run_no)
                if passing.began_here:
                    runs.clear_older_failures(conn, self._source.id, passing.run_id)
                sources.mark_synced(conn, passing.lease)
                step("unseen swept")
            sources.save_progress(
                conn, passing.lease, mark.cursor, whole=passing.whole, run_no=passing.run_no
            )
            runs.update_run(conn, passing.run_id, self._counts.as_dict(), self._seconds.stages)
            step("cursor moved")

    def _sweep(self, conn: Connection, run_no: int) -> int:
        n_unseen, n_live = catalog.count_unseen(conn, self._source.id, run_no)
        limit = self._settings.max_delete_share
        if n_live > MIN_GUARDED and n_unseen > limit * n_live and not self._force:
            raise SyncError(
                f"{self._source.name}: this run would delete {n_unseen} of {n_live} documents, "
                "so it stopped. If the source really lost them, run "
                f"`assistant sync run {self._source.name} --force`."
            )
        swept = catalog.sweep_unseen(conn, self._source.id, run_no)
        runs.clear_failures(conn, self._source.id, [external_id for _, external_id in swept])
        return len(swept)

    async def _timed(self, stage: str, work: Awaitable[T]) -> T:
        started = time.perf_counter()
        try:
            return await work
        finally:
            self._seconds.add(stage, time.perf_counter() - started)


@dataclass(slots=True)
class Pass:
    """One listing of the source; `cursor` is the newest committed mark.

    `began_here`: this run listed everything itself, rather than going on where one had stopped.
    """

    lease: Lease
    run_id: int
    whole: bool
    run_no: int
    cursor: JsonValue
    began_here: bool
