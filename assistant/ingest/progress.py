"""How far a sync run is, for whoever watches: a terminal, a log, a page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Counts:
    """What a run did to documents; `failed` were kept as they were."""

    listed: int = 0
    added: int = 0
    changed: int = 0
    access_changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    def add(self, other: Counts) -> None:
        """Add another page's counts."""
        for name, n in other.as_dict().items():
            setattr(self, name, getattr(self, name) + n)


@dataclass(slots=True)
class Seconds:
    """Where a run's time went, in wall seconds by stage."""

    stages: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        """Add time to a stage."""
        self.stages[stage] = round(self.stages.get(stage, 0.0) + seconds, 3)


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
