"""A generator under watch ends when its reader does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from assistant.answering import prompt as prompts
from assistant.answering.watched import Watched
from assistant.ports import Prompt, Token


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
        async with asyncio.timeout(60), aclosing(watched) as tokens:  # type: ignore[type-var]
            return (await anext(tokens)).text

    assert asyncio.run(read_one()) == "first"
    assert generator.is_closed
