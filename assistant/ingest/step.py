"""The named steps of a sync run, where a test can stop it, or its process, for good.

Whatever happens between two steps, the next run must end where an undisturbed one ends: the
tests that kill a run at each step (`tests/faults/test_sync_steps.py`) rely on their being here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Step = Literal[
    "lease taken",
    "source checked",
    "groups listed",
    "groups stored",
    "page listed",
    "page compared",
    "body fetched",
    "body read",
    "page embedded",
    "commit begun",
    "document written",
    "page written",
    "unseen swept",
    "cursor moved",
    "page committed",
    "all committed",
    "run finished",
]

_watchers: list[Callable[[Step], None]] = []


def step(name: Step) -> None:
    """Say that a run has come to a step; nobody listens outside of tests."""
    for watcher in _watchers:
        watcher(name)


@contextmanager
def watched(watcher: Callable[[Step], None]) -> Iterator[None]:
    """Let `watcher` hear of every step in this process, from whatever thread takes it."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
