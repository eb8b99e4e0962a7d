"""Sync runs, their schedules, and what could not be read in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, JsonValue

from assistant.api.schemas.questions import Request
from assistant.store import runs

RunState = Literal["queued", "running", "paused", "done", "failed", "stopped", "cancelled"]


class StageBody(BaseModel):
    """What a stage took, for `n` events, files, passages or documents; parallel seconds add."""

    n: int
    bytes: int
    seconds: float


class ProgressBody(BaseModel):
    """How far a running run is: its stage now, and how much of what the source says there is."""

    stage: str = ""
    done: int = 0
    total: int | None = None
    item: str = ""
    n_read: int = 0


class SyncRunBody(BaseModel):
    """One run of a source; `counts` by outcome, `stages` in the order of their first use.

    `kind`: sync, dry_run or retry. `wish`: pause or cancel, until the run has done so. `note`: what
    a dry run says of the mass-delete guard. `n_lost`: workers that died during it. `curation`: what
    was found in the documents that the source held at its end; names them, and quotes nothing.
    """

    id: int
    source: str
    kind: str
    state: RunState
    wish: str
    options: dict[str, JsonValue]
    requested_by: str
    queued_at: datetime
    started_at: datetime | None
    beat_at: datetime | None
    finished_at: datetime | None
    progress: ProgressBody
    counts: dict[str, int]
    seconds: dict[str, float]
    stages: dict[str, StageBody]
    n_lost: int
    error: str
    note: str
    curation: dict[str, JsonValue]

    @classmethod
    def of(cls, run: runs.SyncRun, source: str) -> Self:
        """Describe a run."""
        return cls(
            id=run.id,
            source=source,
            kind=run.kind,
            state=run.state,
            wish=run.wish,
            options=run.options,
            requested_by=run.requested_by,
            queued_at=run.queued_at,
            started_at=run.started_at,
            beat_at=run.beat_at,
            finished_at=run.finished_at,
            progress=ProgressBody.model_validate(run.progress),
            counts=run.counts,
            seconds=run.seconds,
            stages={name: StageBody.model_validate(s) for name, s in run.stages.items()},
            n_lost=run.n_lost,
            error=run.error,
            note=run.note,
            curation=run.curation,
        )


class SyncRunList(BaseModel):
    """Runs, the newest first."""

    sync_runs: list[SyncRunBody]


class NewRun(Request):
    """A run to start; `dry_run` lists and compares only, `full` reads every document again.

    `force` lets it delete even if most documents are gone.
    """

    dry_run: bool = False
    full: bool = False
    force: bool = False


class ScheduleBody(Request):
    """Either `every_s` seconds, or `cron` (five fields) in a time zone."""

    every_s: float | None = None
    cron: Annotated[str | None, Field(max_length=100)] = None
    timezone: Annotated[str, Field(max_length=64)] = "UTC"


class Scheduled(BaseModel):
    """When a source is synced by itself, and next."""

    schedule: ScheduleBody
    next_run_at: datetime


class FailureBody(BaseModel):
    """A quarantined item; without `retryable` only a new listing can bring it back."""

    id: str
    error: str
    attempts: int
    first_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    retryable: bool


class FailureGroup(BaseModel):
    """The quarantined items of one cause: `n` in all, the newest of them in `failures`."""

    cause: str
    n: int
    n_retryable: int
    failures: list[FailureBody]


class FailureGroups(BaseModel):
    """What could not be read, by cause, the most frequent first."""

    source: str
    n: int
    groups: list[FailureGroup]


class Retry(Request):
    """What to read again: all that is quarantined, one cause, or some ids."""

    cause: Annotated[str | None, Field(max_length=64)] = None
    ids: Annotated[list[str], Field(max_length=1000)] = Field(default_factory=list)
