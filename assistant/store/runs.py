"""The record of sync runs, and of the items that failed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.store.sources import Lease
from assistant.store.tables import failures, sync_runs

RunState = Literal["running", "done", "failed", "stopped"]

_FIRST_RETRY_S = 300
_LAST_RETRY_S = 86_400


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One run of a source; `counts` by outcome, `seconds` by stage."""

    id: int
    source_id: int
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]
    seconds: dict[str, float]
    error: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be read; `cause` is a slug, `error` a sentence for the admin."""

    source_id: int
    external_id: str
    cause: str
    error: str
    attempts: int
    first_at: datetime
    last_at: datetime
    next_try_at: datetime | None


def start_run(conn: Connection, lease: Lease) -> int:
    """Record that a run began; returns its id."""
    run_id: int = conn.execute(
        sa.insert(sync_runs)
        .values(source_id=lease.source_id, token=lease.token)
        .returning(sync_runs.c.id)
    ).scalar_one()
    return run_id


def update_run(
    conn: Connection, run_id: int, counts: Mapping[str, int], seconds: Mapping[str, float]
) -> None:
    """Record how far a run has come."""
    conn.execute(
        sa.update(sync_runs)
        .where(sync_runs.c.id == run_id, sync_runs.c.state == "running")
        .values(counts=dict(counts), seconds=dict(seconds))
    )


def finish_run(
    conn: Connection,
    run_id: int,
    state: RunState,
    counts: Mapping[str, int],
    seconds: Mapping[str, float],
    error: str = "",
) -> None:
    """Record how a run ended, unless another has already declared it stopped."""
    conn.execute(
        sa.update(sync_runs)
        .where(sync_runs.c.id == run_id, sync_runs.c.state == "running")
        .values(
            state=state,
            counts=dict(counts),
            seconds=dict(seconds),
            error=error,
            finished_at=sa.func.clock_timestamp(),
        )
    )


def list_runs(conn: Connection, source_id: int | None = None, limit: int = 20) -> list[SyncRun]:
    """Return the newest runs first."""
    query = sa.select(sync_runs).order_by(sync_runs.c.id.desc()).limit(limit)
    if source_id is not None:
        query = query.where(sync_runs.c.source_id == source_id)
    return [_run(row) for row in conn.execute(query)]


def record_failure(
    conn: Connection, source_id: int, external_id: str, cause: str, error: str
) -> None:
    """Quarantine an item; the next try is due after 5 min, doubled each time, at most a day."""
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
            next_try_at=_in(sa.literal(_FIRST_RETRY_S)),
        )
        .on_conflict_do_update(
            index_elements=["source_id", "external_id"],
            set_={
                "cause": cause,
                "error": error,
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
    conn: Connection, source_id: int | None = None, *, due: bool = False, limit: int = 1000
) -> list[Failure]:
    """Return quarantined items, those that failed last first; `due`: whose next try has come."""
    query = sa.select(failures).order_by(failures.c.last_at.desc(), failures.c.external_id)
    if source_id is not None:
        query = query.where(failures.c.source_id == source_id)
    if due:
        query = query.where(failures.c.next_try_at <= sa.func.clock_timestamp())
    return [Failure(**row._mapping) for row in conn.execute(query.limit(limit))]


def _in(seconds: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    interval = sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=sa.Interval)
    return sa.func.now() + interval


def _run(row: sa.Row[*tuple[Any, ...]]) -> SyncRun:
    return SyncRun(
        id=row.id,
        source_id=row.source_id,
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=row.counts,
        seconds=row.seconds,
        error=row.error,
    )
