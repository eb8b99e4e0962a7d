"""The line of pages: in order, together, bounded, and nothing after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from assistant.domain import Chunk
from assistant.ingest.body import Body
from assistant.ingest.curate import Curator
from assistant.ingest.line import MAX_PAGES, MAX_PASSAGES, Line
from assistant.ingest.page import Page
from connectors.contract import Item, Mark
from connectors.readers.model import Block, Reading


class Stored:
    """What was embedded and committed; an embedding waits for `go`."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.before: list[list[str]] = []
        self.committed: list[str] = []
        self.go = asyncio.Event()
        self.fails_at: str | None = None

    async def embed(self, pages: Sequence[Page], before: Sequence[Page]) -> None:
        self.calls.append([name(page) for page in pages])
        self.before.append([name(page) for page in before])
        await self.go.wait()

    async def commit(self, page: Page, mark: Mark) -> None:
        await asyncio.sleep(0)
        if name(page) == self.fails_at:
            raise ValueError(name(page))
        assert mark.cursor == name(page)
        self.committed.append(name(page))

    def line(self) -> Line:
        return Line(self.embed, self.commit)


def page(key: str, n_passages: int = 1) -> Page:
    text = Chunk(text=key, heading=(), kind="prose", lang="en", page=None, boxes=(), start=0, end=1)
    reading = Reading("text/plain", key, (Block("paragraph", key),))
    curated = Curator("notes", {}).curate(Item(id=key, version="1", uri=key), reading, key, "en")
    body = Body(key, "en", "text/plain", (text,) * n_passages, key, (), None, curated)
    return Page(found={key: body})


def name(page: Page) -> str:
    return next(iter(page.bodies))


def mark(key: str) -> Mark:
    return Mark(cursor=key, done=0, total=None)


async def put(line: Line, *keys: str, n_passages: int = 1) -> None:
    for key in keys:
        await line.put(page(key, n_passages), mark(key))
        await asyncio.sleep(0)


def test_what_waits_is_embedded_together_and_committed_in_order() -> None:
    async def run() -> Stored:
        stored = Stored()
        async with stored.line() as line:
            await put(line, "a", "b", "c")
            stored.go.set()
        return stored

    stored = asyncio.run(run())
    assert stored.calls == [["a"], ["b", "c"]]
    assert stored.before[0] == []
    assert stored.committed == ["a", "b", "c"]


def test_a_call_holds_only_so_many_passages() -> None:
    async def run() -> Stored:
        stored = Stored()
        async with stored.line() as line:
            await put(line, "a")
            await put(line, "b", "c", n_passages=MAX_PASSAGES // 2)
            stored.go.set()
            await put(line, "d", n_passages=2 * MAX_PASSAGES)
        return stored

    stored = asyncio.run(run())
    assert stored.calls[:2] == [["a"], ["b", "c"]]
    assert stored.committed == ["a", "b", "c", "d"]


@pytest.mark.parametrize("n_passages", [0, MAX_PASSAGES])
def test_a_full_line_lets_nobody_in(n_passages: int) -> None:
    async def run() -> tuple[int, Stored]:
        stored = Stored()
        async with stored.line() as line:
            keys = [f"{n:02}" for n in range(20)]
            putting = asyncio.create_task(put(line, *keys, n_passages=n_passages))
            for _ in range(100):
                await asyncio.sleep(0)
            held = len(line.pages)
            stored.go.set()
            await putting
        return held, stored

    held, stored = asyncio.run(run())
    assert held == (1 if n_passages else MAX_PAGES)
    assert stored.committed == [f"{n:02}" for n in range(20)]


def test_nothing_is_committed_after_a_failure() -> None:
    async def run(stored: Stored) -> None:
        stored.fails_at = "b"
        stored.go.set()
        async with stored.line() as line:
            await put(line, *"abcdefghijklmnop")

    async def caught() -> list[str]:
        stored = Stored()
        with pytest.raises(ValueError, match="b"):
            await run(stored)
        return stored.committed

    assert asyncio.run(caught()) == ["a"]


def test_an_error_of_the_source_still_stores_what_was_listed_before() -> None:
    stored: list[str] = []

    async def run() -> None:
        bench = Stored()
        bench.committed = stored
        bench.go.set()
        async with bench.line() as line:
            await put(line, "a", "b")
            raise RuntimeError("busy")

    with pytest.raises(RuntimeError, match="busy"):
        asyncio.run(run())
    assert stored == ["a", "b"]


def test_an_interruption_gives_up_what_was_not_begun() -> None:
    async def run() -> list[str]:
        stored = Stored()

        async def listing() -> None:
            async with stored.line() as line:
                await put(line, "a", "b", "c")
                await asyncio.sleep(60)

        task = asyncio.create_task(listing())
        while not stored.calls:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        stored.go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return stored.committed

    assert asyncio.run(run()) == ["a"]
