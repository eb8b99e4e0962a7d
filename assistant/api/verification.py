"""The whole log hashed again while somebody watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from assistant.audit.log import AuditLog
from assistant.errors import AssistantError

_LOOK_S = 0.3


class NobodyWatches(AssistantError):
    """The client left, so the verification was broken off; ask for it again."""

    slug = "verification-left"
    status = 499


class Walk:
    """How far a verification is; it ends early once nobody watches."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._n, self._of = 0, 0
        self._is_watched = True

    async def told(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield `progress` as it gets on, and last `done` with what was found."""
        walking = asyncio.create_task(asyncio.to_thread(self._log.verify, self._step))
        try:
            shown = -1
            while not walking.done():
                await asyncio.wait({walking}, timeout=_LOOK_S)
                if self._n != shown:
                    shown = self._n
                    yield "progress", {"n_events": shown, "of": self._of}
            yield "done", asdict(walking.result())
        finally:
            self._is_watched = False
            with suppress(AssistantError):
                await walking

    def _step(self, n: int, of: int) -> None:
        if not self._is_watched:
            raise NobodyWatches()
        self._n, self._of = n, of
