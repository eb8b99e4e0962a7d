"""A generator under watch: whoever it writes for may be locked out while it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress

from assistant.ports import Generator, Prompt, Token

EVERY_S = 0.4
_AHEAD = 16
_PATIENCE_S = 1.0

_NOTHING = Token("")


class Watched:
    """Writes what another generator writes, until `welcome` raises.

    It is called several times a second, also while the other generator says nothing, which is
    never more than a few tokens ahead.
    """

    def __init__(self, generator: Generator, welcome: Callable[[], None]) -> None:
        self.name = generator.name
        self._generator = generator
        self._welcome = welcome

    async def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream the tokens; raises what the generator and `welcome` raise."""
        arrived: asyncio.Queue[Token | None] = asyncio.Queue()
        room = asyncio.Semaphore(_AHEAD)
        # In a task of its own from its first step to its last, as its deadlines need it.
        writing = asyncio.create_task(self._write(prompt, arrived, room))
        clock = asyncio.get_running_loop().time
        due = clock() + EVERY_S
        try:
            while True:
                token: Token | None = _NOTHING
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        token = await arrived.get()
                if token is None:
                    break
                if token is not _NOTHING:
                    room.release()
                if clock() >= due:
                    await asyncio.to_thread(self._welcome)
                    due = clock() + EVERY_S
                if token is not _NOTHING:
                    yield token
            await writing
        finally:
            await _ended(writing)

    async def check(self) -> None:
        """Raise `ModelUnavailable` where the generator does."""
        await self._generator.check()

    async def _write(
        self, prompt: Prompt, arrived: asyncio.Queue[Token | None], room: asyncio.Semaphore
    ) -> None:
        try:
            async with aclosing(self._generator.generate(prompt)) as tokens:  # type: ignore[type-var]
                async for token in tokens:
                    await room.acquire()
                    arrived.put_nowait(token)
        finally:
            arrived.put_nowait(None)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended.

    Once is not always enough: up to Python 3.11 `asyncio.wait_for`, which clients of models use,
    swallows the cancellation if what it waits for comes at the same moment.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_PATIENCE_S)
    if not task.cancelled():
        task.exception()
