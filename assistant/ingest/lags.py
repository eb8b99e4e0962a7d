"""How far behind its source the catalog may be: the four clocks of docs/explanation/lags.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assistant.store.sources import Source


@dataclass(frozen=True, slots=True)
class Lags:
    """Seconds by which each may be behind; None: it was never known."""

    content_s: float | None
    deletes_s: float | None
    access_s: float | None
    groups_s: float | None


def lags(source: Source, now: datetime) -> Lags:
    """Return the lags of a source at a moment of the database's clock."""
    return Lags(
        _since(source.content_at, now),
        _since(source.deletes_at, now),
        _since(source.access_at, now),
        _since(source.groups_at, now),
    )


def _since(as_of: datetime | None, now: datetime) -> float | None:
    return None if as_of is None else max(0.0, (now - as_of).total_seconds())
