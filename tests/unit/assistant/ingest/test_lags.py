"""When a clock is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assistant.ingest.lags import late
from assistant.store.sources import Source

MONDAY = datetime(2026, 11, 23, 9, 31, tzinfo=UTC)
WEEKDAYS = {"cron": "30 6 * * mon-fri", "timezone": "America/Sao_Paulo"}


def source(schedule: dict[str, Any] | None, **clocks: timedelta) -> Source:
    at = {name: MONDAY - ago for name, ago in clocks.items()}
    return Source(
        id=1,
        name="notes",
        connector="files",
        config={},
        secrets={},
        title="",
        industry="",
        cursor=None,
        whole=True,
        run_no=1,
        synced_at=None,
        created_at=MONDAY,
        content_at=at.get("content"),
        deletes_at=at.get("deletes"),
        access_at=at.get("access"),
        groups_at=at.get("groups"),
        schedule=schedule,
    )


@pytest.mark.parametrize(
    ("schedule", "ago", "is_late"),
    [
        (None, timedelta(hours=23), False),
        (None, timedelta(hours=25), True),
        ({"every_s": 3600}, timedelta(minutes=119), False),
        ({"every_s": 3600}, timedelta(minutes=121), True),
        # However often a source is synced, a quarter of an hour is granted.
        ({"every_s": 60}, timedelta(minutes=14), False),
        ({"every_s": 60}, timedelta(minutes=16), True),
        # On Monday at 6:31 the sync of Friday is two turns old, and the weekend is none.
        (WEEKDAYS, timedelta(days=3), False),
        (WEEKDAYS, timedelta(days=3, minutes=2), True),
    ],
)
def test_late_is_older_than_two_turns(
    schedule: dict[str, Any] | None, ago: timedelta, *, is_late: bool
) -> None:
    assert late(source(schedule, content=ago), MONDAY) == (["content"] if is_late else [])


def test_each_clock_is_late_by_itself_and_an_unknown_one_never() -> None:
    old, new = timedelta(days=9), timedelta(minutes=1)
    assert late(source(None, content=new, deletes=old, groups=old), MONDAY) == ["deletes", "groups"]
    assert late(source(None), MONDAY) == []
