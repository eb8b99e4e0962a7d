"""The line of pages on their way into the catalog: embedded together, committed one by one.

While one page is committed, those behind it are embedded, and the next is read. What waits to be
embedded goes into one call, whose batches are the fuller for it. A page is committed after the
one before it or never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from assistant.ingest.page import Page
from connectors.contract import Mark

MAX_PAGES = 8
MAX_PASSAGES = 256
"""In one call of the embedder, and in the line before another page must wait: seconds of work."""


@dataclass(slots=True, eq=False)
class _Place:
    page: Page
    mark: Mark
    n_passages: int
    embedded: bool = False
    task: asyncio.Task[None] | None = None


class Line:
    """Takes pages in order; leaving it waits until all are committed, or says what failed.

    `embed` is called with some pages and those before them that are not committed yet.
    """

    def __init__(
        self,
        embed: Callable[[Sequence[Page], Sequence[Page]], Awaitable[None]],
        commit: Callable[[Page, Mark], Awaitable[None]],
    ) -> None:
        self._embed = embed
        self._commit = commit
        self._places: list[_Place] = []
        self._embedding = asyncio.Lock()

    async def __aenter__(self) -> Line:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._stop()
        await self.empty()

    @property
    def pages(self) -> list[Page]:
        """Return the pages that are not committed yet, in order."""
        return [place.page for place in self._places]

    async def put(self, page: Page, mark: Mark) -> None:
        """Add a page, once there is room; raises what failed before it."""
        while self._places and (self._is_full() or self._has_failed()):
            await _settled(self._places[0].task)
        before = self._places[-1].task if self._places else None
        n_passages = sum(len(body.chunks) for body in page.bodies.values())
        place = _Place(page, mark, n_passages)
        self._places.append(place)
        place.task = asyncio.create_task(self._carry(place, before))

    async def empty(self) -> None:
        """Wait until every page is committed; raises the first failure, after which none was."""
        tasks = [place.task for place in self._places if place.task is not None]
        if not tasks:
            return
        await asyncio.wait(tasks)
        self._places.clear()
        failures = [task.exception() for task in tasks if not task.cancelled()]
        for failure in failures:
            if failure is not None:
                raise failure

    def _is_full(self) -> bool:
        waiting = sum(place.n_passages for place in self._places)
        return len(self._places) >= MAX_PAGES or waiting >= MAX_PASSAGES

    def _has_failed(self) -> bool:
        """What was committed has left the line, so a first task that is done has failed."""
        first = self._places[0].task
        return first is not None and first.done()

    def _stop(self) -> None:
        """Give up the pages that nothing was done for yet."""
        for place in self._places:
            if not place.embedded and place is not self._places[0] and place.task is not None:
                place.task.cancel()

    async def _carry(self, place: _Place, before: asyncio.Task[None] | None) -> None:
        async with self._embedding:
            if before is not None and before.done():
                before.result()
            if not place.embedded:
                await self._embed_from(place)
        await _settled(before)
        await self._commit(place.page, place.mark)
        self._places.remove(place)

    async def _embed_from(self, first: _Place) -> None:
        """Embed a page with those that wait behind it, as many as fit into one call."""
        together: list[_Place] = []
        n_passages = 0
        at = self._places.index(first)
        for place in self._places[at:]:
            n_passages += place.n_passages
            if together and n_passages > MAX_PASSAGES:
                break
            together.append(place)
        await self._embed([place.page for place in together], self.pages[:at])
        for place in together:
            place.embedded = True


async def _settled(task: asyncio.Task[None] | None) -> None:
    """Wait for a task without cancelling it when the waiting is; raises what it raised."""
    if task is not None:
        await asyncio.wait([task])
        task.result()
