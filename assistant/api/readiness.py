"""Whether the assistant can answer now: each thing it needs, checked for real."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from assistant.errors import AssistantError, AuditUnavailable
from assistant.store import ledger
from assistant.wiring import Assistant


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one thing works, and what to do if it doesn't."""

    ok: bool
    detail: str = ""


class Readiness:
    """The checks of one assistant, asked at most once every `fresh_s` seconds."""

    def __init__(
        self,
        assistant: Assistant,
        fresh_s: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assistant = assistant
        self._fresh_s = fresh_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._checked_at = -fresh_s
        self._checks: dict[str, Check] = {}

    async def checks(self) -> dict[str, Check]:
        """Return the checks by name: database, index, audit, generator."""
        async with self._lock:
            if not self._checks or self._clock() - self._checked_at >= self._fresh_s:
                self._checks = {
                    "database": await _in_thread(self._database),
                    "index": await _in_thread(self._index),
                    "audit": await _in_thread(self._audit),
                    "generator": await self._generator(),
                }
                self._checked_at = self._clock()
            return self._checks

    def _database(self) -> str:
        self._assistant.database.check()
        return ""

    def _index(self) -> str:
        with self._assistant.database.begin() as conn:
            generation = self._assistant.retriever.refresh(conn)
        retriever = self._assistant.retriever
        found = f"{retriever.n_chunks} passages, generation {generation}"
        return f"{found}; {retriever.trouble}" if retriever.trouble else found

    def _audit(self) -> str:
        with self._assistant.database.begin() as conn:
            frontier = ledger.frontier(conn, lock=True)
        if frontier is None:
            raise AuditUnavailable("The audit log was damaged; run `assistant audit verify`.")
        return f"{frontier.size} events"

    async def _generator(self) -> Check:
        try:
            await self._assistant.generator.check()
        except AssistantError as error:
            return Check(False, str(error))
        return Check(True, self._assistant.generator.name)


async def _in_thread(check: Callable[[], str]) -> Check:
    try:
        return Check(True, await asyncio.to_thread(check))
    except AssistantError as error:
        return Check(False, str(error))
