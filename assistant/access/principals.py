"""Principals: the names that access lists know people and groups by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection

from assistant.domain import Principal
from assistant.store.memberships import closure
from assistant.store.people import LOCAL, Person

EVERYONE = Principal("everyone")
UNKNOWN = "unknown:"
"""Prefix of a principal that could not be understood: it matches nobody, and denies everybody."""


def principals_of(conn: Connection, person: Person) -> frozenset[Principal]:
    """Return a person's own name, `everyone`, and all groups they are in, however deep.

    A disabled person has none. A service is not one of `everyone`.
    """
    if person.disabled_at is not None:
        return frozenset()
    seeds = (person.principal,) if person.is_service else (person.principal, EVERYONE)
    return closure(conn, seeds)


def qualify(source: str, principal: str) -> Principal:
    """Return a principal that a source names under the name that is unique among all sources.

    `group:x` becomes `group:<source>:x`, and `group://other/x`, the group `x` of another source,
    `group:other:x`. `user:x` becomes `user:local|x`; `user:<issuer>|x`, `service:x` and
    `everyone` stay.
    Anything else matches nobody.
    """
    if principal == EVERYONE:
        return EVERYONE
    kind, _, name = principal.partition(":")
    if kind == "group" and name.startswith("//"):
        other, _, rest = name.removeprefix("//").partition("/")
        if other and rest and ":" not in other:
            return Principal(f"group:{other}:{rest}")
    elif kind == "group" and name:
        return Principal(f"group:{source}:{name}")
    if kind == "user" and name:
        return Principal(principal if "|" in name else f"user:{LOCAL}|{name}")
    if kind == "service" and name:
        return Principal(principal)
    return Principal(f"{UNKNOWN}{principal}")


def own_group(source: str, group_id: str) -> Principal:
    """Return the unique name of a group that a source tells the members of.

    It is always the source's own: no source adds people to a group of another.
    """
    return Principal(f"group:{source}:{group_id.removeprefix('group:')}")


def principals_sha256(principals: Iterable[Principal]) -> str:
    """Return the name of a set of principals for cache keys and the audit log, as hex."""
    return hashlib.sha256("\n".join(sorted(principals)).encode()).hexdigest()
