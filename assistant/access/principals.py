"""Principals: the names that access lists know people and groups by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from assistant.domain import Caller, Principal
from assistant.errors import InvalidRequest
from assistant.store.memberships import closure
from assistant.store.people import LOCAL, Person

EVERYONE = Principal("everyone")
TENANT, PURPOSE = "tenant:", "purpose:"
"""Prefixes of principals that policies alone speak of: no source's ACL can name them."""
UNKNOWN = "unknown:"
"""Prefix of a principal that could not be understood: it matches nobody, and denies everybody."""


def principals_of(conn: Connection, person: Person) -> frozenset[Principal]:
    """Return a person's own name, `everyone`, their tenant, and all groups, however deep.

    A disabled person has none. A service is not one of `everyone`.
    """
    if person.disabled_at is not None:
        return frozenset()
    return closure(conn, seeds_of(person))


def seeds_of(person: Person) -> tuple[Principal, ...]:
    """Return what a person holds without any group: their own name, `everyone`, their tenant.

    A service holds its name alone.
    """
    if person.is_service:
        return (person.principal,)
    tenant = (Principal(f"{TENANT}{person.company}"),) if person.company else ()
    return (person.principal, EVERYONE, *tenant)


def with_purpose(caller: Caller, purpose: str) -> Caller:
    """Return a caller who states what they read for; the policy says what that opens to whom."""
    if not purpose:
        return caller
    stated = Principal(f"{PURPOSE}{purpose}")
    return replace(caller, principals=caller.principals | {stated})


def purposes_of(caller: Caller) -> frozenset[Principal]:
    """Return the purposes that a caller stated."""
    return frozenset(name for name in caller.principals if name.startswith(PURPOSE))


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


def named(principal: str) -> Principal:
    """Return a principal that is written in full; raises `InvalidRequest` for anything else."""
    kind, _, name = principal.partition(":")
    source, _, rest = name.partition(":")
    issuer, _, subject = name.partition("|")
    if principal == EVERYONE or (kind == "group" and source and rest):
        return Principal(principal)
    if kind == "user" and issuer and subject:
        return Principal(principal)
    raise InvalidRequest(
        f"{principal!r} is no principal; write group:SOURCE:NAME, user:ISSUER|NAME or everyone."
    )


def own_group(source: str, group_id: str) -> Principal:
    """Return the unique name of a group that a source tells the members of.

    It is always the source's own: no source adds people to a group of another.
    """
    return Principal(f"group:{source}:{group_id.removeprefix('group:')}")


def principals_sha256(principals: Iterable[Principal]) -> str:
    """Return the name of a set of principals for cache keys and the audit log, as hex."""
    return hashlib.sha256("\n".join(sorted(principals)).encode()).hexdigest()
