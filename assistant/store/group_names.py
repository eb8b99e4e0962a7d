"""What groups are called by people, and who says so; names are shown and decide nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.domain import Principal
from assistant.store.identity_tables import group_titles, scim_groups
from assistant.store.provisioned import GROUPS as PUSHED
from assistant.store.tables import memberships, people, sources

MAX_TITLE = 500
_SID = ":S-1-"


@dataclass(frozen=True, slots=True)
class GroupName:
    """A group's principal and what people call it: empty where the principal says that.

    `source` tells its members, as of `as_of`; without one an identity provider does, which
    `source_title` names where it pushes them.
    """

    name: Principal
    title: str
    source: str
    source_title: str
    as_of: datetime | None


def replace_titles(conn: Connection, source_id: int, titles: Mapping[Principal, str]) -> None:
    """Make these the titles of a source's groups; empty ones are left out."""
    mine = group_titles.c.source_id == source_id
    words = {name: " ".join(title.replace("\0", "").split()) for name, title in titles.items()}
    shown = {name: title[:MAX_TITLE] for name, title in words.items() if title}
    rows = conn.execute(sa.select(group_titles).where(mine))
    if shown == {row.group_name: row.title for row in rows}:
        return
    conn.execute(sa.delete(group_titles).where(mine))
    if shown:
        new = [{"source_id": source_id, "group_name": n, "title": t} for n, t in shown.items()]
        conn.execute(sa.insert(group_titles), new)


def names_of(conn: Connection, principals: Collection[str]) -> dict[Principal, GroupName]:
    """Return those of these principals that are groups, with what is known of them."""
    names = sorted({Principal(one) for one in principals if one.startswith("group:")})
    told = {row.name: row for row in conn.execute(_sources(names))}
    named = sa.select(group_titles).where(group_titles.c.group_name == _any(names))
    titles = {row.group_name: row.title for row in conn.execute(named)}
    found = {}
    for name in names:
        source = told.get(name.split(":", 2)[1])
        found[name] = GroupName(
            name,
            titles.get(name, ""),
            source.name if source is not None else "",
            (source.title or source.name) if source is not None else "",
            source.groups_at if source is not None else None,
        )
    for row in conn.execute(_pushed(names)):
        name = Principal(f"{PUSHED}{row.id}")
        found[name] = replace(
            found[name],
            title=row.display_name,
            source_title=row.directory or "",
            as_of=row.updated_at,
        )
    nameless = [one for one, known in found.items() if _SID in one and not known.title]
    for row in conn.execute(_only_members(nameless)):
        name = Principal(row.group_name)
        found[name] = replace(found[name], title=row.title)
    return found


def _sources(names: Collection[str]) -> sa.Select[Any]:
    told = {name.split(":", 2)[1] for name in names}
    columns = (sources.c.name, sources.c.title, sources.c.groups_at)
    return sa.select(*columns).where(sources.c.name == _any(told))


def _pushed(names: Collection[str]) -> sa.Select[Any]:
    ids = [one.removeprefix(PUSHED) for one in names if one.startswith(PUSHED)]
    g, directory = scim_groups.c, people.c.subject.label("directory")
    query = sa.select(g.id, g.display_name, g.updated_at, directory)
    return query.outerjoin(people, people.c.id == g.directory_id).where(g.id == _any(ids))


def _only_members(names: Collection[str]) -> sa.Select[Any]:
    """A security identifier of a person is a group of that person alone: it is called by them."""
    named = sa.func.concat("user:", people.c.issuer, "|", people.c.subject)
    title = sa.func.max(sa.func.coalesce(sa.func.nullif(people.c.name, ""), people.c.login))
    return (
        sa.select(memberships.c.group_name, title.label("title"))
        .outerjoin(people, named == memberships.c.member)
        .where(memberships.c.group_name == _any(names))
        .group_by(memberships.c.group_name)
        .having(sa.func.count() == 1, title.is_not(None))
    )


def _any(values: Collection[str]) -> sa.ColumnElement[Any]:
    return sa.any_(sa.literal(sorted(values), sa.ARRAY(sa.Text)))
