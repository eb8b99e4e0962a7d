"""How far behind its source the catalog may be: the four clocks of docs/explanation/lags.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from assistant.ingest.schedule import Schedule
from assistant.store.sources import Source

Clock = Literal["content", "deletes", "access", "groups"]

UNSCHEDULED = timedelta(days=1)
SHORTEST = timedelta(minutes=15)


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


def late(source: Source, now: datetime) -> list[Clock]:
    """Return which clocks are late.

    A clock is late once it is older than two turns of the source's schedule, and at least a
    quarter of an hour; without a schedule, after a day. One that was never known is not late.
    """
    oldest = _oldest(source, now)
    behind = lags(source, now)
    clocks: dict[Clock, float | None] = {
        "content": behind.content_s,
        "deletes": behind.deletes_s,
        "access": behind.access_s,
        "groups": behind.groups_s,
    }
    return [name for name, seconds in clocks.items() if seconds is not None and seconds > oldest]


def _oldest(source: Source, now: datetime) -> float:
    if source.schedule is None:
        return UNSCHEDULED.total_seconds()
    schedule = Schedule.model_validate(source.schedule)
    turns = now - schedule.before(schedule.before(now))
    return max(turns, SHORTEST).total_seconds()


def _since(as_of: datetime | None, now: datetime) -> float | None:
    return None if as_of is None else max(0.0, (now - as_of).total_seconds())
