"""What a service that pushes people and groups may see and change: only what it pushed itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from assistant.access.scim.filter import Filter, equalities, matches, parse
from assistant.access.scim.problem import ScimProblem
from assistant.access.scim.resource import User, listing
from assistant.domain import Caller
from assistant.errors import Forbidden
from assistant.settings import IdentitySettings
from assistant.store import people, provisioned
from assistant.store.provisioned import Only, Slice

Json = dict[str, Any]

MAX_RESULTS = 1000
NO_ISSUER = (
    "No identity provider is set (`identity.oidc.issuer`), so nobody who is pushed could sign in."
)


@dataclass(frozen=True, slots=True)
class PersonPushed:
    """A person was `added`, `linked`, `changed`, `disabled`, `enabled` or `removed`."""

    person_id: str
    change: str
    user_name: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupPushed:
    """A group was `added`, `changed` or `removed`; `joined` and `left` are ids of members."""

    group_id: str
    change: str
    name: str
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a listing asks for; `start` counts from 1."""

    filter: str = ""
    start: int = 1
    n: int = 100
    with_members: bool = True


@dataclass(frozen=True)
class Directory:
    """One service's people and groups in one transaction, and what was done to them.

    `base` is the address of the endpoint.
    """

    conn: Connection
    service: people.Person
    identity: IdentitySettings
    base: str
    news: list[PersonPushed | GroupPushed] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Return the id of the service."""
        return self.service.id

    @property
    def issuer(self) -> str:
        """Return who signs in the people that are pushed."""
        return self.identity.oidc.issuer

    def subject(self, user: User) -> str | None:
        """Return what the identity provider will sign a person in as."""
        by = self.identity.scim.subject
        return user.external_id if by == "externalId" else user.user_name

    def lock(self) -> None:
        """Let no other transaction change the directory until the end of this one."""
        provisioned.lock(self.conn, self.id)


def directory_of(
    conn: Connection, caller: Caller, identity: IdentitySettings, base: str
) -> Directory:
    """Return the directory of a service; raises `Forbidden` without an identity provider."""
    service = people.person_by_id(conn, caller.person_id)
    if service is None or not service.is_service:
        raise Forbidden()
    if not identity.oidc.issuer:
        raise Forbidden(NO_ISSUER)
    return Directory(conn, service, identity, base)


def paged(
    asked: Asked,
    narrowing: Mapping[str, str],
    count: Callable[[], int],
    load: Callable[[Only, Slice | None], list[Json]],
) -> Json:
    """Return a page of a listing; `narrowing` tells which attributes `load` narrows by."""
    start, n = max(asked.start, 1), min(max(asked.n, 0), MAX_RESULTS)
    if not asked.filter.strip():
        return listing(load(Only(), Slice(start - 1, n)), count(), start)
    test = parse(asked.filter)
    found = [one for one in load(_only(test, narrowing), None) if matches(test, one)]
    return listing(found[start - 1 : start - 1 + n], len(found), start)


def _only(test: Filter, narrowing: Mapping[str, str]) -> Only:
    equal = equalities(test)
    return Only(**{field: equal[path] for path, field in narrowing.items() if path in equal})


def same_subject(wanted: str | None, present: str) -> None:
    """Refuse to hand a person's rights on to another sign-in."""
    if wanted is not None and wanted != present:
        raise ScimProblem(
            "mutability",
            "What links a person to their sign-in can't be changed: delete the person and push "
            "them again.",
        )
