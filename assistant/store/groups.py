"""Groups as they stand: where each comes from, since when that is known, and who is in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.domain import Principal
from assistant.store.group_names import names_of
from assistant.store.tables import memberships, people, sources


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its number of direct members; `title` is what people call it, if known.

    `source` tells them, as of `as_of`; without one it is an identity provider, who says it anew
    with each sign-in or change, and which `source_title` names where it pushes.
    """

    name: Principal
    title: str
    source: str
    source_title: str
    as_of: datetime | None
    n_members: int


@dataclass(frozen=True, slots=True)
class Member:
    """A direct member; `person_id`, `login` and `full_name` are of a person who is known here."""

    principal: Principal
    person_id: str | None
    login: str
    full_name: str
    disabled: bool


def groups(conn: Connection, names: Collection[Principal] | None = None) -> list[Group]:
    """Return the groups of all sources by title or name, or those of these names."""
    keys = (memberships.c.group_name, sources.c.name, sources.c.title, sources.c.groups_at)
    query = (
        sa.select(*keys, sa.func.count())
        .join(sources, sources.c.id == memberships.c.source_id, isouter=True)
        .where(memberships.c.expires_at.is_(None))
        .group_by(*keys)
        .order_by(memberships.c.group_name, sources.c.name)
    )
    if names is not None:
        query = query.where(memberships.c.group_name.in_(list(names)))
    rows = conn.execute(query).all()
    known = names_of(conn, {row[0] for row in rows})
    found = [
        Group(name, one.title, row[1] or "", one.source_title, one.as_of, row[4])
        for row in rows
        for name in (Principal(row[0]),)
        for one in (known[name],)
    ]
    return sorted(found, key=lambda one: ((one.title or one.name).casefold(), one.name))


def members(conn: Connection, group: Principal) -> list[Member]:
    """Return the direct members of a group by name, groups among them."""
    named = sa.func.concat("user:", people.c.issuer, "|", people.c.subject)
    service = sa.func.concat("service:", people.c.subject)
    theirs = sa.case((people.c.issuer == "service", service), else_=named)
    rows = conn.execute(
        sa.select(
            memberships.c.member, people.c.id, people.c.login, people.c.name, people.c.disabled_at
        )
        .join(people, theirs == memberships.c.member, isouter=True)
        .where(memberships.c.group_name == group)
        .distinct()
        .order_by(memberships.c.member)
    )
    return [
        Member(Principal(row[0]), row[1], row[2] or "", row[3] or "", row[4] is not None)
        for row in rows
    ]
