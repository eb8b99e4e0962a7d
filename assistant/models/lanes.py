"""Lanes: threads that each compute on one processor core, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Lanes:
    """`n` threads, each set up once by `enter`; safe to use from several threads.

    Whoever brings much work has at most `n` pieces of it in here at a time, so others wait for
    one piece, not for all of it.
    """

    def __init__(self, n: int, enter: Callable[[], object]) -> None:
        self._n = n
        self._pool = ThreadPoolExecutor(n, thread_name_prefix="lane", initializer=enter)

    @property
    def n(self) -> int:
        """Return how many pieces of work go on at a time."""
        return self._n

    def run(self, work: Callable[[A], B], pieces: Iterable[A]) -> Iterator[tuple[A, B]]:
        """Yield each piece with what `work` made of it, in the order of completion."""
        rest = iter(pieces)
        under_way: dict[Future[B], A] = {}
        while True:
            for piece in islice(rest, self._n - len(under_way)):
                under_way[self._pool.submit(work, piece)] = piece
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield under_way.pop(future), future.result()
