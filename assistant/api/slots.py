"""How many answers this process gives at once.

One more than that is refused at once instead of waiting: whoever waits in a long line gives up
before it is their turn, and those in front are slowed down for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from assistant.api.problems import Overloaded

RETRY_S = 2
_LOOK_EVERY_S = 0.05


class Slots:
    """The slots of one event loop; `n` is how many there are."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.n_taken = 0

    async def emptied(self, within_s: float) -> None:
        """Wait until no answer is being given, but no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.n_taken:
                    await asyncio.sleep(_LOOK_EVERY_S)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a slot; raises `Overloaded` if all are held."""
        if self.n_taken >= self.n:
            raise Overloaded(RETRY_S)
        self.n_taken += 1
        try:
            yield
        finally:
            self.n_taken -= 1
