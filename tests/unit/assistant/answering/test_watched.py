"""A generator under watch ends when its reader does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from assistant.answering import prompt as prompts
from assistant.answering.watched import Watched
from assistant.ports import Prompt, Token

PATIENCE_S = 60.0


class HardOfHearing:
    """Writes without end, and hears only the second time that it is told to stop."""

    name = "hard of hearing"
    is_closed = False

    async def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream."""
        del prompt
        try:
            yield Token("first")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield Token("as asyncio.wait_for does it")
            while True:
                yield Token("more")
        finally:
            self.is_closed = True

    async def check(self) -> None:
        """All is well."""


def test_a_stop_that_is_swallowed_is_said_again() -> None:
    generator = HardOfHearing()
    watched = Watched(generator, lambda: None).generate(prompts.build("?", "en", (), ""))

    async def read_one() -> str:
        async with aclosing(watched) as tokens:  # type: ignore[type-var]
            return (await anext(tokens)).text

    async def in_time() -> str:
        reading = asyncio.create_task(read_one())
        done, _ = await asyncio.wait({reading}, timeout=PATIENCE_S)
        assert done, "it waits for ever"
        return reading.result()

    assert asyncio.run(in_time()) == "first"
    assert generator.is_closed
