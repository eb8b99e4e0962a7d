"""Retention: after so many months the personal fields of the log and conversations are forgotten.

The log keeps every event and every hash; of an old month only the keys go, so the chain verifies
and nobody reads the questions any more. A legal hold keeps the months that it covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection

from assistant.audit.event import SYSTEM, Actor, Event
from assistant.audit.life_cycle import RetentionDone
from assistant.audit.log import AuditLog
from assistant.lifecycle.backup import renew_keys
from assistant.store import erasing, holds, retention
from assistant.store.database import Database
from assistant.store.retention import Kept


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run forgets: what is from months before `before`, `2020-11`.

    `n_keys` are those of one subject and month each, `n_held` more are kept by legal holds;
    `on_hold`: a hold on everything keeps all.
    """

    before: str
    months: tuple[str, ...]
    n_keys: int
    n_messages: int
    n_held: int
    on_hold: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has forgotten; the files of keys that it could not renew hold old keys still."""

    plan: Plan
    keys_files_not_renewed: tuple[str, ...]


def plan(conn: Connection, months: int, today: date | None = None) -> Plan:
    """Return what a run would forget now; nothing is changed."""
    return _planned(conn, months, today)[0]


def run(
    database: Database,
    log: AuditLog,
    data_dir: Path,
    months: int,
    actor: Actor = SYSTEM,
    today: date | None = None,
) -> Outcome:
    """Forget what is older than so many months, unless a hold keeps it."""
    with database.begin() as conn:
        planned, key_ids, kept = _planned(conn, months, today)
        if not planned.on_hold:
            retention.forget(conn, key_ids, planned.before, kept)
        done = RetentionDone(planned.before, planned.n_keys, planned.n_messages, planned.n_held)
        log.append(conn, Event(actor, done))
    with database.reading() as conn:
        erasing.shrink(conn)
    return Outcome(planned, tuple(renew_keys(database, data_dir)))


def first_kept(months: int, today: date) -> str:
    """Return the first month that is kept whole: so many months before this one."""
    index = today.year * 12 + today.month - 1 - months
    return f"{index // 12:04}-{index % 12 + 1:02}"


def _planned(conn: Connection, months: int, today: date | None) -> tuple[Plan, list[str], Kept]:
    before = first_kept(months, today or datetime.now(UTC).date())
    old = retention.shards(conn, before)
    kept = _kept(conn, before)
    if kept is None:
        return Plan(before, (), 0, 0, len(old), True), [], Kept()
    going = {key: shard for key, shard in old.items() if not kept.has(shard)}
    planned = Plan(
        before=before,
        months=tuple(sorted({month for _, month in going.values()})),
        n_keys=len(going),
        n_messages=retention.n_messages(conn, before, kept),
        n_held=len(old) - len(going),
        on_hold=False,
    )
    return planned, list(going), kept


def _kept(conn: Connection, before: str) -> Kept | None:
    """Return what holds in force keep; None if that is everything."""
    subjects: set[str] = set()
    documents: set[str] = set()
    for hold in holds.listed(conn, in_force=True):
        if hold.kind == "everything":
            return None
        if hold.kind == "subject":
            subjects.add(f"login:{hold.value}")
            for person in erasing.persons_called(conn, [hold.value]):
                subjects |= {person.id, f"login:{person.login}"}
        elif hold.kind == "document":
            documents.add(hold.value)
        else:
            documents |= set(retention.documents_in(conn, hold.value))
    shards = retention.prompted_with(conn, documents, before)
    return Kept(frozenset(subjects), frozenset(shards))
