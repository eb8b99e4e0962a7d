"""When a source is synced by itself: at an interval, or by a cron expression in a time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import InvalidRequest

MIN_S = 10.0
MAX_S = 366 * 86_400.0


class Schedule(BaseModel):
    """Either `every_s` seconds, or `cron` with five fields, read in `timezone`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_s: Annotated[float | None, Field(ge=MIN_S, le=MAX_S)] = None
    cron: Annotated[str | None, Field(max_length=100)] = None
    timezone: Annotated[str, Field(max_length=64)] = "UTC"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.every_s is None) == (self.cron is None):
            raise ValueError("Give either every_s or cron")
        if self.cron is not None and (len(self.cron.split()) != 5 or not _is_cron(self.cron)):
            raise ValueError(
                "A cron expression has five fields: minute, hour, day, month, weekday; "
                "for instance 30 6 * * mon-fri"
            )
        if self.timezone not in available_timezones():
            raise ValueError("There is no such time zone; for instance America/Sao_Paulo")
        return self

    def first(self, now: datetime) -> datetime:
        """Return when a source that gets this schedule is due: at once for an interval."""
        return now if self.every_s is not None else self.next(now)

    def next(self, after: datetime) -> datetime:
        """Return the first due time after a moment with a time zone."""
        if self.every_s is not None:
            return after + timedelta(seconds=self.every_s)
        due: datetime = self._turns(after).get_next(datetime)
        return due

    def before(self, moment: datetime) -> datetime:
        """Return the last due time before a moment with a time zone."""
        if self.every_s is not None:
            return moment - timedelta(seconds=self.every_s)
        due: datetime = self._turns(moment).get_prev(datetime)
        return due

    def _turns(self, moment: datetime) -> croniter:
        return croniter(self.cron, moment.astimezone(ZoneInfo(self.timezone)))

    @property
    def words(self) -> str:
        """Return it as people say it."""
        if self.every_s is not None:
            return f"every {self.every_s:g} s"
        return f"{self.cron} ({self.timezone})"


def schedule(every_s: float | None, cron: str | None, timezone: str = "UTC") -> Schedule:
    """Return a schedule; raises `InvalidRequest` with a sentence."""
    try:
        return Schedule(every_s=every_s, cron=cron, timezone=timezone)
    except ValidationError as error:
        details = "; ".join(str(e["msg"]).removeprefix("Value error, ") for e in error.errors())
        raise InvalidRequest(f"The schedule is not valid: {details}.") from None


def _is_cron(text: str) -> bool:
    return bool(croniter.is_valid(text))
