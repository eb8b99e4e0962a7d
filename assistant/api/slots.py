"""How many answers this process gives at once.

One more than that is refused at once instead of waiting: whoever waits in a long line gives up
before it is their turn, and those in front are slowed down for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assistant.api.problems import Overloaded

RETRY_S = 2


class Slots:
    """The slots of one event loop; `n` is how many there are."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.n_taken = 0

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
