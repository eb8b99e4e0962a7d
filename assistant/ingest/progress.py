"""How far a sync run is, for whoever watches: a terminal, a log, a page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Protocol

from pydantic import JsonValue


@dataclass(slots=True)
class Counts:
    """What a run did to documents; `failed` were kept as they were.

    `erased` were listed and not looked at: an erasure keeps them out.
    """

    listed: int = 0
    added: int = 0
    changed: int = 0
    access_changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0
    erased: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    def add(self, other: Counts) -> None:
        """Add another page's counts."""
        for name, n in other.as_dict().items():
            setattr(self, name, getattr(self, name) + n)


@dataclass(slots=True)
class Stage:
    """What a stage took and made: `n` events, files, passages or documents, and their bytes."""

    n: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Stages:
    """Where a run's time went: list, fetch, read, chunk, embed, commit; safe for threads.

    Files are fetched and read side by side: their seconds add up to more than passed.
    """

    by_name: dict[str, Stage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, stages: Mapping[str, Mapping[str, float]]) -> Stages:
        """Return what `as_dict` had said, to go on adding."""
        return cls(
            {name: Stage(int(s["n"]), int(s["bytes"]), s["seconds"]) for name, s in stages.items()}
        )

    def add(self, name: str, seconds: float, n: int = 0, n_bytes: int = 0) -> None:
        """Add to a stage."""
        with self._lock:
            stage = self.by_name.setdefault(name, Stage())
            stage.n += n
            stage.bytes += n_bytes
            stage.seconds = round(stage.seconds + seconds, 6)

    @contextmanager
    def timed(self, name: str, n: int = 0, n_bytes: int = 0) -> Iterator[None]:
        """Add the time of a block to a stage, whatever comes of it."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started, n, n_bytes)

    @property
    def seconds(self) -> dict[str, float]:
        """Return the seconds by stage."""
        with self._lock:
            return {name: round(stage.seconds, 3) for name, stage in self.by_name.items()}

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return n, bytes and seconds by stage."""
        with self._lock:
            return {
                name: {"n": s.n, "bytes": s.bytes, "seconds": round(s.seconds, 3)}
                for name, s in self.by_name.items()
            }


@dataclass(slots=True)
class Gauge:
    """How far a run is at this moment, and where its time went.

    `total` is how much the source says there is, if it does.
    """

    stage: str = "check"
    done: int = 0
    total: int | None = None
    item: str = ""
    n_read: int = 0
    stages: Stages = field(default_factory=Stages)

    def as_dict(self) -> dict[str, JsonValue]:
        """Return it as JSON."""
        return {
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "item": self.item[-200:],
            "n_read": self.n_read,
        }


class Progress(Protocol):
    """Told about each item as it is read, and about each page as it is committed."""

    def read(self, item_id: str, cause: str | None) -> None:
        """An item was read, or could not be, for this cause."""

    def committed(self, counts: Counts, done: int, total: int | None) -> None:
        """Everything up to here is in the database."""


class Silent:
    """Tells nobody."""

    def read(self, item_id: str, cause: str | None) -> None:
        """Ignore it."""

    def committed(self, counts: Counts, done: int, total: int | None) -> None:
        """Ignore it."""
