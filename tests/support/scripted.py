"""Generators that do what a test says: a second real implementation of the port."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

from assistant.errors import ModelUnavailable
from assistant.ports import Prompt, Token

Script = Callable[[Prompt], list[str]]


def quoting(prompt: Prompt) -> list[str]:
    """Quote every passage of the prompt, word for word, on a line of its own."""
    return [f"{passage.text} [{passage.n}]\n" for passage in prompt.passages]


class ScriptedGenerator:
    """Writes the pieces of a script; remembers the prompts it saw and how its streams ended.

    `hold(n)` makes every stream wait before its piece `n` until `release`; `fails` is raised
    after the last piece; `broken` is what `check` says.
    """

    name = "scripted"

    def __init__(self, script: Script = quoting) -> None:
        self.script = script
        self.prompts: list[Prompt] = []
        self.n_closed = 0
        self.n_completed = 0
        self.fails: Exception | None = None
        self.broken = ""
        self._held_at: int | None = None
        self._released = threading.Event()

    def hold(self, piece: int) -> None:
        """Make streams wait before this piece."""
        self._held_at = piece
        self._released.clear()

    def release(self) -> None:
        """Let waiting streams go on."""
        self._held_at = None
        self._released.set()

    async def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream the script's pieces."""
        self.prompts.append(prompt)
        try:
            for number, piece in enumerate(self.script(prompt)):
                while self._held_at == number and not self._released.is_set():
                    await asyncio.sleep(0.005)
                yield Token(piece)
            if self.fails is not None:
                raise self.fails
            yield Token("", n_prompt_tokens=100, n_completion_tokens=20)
            self.n_completed += 1
        finally:
            self.n_closed += 1

    async def check(self) -> None:
        """Raise `ModelUnavailable` if a test says so."""
        if self.broken:
            raise ModelUnavailable(self.broken)
