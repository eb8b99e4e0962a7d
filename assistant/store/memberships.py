"""Who belongs to which group, per source, with qualified names; groups may nest in cycles."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import Principal
from assistant.store.heads import bump_epoch
from assistant.store.tables import memberships

# UNION (not ALL) drops what was already found, which ends the recursion on cycles.
_CLOSURE = sa.text(
    """
    WITH RECURSIVE held (name) AS (
        SELECT unnest(CAST(:seeds AS text[]))
        UNION
        SELECT memberships.group_name FROM memberships JOIN held ON memberships.member = held.name
        WHERE memberships.expires_at IS NULL OR memberships.expires_at > clock_timestamp()
    )
    SELECT name FROM held
    """
)


def replace_groups(
    conn: Connection, source_id: int, groups: Mapping[Principal, Collection[Principal]]
) -> bool:
    """Make these the groups of a source with their direct members; tells whether that changed any.

    A change moves the policy epoch.
    """
    wanted = {(group, member) for group, members in groups.items() for member in members}
    present = {
        (Principal(row.group_name), Principal(row.member))
        for row in conn.execute(
            sa.select(memberships.c.group_name, memberships.c.member).where(
                memberships.c.source_id == source_id
            )
        )
    }
    if gone := present - wanted:
        pair = sa.tuple_(memberships.c.group_name, memberships.c.member)
        conn.execute(
            sa.delete(memberships).where(
                memberships.c.source_id == source_id, pair.in_(sorted(gone))
            )
        )
    if new := wanted - present:
        conn.execute(
            sa.insert(memberships),
            [{"source_id": source_id, "group_name": g, "member": m} for g, m in sorted(new)],
        )
    if wanted != present:
        bump_epoch(conn)
    return wanted != present


def replace_groups_of(
    conn: Connection, member: Principal, prefix: str, groups: Collection[Principal]
) -> bool:
    """Make these the groups below `prefix` that an identity provider put somebody into.

    Tells whether that changed any; a change moves the policy epoch.
    """
    ours = sa.and_(
        memberships.c.source_id.is_(None),
        memberships.c.member == member,
        memberships.c.group_name.startswith(prefix, autoescape=True),
    )
    return _replace(conn, ours, {(group, member) for group in groups})


def replace_members(conn: Connection, group: Principal, members: Collection[Principal]) -> bool:
    """Make these the members that an identity provider gave a group, as `replace_groups_of`."""
    ours = sa.and_(memberships.c.source_id.is_(None), memberships.c.group_name == group)
    return _replace(conn, ours, {(group, member) for member in members})


def forget_group(conn: Connection, group: Principal) -> None:
    """Take everybody out of a group of an identity provider, and it out of others."""
    named = sa.or_(memberships.c.group_name == group, memberships.c.member == group)
    _replace(conn, sa.and_(memberships.c.source_id.is_(None), named), set())


def _replace(
    conn: Connection, ours: sa.ColumnElement[bool], wanted: set[tuple[Principal, Principal]]
) -> bool:
    columns = (memberships.c.group_name, memberships.c.member)
    rows = conn.execute(sa.select(*columns).where(ours))
    present = {(Principal(row.group_name), Principal(row.member)) for row in rows}
    if gone := present - wanted:
        conn.execute(sa.delete(memberships).where(ours, sa.tuple_(*columns).in_(sorted(gone))))
    if new := wanted - present:
        rows_of = [{"source_id": None, "group_name": g, "member": m} for g, m in sorted(new)]
        conn.execute(insert(memberships).on_conflict_do_nothing(), rows_of)
    if wanted != present:
        bump_epoch(conn)
    return wanted != present


def closure(conn: Connection, seeds: Collection[Principal]) -> frozenset[Principal]:
    """Return the principals with every group that holds one of them, however deep."""
    rows = conn.execute(_CLOSURE, {"seeds": sorted(seeds)}).scalars()
    return frozenset(Principal(name) for name in rows)


def groups_of(conn: Connection, source_id: int) -> dict[Principal, frozenset[Principal]]:
    """Return a source's groups with their direct members."""
    found: dict[Principal, set[Principal]] = {}
    rows = conn.execute(
        sa.select(memberships.c.group_name, memberships.c.member).where(
            memberships.c.source_id == source_id
        )
    )
    for row in rows:
        found.setdefault(Principal(row.group_name), set()).add(Principal(row.member))
    return {group: frozenset(members) for group, members in found.items()}


def memberships_of(
    conn: Connection, members: Collection[Principal] | None = None
) -> frozenset[tuple[Principal, Principal]]:
    """Return who is directly in which group as (member, group): of these members, or of all."""
    until = memberships.c.expires_at
    holds = sa.or_(until.is_(None), until > sa.func.clock_timestamp())
    query = sa.select(memberships.c.member, memberships.c.group_name).where(holds).distinct()
    if members is not None:
        asked = sa.any_(sa.literal(sorted(members), sa.ARRAY(sa.Text)))
        query = query.where(memberships.c.member == asked)
    return frozenset((Principal(member), Principal(group)) for member, group in conn.execute(query))
