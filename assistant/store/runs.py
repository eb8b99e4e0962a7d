"""The record of sync runs, and of the items that failed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.errors import NotFound
from assistant.store.sources import Lease
from assistant.store.tables import failures, sync_runs

RunState = Literal["queued", "running", "paused", "done", "failed", "stopped", "cancelled"]
Kind = Literal["sync", "dry_run", "retry"]
Wish = Literal["", "pause", "cancel"]
"""What somebody wants a running run to do; it does so at the next item."""

ACTIVE: tuple[RunState, ...] = ("queued", "running", "paused")

_FIRST_RETRY_S = 300
_LAST_RETRY_S = 86_400


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One run of a source; `counts` by outcome, `stages` with n, bytes and seconds by stage.

    `by_worker`: queued for any worker, rather than run by a command. `n_lost` counts workers that
    died during it. `note` is what a dry run says besides its counts, `curation` the report of what
    the source held at the end.
    """

    id: int
    source_id: int
    kind: Kind
    state: RunState
    options: dict[str, JsonValue]
    by_worker: bool
    wish: Wish
    requested_by: str
    n_lost: int
    queued_at: datetime
    started_at: datetime | None
    beat_at: datetime | None
    finished_at: datetime | None
    progress: dict[str, JsonValue]
    counts: dict[str, int]
    seconds: dict[str, float]
    stages: dict[str, dict[str, float]]
    error: str
    note: str
    token: int
    curation: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What a run has done so far: outcomes by name, and n, bytes and seconds by stage."""

    counts: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, object]:
        """Return the columns that hold it."""
        seconds = {name: stage["seconds"] for name, stage in self.stages.items()}
        return {"counts": dict(self.counts), "stages": dict(self.stages), "seconds": seconds}


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be read; `cause` is a slug, `error` a sentence for the admin.

    `item` is how the source listed it last, None if it could not be listed.
    """

    source_id: int
    external_id: str
    cause: str
    error: str
    attempts: int
    first_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    item: dict[str, JsonValue] | None


def start_run(conn: Connection, lease: Lease, kind: Kind = "sync") -> int:
    """Record that a run of a command began; returns its id."""
    run_id: int = conn.execute(
        sa.insert(sync_runs)
        .values(
            source_id=lease.source_id,
            kind=kind,
            token=lease.token,
            started_at=sa.func.clock_timestamp(),
            beat_at=sa.func.clock_timestamp(),
        )
        .returning(sync_runs.c.id)
    ).scalar_one()
    return run_id


def update_run(conn: Connection, lease: Lease, run_id: int, work: Work) -> None:
    """Record how far a run has come, unless another holder has taken it over."""
    conn.execute(_held(lease, run_id).values(work.columns))


def finish_run(
    conn: Connection,
    lease: Lease,
    run_id: int,
    state: RunState,
    work: Work,
    error: str = "",
    note: str = "",
) -> bool:
    """Record how a run ended or why it waits; False if another holder has taken it over."""
    waits = state in ACTIVE
    values = {"by_worker": True} if waits else {"finished_at": sa.func.clock_timestamp()}
    done = conn.execute(
        _held(lease, run_id).values(
            state=state,
            wish="",
            error=error,
            note=note,
            **values,
            **work.columns,
        )
    )
    return bool(done.rowcount)


def run_of(conn: Connection, run_id: int, *, lock: bool = False) -> SyncRun:
    """Return a run; raises `NotFound`."""
    query = sa.select(sync_runs).where(sync_runs.c.id == run_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no sync run {run_id}; `assistant sync history` lists them.")
    return SyncRun(**row._mapping)


def list_runs(
    conn: Connection,
    source_id: int | None = None,
    limit: int = 20,
    states: Collection[RunState] | None = None,
) -> list[SyncRun]:
    """Return the newest runs first."""
    query = sa.select(sync_runs).order_by(sync_runs.c.id.desc()).limit(limit)
    if source_id is not None:
        query = query.where(sync_runs.c.source_id == source_id)
    if states is not None:
        query = query.where(sync_runs.c.state.in_(states))
    return [SyncRun(**row._mapping) for row in conn.execute(query)]


def newest_runs(conn: Connection) -> dict[int, SyncRun]:
    """Return the newest run of each source that is no dry run, by source id."""
    newest = (
        sa.select(sa.func.max(sync_runs.c.id))
        .where(sync_runs.c.kind != "dry_run")
        .group_by(sync_runs.c.source_id)
    )
    rows = conn.execute(sa.select(sync_runs).where(sync_runs.c.id.in_(newest)))
    return {row.source_id: SyncRun(**row._mapping) for row in rows}


def record_failure(
    conn: Connection,
    source_id: int,
    external_id: str,
    cause: str,
    error: str,
    item: dict[str, JsonValue] | None = None,
) -> None:
    """Quarantine an item; the next try is due after 5 min, doubled each time, at most a day.

    `item` is how the source listed it, with which it can be read again without listing.
    """
    again = sa.func.least(
        _LAST_RETRY_S, _FIRST_RETRY_S * sa.func.power(2, sa.func.least(failures.c.attempts, 12))
    )
    conn.execute(
        insert(failures)
        .values(
            source_id=source_id,
            external_id=external_id,
            cause=cause,
            error=error,
            item=item,
            next_try_at=_in(sa.literal(_FIRST_RETRY_S)),
        )
        .on_conflict_do_update(
            index_elements=["source_id", "external_id"],
            set_={
                "cause": cause,
                "error": error,
                "item": item,
                "attempts": failures.c.attempts + 1,
                "last_at": sa.func.now(),
                "next_try_at": _in(again),
            },
        )
    )


def clear_failures(conn: Connection, source_id: int, external_ids: Collection[str]) -> None:
    """Forget the failures of items that were read or are gone."""
    ids = sa.literal(list(external_ids), sa.ARRAY(sa.Text))
    conn.execute(
        sa.delete(failures).where(
            failures.c.source_id == source_id, failures.c.external_id == sa.any_(ids)
        )
    )


def clear_older_failures(conn: Connection, source_id: int, run_id: int) -> None:
    """Forget the failures that a run which listed the whole source has not met again."""
    started = sa.select(sync_runs.c.started_at).where(sync_runs.c.id == run_id).scalar_subquery()
    conn.execute(
        sa.delete(failures).where(failures.c.source_id == source_id, failures.c.last_at < started)
    )


def list_failures(
    conn: Connection,
    source_id: int | None = None,
    *,
    due: bool = False,
    cause: str | None = None,
    limit: int = 1000,
) -> list[Failure]:
    """Return quarantined items, those that failed last first; `due`: whose next try has come."""
    query = sa.select(failures).order_by(failures.c.last_at.desc(), failures.c.external_id)
    if source_id is not None:
        query = query.where(failures.c.source_id == source_id)
    if cause is not None:
        query = query.where(failures.c.cause == cause)
    if due:
        query = query.where(failures.c.next_try_at <= sa.func.clock_timestamp())
    return [Failure(**row._mapping) for row in conn.execute(query.limit(limit))]


def _in(seconds: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    interval = sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=sa.Interval)
    return sa.func.now() + interval


def _held(lease: Lease, run_id: int) -> sa.Update:
    return sa.update(sync_runs).where(
        sync_runs.c.id == run_id,
        sync_runs.c.state == "running",
        sync_runs.c.token == lease.token,
    )
