"""The queue of sync runs: which wait, which worker takes one, what is due, and whose worker died.

A run is its own job. It is taken together with the lease of its source, in one transaction, so
that the token which fences writes to the catalog also fences the record of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.errors import Conflict
from assistant.store.runs import ACTIVE, Kind, SyncRun, Wish, run_of
from assistant.store.sources import Lease, acquire_lease, has_ended
from assistant.store.tables import failures, sources, sync_runs

MAX_LOST = 5
"""A run during which so many workers died is given up: it may be what kills them."""


@dataclass(frozen=True, slots=True)
class Held:
    """A run that this process works on, and the lease that lets it write."""

    lease: Lease
    run_id: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A run whose worker died; `again`: it waits for another one."""

    run_id: int
    source_id: int
    again: bool


def enqueue(
    conn: Connection,
    source_id: int,
    kind: Kind = "sync",
    options: Mapping[str, JsonValue] | None = None,
    requested_by: str = "",
) -> int:
    """Queue a run for any worker; returns its id.

    Raises `Conflict` while the source has a run that waits, runs or is paused.
    """
    conn.execute(
        sa.select(sources.c.id).where(sources.c.id == source_id).with_for_update(key_share=True)
    )
    active = active_run(conn, source_id)
    if active is not None:
        raise Conflict(
            f"Run {active.id} of this source is {active.state}; wait for it, or cancel it first."
        )
    run_id: int = conn.execute(
        sa.insert(sync_runs)
        .values(
            source_id=source_id,
            kind=kind,
            state="queued",
            options=dict(options or {}),
            by_worker=True,
            requested_by=requested_by,
        )
        .returning(sync_runs.c.id)
    ).scalar_one()
    return run_id


def active_run(conn: Connection, source_id: int) -> SyncRun | None:
    """Return the run of a source that waits, runs or is paused."""
    row = conn.execute(
        sa.select(sync_runs)
        .where(sync_runs.c.source_id == source_id, sync_runs.c.state.in_(ACTIVE))
        .order_by(sync_runs.c.id.desc())
        .limit(1)
    ).one_or_none()
    return SyncRun(**row._mapping) if row is not None else None


def claim(conn: Connection, seconds: float) -> Held | None:
    """Take the oldest run that waits and whose source is free, with a lease of so many seconds.

    None if there is none. Raises `Conflict` if another process was faster.
    """
    now = sa.func.clock_timestamp()
    waiting = conn.execute(
        sa.select(sync_runs.c.id, sync_runs.c.source_id)
        .join(sources, sources.c.id == sync_runs.c.source_id)
        .where(sync_runs.c.state == "queued")
        .where(sa.or_(sources.c.lease_until.is_(None), sources.c.lease_until < now))
        .order_by(sync_runs.c.id)
        .limit(1)
        .with_for_update(of=sync_runs, skip_locked=True)
    ).one_or_none()
    if waiting is None:
        return None
    lease = acquire_lease(conn, waiting.source_id, seconds)
    conn.execute(
        sa.update(sync_runs)
        .where(sync_runs.c.id == waiting.id)
        .values(
            state="running",
            token=lease.token,
            started_at=sa.func.coalesce(sync_runs.c.started_at, now),
            beat_at=now,
        )
    )
    return Held(lease, waiting.id)


def give_back(conn: Connection, held: Held) -> bool:
    """Let a run wait for another worker at once, and fence off this one, which still works on it.

    False if the run has ended or another holder has taken it over.
    """
    fenced = conn.execute(
        sa.update(sources)
        .where(sources.c.id == held.lease.source_id, sources.c.lease_token == held.lease.token)
        .values(lease_holder=None, lease_until=None, lease_token=held.lease.token + 1)
    )
    if not fenced.rowcount:
        return False
    waits = conn.execute(
        sa.update(sync_runs)
        .where(sync_runs.c.id == held.run_id, sync_runs.c.state == "running")
        .where(sync_runs.c.token == held.lease.token)
        .values(state="queued", token=held.lease.token + 1)
    )
    return bool(waits.rowcount)


def beat(conn: Connection, held: Held, progress: Mapping[str, JsonValue]) -> Wish:
    """Say that a run goes on and how far it is; returns what somebody wants it to do.

    Raises `Conflict` if another holder has taken it over.
    """
    wish: Wish | None = conn.scalar(
        sa.update(sync_runs)
        .where(sync_runs.c.id == held.run_id, sync_runs.c.state == "running")
        .where(sync_runs.c.token == held.lease.token)
        .values(beat_at=sa.func.clock_timestamp(), progress=dict(progress))
        .returning(sync_runs.c.wish)
    )
    if wish is None:
        raise Conflict("Another run has taken over this source; this one stops.")
    return wish


def order(conn: Connection, run_id: int, wish: Wish) -> SyncRun:
    """Pause or cancel a run, at the next item if it is running.

    Raises `NotFound`, and `Conflict` for a run that has ended.
    """
    run = run_of(conn, run_id, lock=True)
    if run.state not in ACTIVE or (run.state == "paused" and wish == "pause"):
        raise Conflict(f"Run {run_id} is {run.state} already.")
    if run.state == "running":
        values: dict[str, object] = {"wish": wish}
    elif wish == "pause":
        values = {"state": "paused"}
    else:
        values = {"state": "cancelled", "finished_at": sa.func.clock_timestamp()}
    conn.execute(sa.update(sync_runs).where(sync_runs.c.id == run_id).values(values))
    return run_of(conn, run_id)


def resume(conn: Connection, run_id: int) -> SyncRun:
    """Let a paused run wait for a worker again; it goes on from its last mark.

    Raises `NotFound`, and `Conflict` for a run that is not paused.
    """
    run = run_of(conn, run_id, lock=True)
    if run.wish == "pause":
        values: dict[str, object] = {"wish": ""}
    elif run.state == "paused":
        values = {"state": "queued", "by_worker": True}
    else:
        raise Conflict(f"Run {run_id} is {run.state}, not paused.")
    conn.execute(sa.update(sync_runs).where(sync_runs.c.id == run_id).values(values))
    return run_of(conn, run_id)


def requeue_lost(conn: Connection) -> list[Lost]:
    """Let the runs of dead workers wait again: those past their lease, or of an ended process.

    Runs of commands become `stopped`, and so do, as `failed`, runs that lost `MAX_LOST` workers.
    """
    expired = sources.c.lease_until < sa.func.clock_timestamp()
    rows = conn.execute(
        sa.select(
            sync_runs.c.id,
            sync_runs.c.source_id,
            sync_runs.c.by_worker,
            sync_runs.c.n_lost,
            sync_runs.c.token,
            sources.c.lease_token,
            sources.c.lease_holder,
            expired.label("expired"),
        )
        .join(sources, sources.c.id == sync_runs.c.source_id)
        .where(sync_runs.c.state == "running")
        .with_for_update(of=[sync_runs, sources], skip_locked=True)
    ).all()
    lost = []
    for row in rows:
        is_held = row.token == row.lease_token and row.lease_holder is not None
        if is_held and not row.expired and not has_ended(row.lease_holder):
            continue
        again = row.by_worker and row.n_lost + 1 < MAX_LOST
        _lose(conn, row.id, by_worker=row.by_worker, again=again)
        if row.token == row.lease_token:
            conn.execute(
                sa.update(sources)
                .where(sources.c.id == row.source_id)
                .values(lease_holder=None, lease_until=None)
            )
        lost.append(Lost(row.id, row.source_id, again))
    return lost


def set_schedule(
    conn: Connection,
    source_id: int,
    schedule: Mapping[str, JsonValue] | None,
    next_run_at: datetime | None,
) -> None:
    """Keep when a source is to be synced; None takes its schedule away."""
    conn.execute(
        sa.update(sources)
        .where(sources.c.id == source_id)
        .values(schedule=dict(schedule) if schedule else None, next_run_at=next_run_at)
    )


def due_schedules(conn: Connection) -> list[tuple[int, str, dict[str, JsonValue]]]:
    """Return id, name and schedule of the sources whose time has come, locked for this caller."""
    rows = conn.execute(
        sa.select(sources.c.id, sources.c.name, sources.c.schedule)
        .where(sources.c.next_run_at <= sa.func.clock_timestamp())
        .where(sources.c.schedule.is_not(None))
        .order_by(sources.c.id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return [(row.id, row.name, row.schedule) for row in rows]


def due_retries(conn: Connection) -> list[tuple[int, str]]:
    """Return id and name of idle sources with quarantined items whose next try has come."""
    active = sa.exists().where(sync_runs.c.source_id == sources.c.id, sync_runs.c.state.in_(ACTIVE))
    due = sa.exists().where(
        failures.c.source_id == sources.c.id,
        failures.c.item.is_not(None),
        failures.c.next_try_at <= sa.func.clock_timestamp(),
    )
    rows = conn.execute(
        sa.select(sources.c.id, sources.c.name)
        .where(due, ~active)
        .order_by(sources.c.id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return [(row.id, row.name) for row in rows]


def _lose(conn: Connection, run_id: int, *, by_worker: bool, again: bool) -> None:
    values: dict[str, object] = {"n_lost": sync_runs.c.n_lost + 1}
    if again:
        values["state"] = "queued"
    else:
        values["finished_at"] = sa.func.clock_timestamp()
        values["state"] = "failed" if by_worker else "stopped"
        values["error"] = (
            f"{MAX_LOST} workers ended during this run; look into their logs, then start it again."
            if by_worker
            else "The process ended."
        )
    conn.execute(sa.update(sync_runs).where(sync_runs.c.id == run_id).values(values))
