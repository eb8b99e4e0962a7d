"""People and groups that identity providers push, each seen only by the directory it came from.

A directory is the service whose key pushes. Of its groups the members stand in `memberships`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import Principal
from assistant.store.identity_tables import scim_groups, scim_users
from assistant.store.tables import memberships, people

GROUPS = "group:scim:"
"""Prefix of the principals of groups that are pushed."""


@dataclass(frozen=True, slots=True)
class ProvisionedPerson:
    """A person as pushed; `locked` if that locked them out, and nobody here did so too."""

    id: str
    directory_id: str
    user_name: str
    external_id: str | None
    active: bool
    attributes: Mapping[str, Any]
    principal: Principal
    created_at: datetime
    updated_at: datetime
    locked: bool
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProvisionedGroup:
    """A group as pushed."""

    id: str
    directory_id: str
    display_name: str
    external_id: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def principal(self) -> Principal:
        """Return the name that ACLs know the group by."""
        return principal_of_group(self.id)


class Member(NamedTuple):
    """A member of a group, or a group that somebody is in."""

    id: str
    display: str
    is_group: bool


@dataclass(frozen=True, slots=True)
class Only:
    """What a listing is narrowed to; None doesn't narrow. Names count in whatever case."""

    id: str | None = None
    name: str | None = None
    external_id: str | None = None
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a listing, in the order of creation: `n` after the first `start`."""

    start: int
    n: int


def principal_of_group(group_id: str) -> Principal:
    """Return the name that ACLs know a pushed group by."""
    return Principal(f"{GROUPS}{group_id}")


def lock(conn: Connection, directory_id: str) -> None:
    """Let one transaction at a time change a directory."""
    mine = people.c.id == directory_id
    conn.execute(sa.select(people.c.id).where(mine).with_for_update(key_share=True))


def person(conn: Connection, person_id: str) -> ProvisionedPerson | None:
    """Return a person of any directory, deleted ones too."""
    row = conn.execute(_people().where(scim_users.c.person_id == person_id)).one_or_none()
    return _person(row) if row is not None else None


def persons(
    conn: Connection, directory_id: str, only: Only, part: Slice | None = None
) -> list[ProvisionedPerson]:
    """Return people of a directory."""
    query = _people().where(*_persons_of(directory_id, only))
    ordered = query.order_by(scim_users.c.created_at, scim_users.c.person_id)
    return [_person(row) for row in conn.execute(_sliced(ordered, part))]


def n_persons(conn: Connection, directory_id: str) -> int:
    """Count the people of a directory."""
    mine = _persons_of(directory_id, Only())
    return conn.scalar(sa.select(sa.func.count()).select_from(scim_users).where(*mine)) or 0


def put_person(
    conn: Connection, person_id: str, directory_id: str, values: Mapping[str, Any]
) -> None:
    """Keep what was pushed of a person; who was deleted is there again."""
    new = {**values, "directory_id": directory_id, "deleted_at": None}
    conn.execute(
        insert(scim_users)
        .values(person_id=person_id, **new)
        .on_conflict_do_update(
            index_elements=["person_id"], set_={**new, "updated_at": sa.func.now()}
        )
    )


def mark_locked(conn: Connection, person_id: str, *, locked: bool) -> None:
    """Keep whether it was the directory, and nobody here, who locked a person out."""
    mine = scim_users.c.person_id == person_id
    conn.execute(sa.update(scim_users).where(mine).values(locked=locked))


def remove_person(conn: Connection, person_id: str) -> None:
    """Forget what was pushed of a person, but that it was."""
    mine = scim_users.c.person_id == person_id
    gone = sa.update(scim_users).where(mine).values(deleted_at=sa.func.now(), active=False)
    conn.execute(gone.values(user_name=person_id, external_id=None, attributes={}))


def group(conn: Connection, directory_id: str, group_id: str) -> ProvisionedGroup | None:
    """Return a group of a directory."""
    found = groups(conn, directory_id, Only(id=group_id))
    return found[0] if found else None


def groups(
    conn: Connection, directory_id: str, only: Only, part: Slice | None = None
) -> list[ProvisionedGroup]:
    """Return groups of a directory."""
    query = sa.select(scim_groups).where(*_groups_of(directory_id, only))
    ordered = query.order_by(scim_groups.c.created_at, scim_groups.c.id)
    return [_group(row) for row in conn.execute(_sliced(ordered, part))]


def n_groups(conn: Connection, directory_id: str) -> int:
    """Count the groups of a directory."""
    mine = _groups_of(directory_id, Only())
    return conn.scalar(sa.select(sa.func.count()).select_from(scim_groups).where(*mine)) or 0


def put_group(
    conn: Connection, group_id: str, directory_id: str, name: str, external_id: str | None
) -> None:
    """Keep a group."""
    values = {"display_name": name, "external_id": external_id}
    conn.execute(
        insert(scim_groups)
        .values(id=group_id, directory_id=directory_id, **values)
        .on_conflict_do_update(index_elements=["id"], set_={**values, "updated_at": sa.func.now()})
    )


def remove_group(conn: Connection, group_id: str) -> None:
    """Forget a group; its memberships are for `memberships.forget_group`."""
    conn.execute(sa.delete(scim_groups).where(scim_groups.c.id == group_id))


def members(conn: Connection, group_ids: Collection[str]) -> dict[str, list[Member]]:
    """Return the direct members of each group."""
    inner = scim_groups.alias()
    named = sa.any_(sa.literal([f"{GROUPS}{one}" for one in group_ids], sa.ARRAY(sa.Text)))
    rows = conn.execute(
        sa.select(
            memberships.c.group_name,
            people.c.id.label("person_id"),
            people.c.name,
            inner.c.id.label("group_id"),
            inner.c.display_name,
        )
        .outerjoin(people, memberships.c.member == _principal())
        .outerjoin(inner, memberships.c.member == sa.literal(GROUPS) + inner.c.id)
        .where(memberships.c.source_id.is_(None), memberships.c.group_name == named)
        .order_by(memberships.c.member)
    )
    found: defaultdict[str, list[Member]] = defaultdict(list)
    for row in rows:
        member = Member(row.person_id or row.group_id or "", row.name or "", False)
        if row.group_id is not None:
            member = Member(row.group_id, row.display_name, True)
        found[row.group_name.removeprefix(GROUPS)].append(member)
    return found


def groups_of(conn: Connection, principals: Collection[str]) -> dict[str, list[Member]]:
    """Return the groups that each of these is directly in."""
    named = sa.any_(sa.literal(sorted(principals), sa.ARRAY(sa.Text)))
    rows = conn.execute(
        sa.select(memberships.c.member, scim_groups.c.id, scim_groups.c.display_name)
        .join(scim_groups, memberships.c.group_name == sa.literal(GROUPS) + scim_groups.c.id)
        .where(memberships.c.source_id.is_(None), memberships.c.member == named)
        .order_by(scim_groups.c.created_at, scim_groups.c.id)
    )
    found: defaultdict[str, list[Member]] = defaultdict(list)
    for row in rows:
        found[row.member].append(Member(row.id, row.display_name, True))
    return found


def principals(conn: Connection, directory_id: str, ids: Collection[str]) -> dict[str, Principal]:
    """Return the principals of those of these ids that the directory has."""
    wanted = sa.any_(sa.literal(sorted(ids), sa.ARRAY(sa.Text)))
    mine = _people().where(*_persons_of(directory_id, Only()), scim_users.c.person_id == wanted)
    found = {row.person_id: _person(row).principal for row in conn.execute(mine)}
    inner = sa.select(scim_groups.c.id).where(
        *_groups_of(directory_id, Only()), scim_groups.c.id == wanted
    )
    return found | {name: principal_of_group(name) for name in conn.scalars(inner)}


def _principal() -> sa.ColumnElement[str]:
    return sa.literal("user:") + people.c.issuer + sa.literal("|") + people.c.subject


def _people() -> sa.Select[Any]:
    joined = scim_users.join(people, people.c.id == scim_users.c.person_id)
    return sa.select(scim_users, _principal().label("principal")).select_from(joined)


def _persons_of(directory_id: str, only: Only) -> list[sa.ColumnElement[bool]]:
    u = scim_users.c
    tests = [u.directory_id == directory_id, u.deleted_at.is_(None)]
    if only.id is not None:
        tests.append(u.person_id == only.id)
    if only.name is not None:
        tests.append(sa.func.lower(u.user_name) == sa.func.lower(only.name))
    if only.external_id is not None:
        tests.append(u.external_id == only.external_id)
    return tests


def _groups_of(directory_id: str, only: Only) -> list[sa.ColumnElement[bool]]:
    g = scim_groups.c
    tests: list[sa.ColumnElement[bool]] = [g.directory_id == directory_id]
    if only.id is not None:
        tests.append(g.id == only.id)
    if only.name is not None:
        tests.append(sa.func.lower(g.display_name) == sa.func.lower(only.name))
    if only.external_id is not None:
        tests.append(g.external_id == only.external_id)
    if only.member_id is not None:
        held = sa.select(_principal()).where(people.c.id == only.member_id)
        tests.append(
            sa.exists().where(
                memberships.c.source_id.is_(None),
                memberships.c.group_name == sa.literal(GROUPS) + g.id,
                sa.or_(
                    memberships.c.member == held.scalar_subquery(),
                    memberships.c.member == f"{GROUPS}{only.member_id}",
                ),
            )
        )
    return tests


def _sliced(query: sa.Select[Any], part: Slice | None) -> sa.Select[Any]:
    return query.offset(part.start).limit(part.n) if part is not None else query


def _person(row: sa.Row[Any]) -> ProvisionedPerson:
    return ProvisionedPerson(
        id=row.person_id,
        directory_id=row.directory_id,
        user_name=row.user_name,
        external_id=row.external_id,
        active=row.active,
        attributes=row.attributes,
        principal=Principal(row.principal),
        created_at=row.created_at,
        updated_at=row.updated_at,
        locked=row.locked,
        deleted_at=row.deleted_at,
    )


def _group(row: sa.Row[Any]) -> ProvisionedGroup:
    return ProvisionedGroup(
        id=row.id,
        directory_id=row.directory_id,
        display_name=row.display_name,
        external_id=row.external_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
