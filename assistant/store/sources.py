"""The sources of documents, their progress, and the lease that lets one run at a time write."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.errors import Conflict, InvalidRequest, NotFound
from assistant.store.heads import bump_epoch
from assistant.store.tables import chunks, documents, failures, sources, sync_runs

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TICKS = "t"
_STARTED = 19
"""Where proc(5) has `starttime`, counted from the state."""
_RESERVED = frozenset({"oidc", "scim"})
"""Groups that a provider tells are called `group:oidc:…` and `group:scim:…`."""


@dataclass(frozen=True, slots=True)
class Source:
    """A configured connector.

    `cursor` is where the next run resumes; `whole`: the pass `run_no` began at nothing and is
    unbroken so far, so that its `Complete` may sweep what it has not seen. `secrets` are sealed.
    `pass_at` is when the pass that is under way began. Content, deletions, access and groups are
    all known as the source had them at `content_at`, `deletes_at`, `access_at` and `groups_at`.
    """

    id: int
    name: str
    connector: str
    config: dict[str, JsonValue]
    secrets: dict[str, str]
    title: str
    industry: str
    cursor: JsonValue
    whole: bool
    run_no: int
    groups_at: datetime | None
    synced_at: datetime | None
    created_at: datetime
    schedule: dict[str, JsonValue] | None = None
    next_run_at: datetime | None = None
    pass_at: datetime | None = None
    content_at: datetime | None = None
    deletes_at: datetime | None = None
    access_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a source; a newer token fences an older one off."""

    source_id: int
    holder: str
    token: int


@dataclass(frozen=True, slots=True)
class SourceStats:
    """What a source holds now."""

    n_documents: int
    n_chunks: int
    n_failures: int


def put_source(
    conn: Connection,
    name: str,
    connector: str,
    config: dict[str, JsonValue],
    *,
    secrets: Mapping[str, str] | None = None,
    title: str = "",
    industry: str = "",
) -> Source:
    """Add a source, or change the one of that name; a changed config lists it from nothing.

    `name` has letters a-z, digits, `-` and `_`: it is part of the names of the source's groups.
    `secrets` are sealed; None keeps those there are, unless the connector is another.
    """
    if name in _RESERVED:
        raise InvalidRequest(f"{name!r} is the identity provider's; give the source another name.")
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} can't name a source: use up to 64 of a-z, 0-9, - and _, not beginning "
            "with - or _."
        )
    values = {"connector": connector, "config": config, "title": title, "industry": industry}
    new = insert(sources).values(name=name, secrets=dict(secrets or {}), **values)
    same = sa.and_(
        sources.c.connector == new.excluded.connector, sources.c.config == new.excluded.config
    )
    cursor = sa.case((same, sources.c.cursor), else_=sa.null())
    kept = sa.case(
        (sources.c.connector == new.excluded.connector, sources.c.secrets),
        else_=new.excluded.secrets,
    )
    conn.execute(
        new.on_conflict_do_update(
            index_elements=["name"],
            set_={
                **values,
                "cursor": cursor,
                "secrets": kept if secrets is None else new.excluded.secrets,
            },
        )
    )
    return source_named(conn, name)


def source_named(conn: Connection, name: str) -> Source:
    """Return a source; raises `NotFound`."""
    row = conn.execute(sa.select(sources).where(sources.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no source {name!r}; `assistant sync status` lists them.")
    return _source(row)


def source_of(conn: Connection, source_id: int) -> Source:
    """Return a source by its id; raises `NotFound`."""
    row = conn.execute(sa.select(sources).where(sources.c.id == source_id)).one_or_none()
    if row is None:
        raise NotFound("This source was removed.")
    return _source(row)


def list_sources(conn: Connection) -> list[Source]:
    """Return all sources by name."""
    return [_source(row) for row in conn.execute(sa.select(sources).order_by(sources.c.name))]


def remove_source(conn: Connection, lease: Lease) -> None:
    """Remove a source whose documents are all deleted; raises `Conflict` while some live."""
    check_lease(conn, lease)
    live = conn.scalar(
        sa.select(sa.func.count())
        .select_from(documents)
        .where(documents.c.source_id == lease.source_id)
        .where(sa.or_(documents.c.state == "live", documents.c.seq.is_(None)))
    )
    if live:
        raise Conflict("The source still has documents; delete them in a transaction before.")
    conn.execute(sa.delete(sources).where(sources.c.id == lease.source_id))
    bump_epoch(conn)


def acquire_lease(conn: Connection, source_id: int, seconds: float) -> Lease:
    """Take the lease of a source for this process; its earlier holder is fenced off.

    Raises `Conflict` while another holder's lease runs, unless that is a process of this
    machine which has ended. Runs left open by an earlier holder become `stopped`.
    """
    row = conn.execute(
        sa.select(
            sources.c.lease_holder,
            sources.c.lease_token,
            (sources.c.lease_until > sa.func.clock_timestamp()).label("running"),
        )
        .where(sources.c.id == source_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.lease_holder and row.running and not has_ended(row.lease_holder):
        raise Conflict(
            f"Another run ({row.lease_holder}) is syncing this source; wait until it has finished."
        )
    lease = Lease(source_id, _this_process(), row.lease_token + 1)
    _extend(conn, lease, seconds, lease_holder=lease.holder, lease_token=lease.token)
    conn.execute(
        sa.update(sync_runs)
        .where(sync_runs.c.source_id == source_id, sync_runs.c.state == "running")
        .values(state="stopped", finished_at=sa.func.now(), error="The process ended.")
    )
    return lease


def check_lease(conn: Connection, lease: Lease) -> None:
    """Raise `Conflict` if the lease was lost; else keep it from being taken before the commit."""
    token = conn.scalar(
        sa.select(sources.c.lease_token)
        .where(sources.c.id == lease.source_id)
        .with_for_update(key_share=True)
    )
    if token != lease.token:
        raise Conflict("Another run has taken over this source; this one stops.")


def renew_lease(conn: Connection, lease: Lease, seconds: float) -> None:
    """Extend the lease to `seconds` from now; raises `Conflict` if it was lost."""
    check_lease(conn, lease)
    _extend(conn, lease, seconds)


def release_lease(conn: Connection, lease: Lease) -> None:
    """Give the lease back; does nothing if it was lost."""
    conn.execute(
        sa.update(sources)
        .where(sources.c.id == lease.source_id, sources.c.lease_token == lease.token)
        .values(lease_holder=None, lease_until=None)
    )


def save_progress(
    conn: Connection,
    lease: Lease,
    cursor: JsonValue,
    *,
    whole: bool,
    run_no: int,
    pass_at: datetime | None = None,
) -> None:
    """Keep where the next run resumes; raises `Conflict` if the lease was lost."""
    check_lease(conn, lease)
    conn.execute(
        sa.update(sources)
        .where(sources.c.id == lease.source_id)
        .values(cursor=cursor, whole=whole, run_no=run_no, pass_at=pass_at)
    )


def mark_synced(
    conn: Connection, lease: Lease, pass_at: datetime | None = None, *, swept: bool = True
) -> None:
    """Note that a pass has seen all, and which state of the source that is: `pass_at`, or now.

    Without `swept`, deletions are still to be made.
    """
    as_of = pass_at or sa.func.clock_timestamp()
    values: dict[str, object] = {"content_at": as_of, "access_at": as_of}
    if swept:
        values |= {
            "deletes_at": as_of,
            "synced_at": sa.func.clock_timestamp(),
            "pass_at": None,
        }
    conn.execute(sa.update(sources).where(sources.c.id == lease.source_id).values(values))


def mark_groups(conn: Connection, lease: Lease, as_of: datetime) -> None:
    """Note that the groups are as the source had them at that moment."""
    conn.execute(sa.update(sources).where(sources.c.id == lease.source_id).values(groups_at=as_of))


def clock(conn: Connection) -> datetime:
    """Return the time of the database, which all times of sources and runs are in."""
    now: datetime = conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return now


def source_stats(conn: Connection) -> dict[int, SourceStats]:
    """Return what every source holds, by source id."""
    live = documents.c.state == "live"
    stored = (
        sa.select(
            documents.c.source_id,
            sa.func.count().label("n_documents"),
            sa.func.coalesce(sa.func.sum(documents.c.n_chunks), 0).label("n_chunks"),
        )
        .where(live)
        .group_by(documents.c.source_id)
        .subquery()
    )
    failed = (
        sa.select(failures.c.source_id, sa.func.count().label("n_failures"))
        .group_by(failures.c.source_id)
        .subquery()
    )
    rows = conn.execute(
        sa.select(sources.c.id, stored.c.n_documents, stored.c.n_chunks, failed.c.n_failures)
        .outerjoin(stored, stored.c.source_id == sources.c.id)
        .outerjoin(failed, failed.c.source_id == sources.c.id)
    )
    return {
        row.id: SourceStats(int(row.n_documents or 0), int(row.n_chunks or 0), row.n_failures or 0)
        for row in rows
    }


def embedders(conn: Connection) -> dict[str, int]:
    """Return how many stored chunks each embedding model made."""
    rows = conn.execute(
        sa.select(chunks.c.embedder, sa.func.count()).group_by(chunks.c.embedder)
    ).all()
    return {row[0]: int(row[1]) for row in rows}


def _extend(conn: Connection, lease: Lease, seconds: float, **values: object) -> None:
    until = sa.func.clock_timestamp() + sa.literal(timedelta(seconds=seconds), sa.Interval)
    conn.execute(
        sa.update(sources)
        .where(sources.c.id == lease.source_id)
        .values({"lease_until": until, **values})
    )


def _this_process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{_born(os.getpid())}"


def has_ended(holder: str) -> bool:
    """Tell whether a holder was a process of this machine that no longer runs."""
    host, pid, born = holder.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        now = _born(int(pid))
        is_zombie = psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
        return True
    # Of a holder that an older version named, only the id can be compared.
    is_other = born.startswith(_TICKS) == now.startswith(_TICKS) and born != now
    return is_other or is_zombie


def _born(pid: int) -> str:
    """Return when a process began: on Linux in ticks since the boot, which no clock moves."""
    if not Path("/proc/self/stat").exists():
        return str(int(psutil.Process(pid).create_time()))
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return _TICKS + fields[_STARTED]


def _source(row: sa.Row[*tuple[Any, ...]]) -> Source:
    return Source(
        id=row.id,
        name=row.name,
        connector=row.connector,
        config=row.config,
        secrets=row.secrets,
        title=row.title,
        industry=row.industry,
        cursor=row.cursor,
        whole=row.whole,
        run_no=row.run_no,
        groups_at=row.groups_at,
        synced_at=row.synced_at,
        created_at=row.created_at,
        schedule=row.schedule,
        next_run_at=row.next_run_at,
        pass_at=row.pass_at,
        content_at=row.content_at,
        deletes_at=row.deletes_at,
        access_at=row.access_at,
    )
