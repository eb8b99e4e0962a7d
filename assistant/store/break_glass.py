"""Requests of access for a while, and the ACLs of what they open.

An approved request is a principal, `grant:<id>`, which its person holds until it expires, and
which the ACLs of what it opens name besides what their source says.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.domain import Principal
from assistant.store.acls import acl_id, acls_by_id
from assistant.store.heads import bump_epoch
from assistant.store.identity_tables import break_glass
from assistant.store.tables import acls, documents, memberships
from indexes.model import NOBODY

GRANT = "grant:"
"""Prefix of the principals of approved requests; no source's ACL can name them."""

PATIENCE_H = 24
"""Hours after which a request that nobody approved lapses."""

State = Literal["asked", "active", "ended", "lapsed", "refused"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for: a document by its id or by what it is called, or a collection."""

    document_id: str = ""
    named: str = ""
    collection: str = ""


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """A request for a document or a collection.

    `named` is what whoever asked calls the document, if not by its id: which one that is
    (`document_id`) is only said by whoever approves. `answer` is what a refusal says.
    """

    id: str
    person_id: str
    document_id: str
    collection: str
    named: str
    reason: str
    hours: int
    asked_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    refused_by: str | None
    answer: str
    state: State

    @property
    def lapses_at(self) -> datetime:
        """Return when it lapses if nobody decides on it."""
        return self.asked_at + timedelta(hours=PATIENCE_H)

    @property
    def principal(self) -> Principal:
        """Return what its person holds while it is active."""
        return Principal(f"{GRANT}{self.id}")


def add(conn: Connection, person_id: str, target: Target, reason: str, hours: int) -> BreakGlass:
    """Keep a request."""
    request_id = str(uuid4())
    conn.execute(
        sa.insert(break_glass).values(
            id=request_id,
            person_id=person_id,
            **asdict(target),
            reason=reason,
            hours=hours,
        )
    )
    found = request(conn, request_id)
    assert found is not None  # noqa: S101
    return found


def request(conn: Connection, request_id: str, *, lock: bool = False) -> BreakGlass | None:
    """Return a request as it stands now; with `lock`, nobody else changes it meanwhile."""
    query = _select().where(break_glass.c.id == request_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return _request(row) if row is not None else None


def requests(conn: Connection, person_id: str | None = None) -> list[BreakGlass]:
    """Return the requests of everybody, or of one person, the newest first."""
    query = _select().order_by(break_glass.c.asked_at.desc(), break_glass.c.id)
    if person_id is not None:
        query = query.where(break_glass.c.person_id == person_id)
    return [_request(row) for row in conn.execute(query)]


def expired(conn: Connection) -> list[BreakGlass]:
    """Return the requests that expired and were not ended yet."""
    past = break_glass.c.expires_at <= sa.func.clock_timestamp()
    query = _select().where(past, break_glass.c.ended_at.is_(None))
    return [_request(row) for row in conn.execute(query.with_for_update())]


def next_end(conn: Connection) -> datetime | None:
    """Return when the next of the active requests expires."""
    ends, now = break_glass.c.expires_at, sa.func.clock_timestamp()
    query = sa.select(sa.func.min(ends)).where(break_glass.c.ended_at.is_(None), ends > now)
    end: datetime | None = conn.execute(query).scalar_one()
    return end


def settle_on(conn: Connection, request_id: str, document_id: str) -> None:
    """Say which document a request is for."""
    query = sa.update(break_glass).where(break_glass.c.id == request_id)
    conn.execute(query.values(document_id=document_id))


def refuse(conn: Connection, request_id: str, refused_by: str, answer: str) -> None:
    """End a request that opened nothing, with what its person is told."""
    now = sa.func.clock_timestamp()
    query = sa.update(break_glass).where(break_glass.c.id == request_id)
    conn.execute(query.values(refused_by=refused_by, answer=answer, ended_at=now))


def open_up(conn: Connection, one: BreakGlass, member: Principal, approved_by: str) -> datetime:
    """Let a person hold the request's principal from now on; returns until when."""
    until = sa.func.clock_timestamp() + sa.literal(timedelta(hours=one.hours), sa.Interval)
    expires_at: datetime = conn.execute(
        sa.update(break_glass)
        .where(break_glass.c.id == one.id)
        .values(approved_by=approved_by, approved_at=sa.func.clock_timestamp(), expires_at=until)
        .returning(break_glass.c.expires_at)
    ).scalar_one()
    held = {"source_id": None, "group_name": one.principal, "member": member}
    conn.execute(sa.insert(memberships).values(**held, expires_at=expires_at))
    bump_epoch(conn)
    widen(conn, one)
    return expires_at


def close(conn: Connection, one: BreakGlass) -> None:
    """End a request: nobody holds its principal any more, and no live document names it."""
    conn.execute(
        sa.update(break_glass)
        .where(break_glass.c.id == one.id)
        .values(ended_at=sa.func.clock_timestamp())
    )
    conn.execute(sa.delete(memberships).where(memberships.c.group_name == one.principal))
    naming = acls.c.allow.contains(sa.cast([one.principal], acls.c.allow.type))
    for old in conn.scalars(sa.select(acls.c.id).where(naming)).all():
        acl = acls_by_id(conn, {old})[old]
        _replace(conn, [], old, acl_id(conn, acl.allow - {one.principal}, acl.deny, acl.all_of))
    bump_epoch(conn)


def active(conn: Connection, grants: Collection[Principal]) -> list[BreakGlass]:
    """Return the requests of these principals that are active."""
    ids = [name.removeprefix(GRANT) for name in grants]
    found = [_request(row) for row in conn.execute(_select().where(break_glass.c.id.in_(ids)))]
    return [one for one in found if one.state == "active"]


def widen(conn: Connection, one: BreakGlass) -> None:
    """Let the ACLs of what a request opens name its principal, also those that a sync reset.

    What has no ACL stays closed, since nobody knows who may read it.
    """
    within = _within(one)
    naming = acls.c.allow.contains(sa.cast([one.principal], acls.c.allow.type))
    query = (
        sa.select(documents.c.access_id)
        .join(acls, acls.c.id == documents.c.access_id)
        .where(*within, ~naming, acls.c.id != NOBODY)
        .distinct()
    )
    for old in conn.scalars(query).all():
        acl = acls_by_id(conn, {old})[old]
        new = acl_id(conn, acl.allow | {one.principal}, acl.deny, acl.all_of)
        _replace(conn, within, old, new)


def _within(one: BreakGlass) -> list[sa.ColumnElement[bool]]:
    d = documents.c
    target = d.id == one.document_id if one.document_id else d.collection == one.collection
    return [target]


def _replace(conn: Connection, within: list[sa.ColumnElement[bool]], old: int, new: int) -> None:
    changed = conn.execute(
        sa.update(documents)
        .where(*within, documents.c.state == "live", documents.c.access_id == old)
        .values(access_id=new, seq=None, updated_at=sa.func.now())
    ).rowcount
    if changed:
        bump_epoch(conn)


def _select() -> sa.Select[Any]:
    b, now = break_glass.c, sa.func.clock_timestamp()
    patience = sa.literal(timedelta(hours=PATIENCE_H), sa.Interval)
    state = sa.case(
        (b.refused_by.is_not(None), "refused"),
        (sa.or_(b.ended_at.is_not(None), b.expires_at <= now), "ended"),
        (b.expires_at.is_not(None), "active"),
        (b.asked_at < now - patience, "lapsed"),
        else_="asked",
    )
    return sa.select(break_glass, state.label("state"))


def _request(row: sa.Row[Any]) -> BreakGlass:
    return BreakGlass(**row._mapping)
