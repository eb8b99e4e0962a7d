"""Slowing down whoever guesses passwords.

Kept in this process's memory: several API processes count separately, and a restart forgets.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from assistant.api.problems import TooManyRequests

MAX_LOGINS = 10_000


class SignInThrottle:
    """Allows a login `n` tries in `window_s` seconds; a success starts anew. Thread-safe."""

    def __init__(
        self, n: int = 5, window_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._n = n
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def attempt(self, login: str) -> None:
        """Count a try before its password is checked; raises `TooManyRequests` if it is one more.

        Counted beforehand, so that tries at the same time don't all pass.
        """
        key = login.strip().casefold()
        with self._lock:
            now = self._clock()
            tries = self._tries.setdefault(key, deque())
            self._tries.move_to_end(key)
            while tries and tries[0] <= now - self._window_s:
                tries.popleft()
            if len(tries) >= self._n:
                raise TooManyRequests(math.ceil(tries[0] + self._window_s - now))
            tries.append(now)
            if len(self._tries) > MAX_LOGINS:
                self._tries.popitem(last=False)

    def succeeded(self, login: str) -> None:
        """Forget the tries of a login whose password was right."""
        with self._lock:
            self._tries.pop(login.strip().casefold(), None)
