"""A lock that many readers share and one writer holds alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class SharedLock:
    """Waiting writers go before new readers. Not reentrant."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._n_readers = 0
        self._n_waiting = 0
        self._is_written = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the lock together with other readers."""
        with self._condition:
            self._condition.wait_for(lambda: not (self._is_written or self._n_waiting))
            self._n_readers += 1
        try:
            yield
        finally:
            with self._condition:
                self._n_readers -= 1
                self._condition.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock with nobody else."""
        with self._condition:
            self._n_waiting += 1
            try:
                self._condition.wait_for(lambda: not (self._is_written or self._n_readers))
                self._is_written = True
            finally:
                self._n_waiting -= 1
        try:
            yield
        finally:
            with self._condition:
                self._is_written = False
                self._condition.notify_all()
