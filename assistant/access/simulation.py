"""What a proposed change of groups or ACLs would give and take; nothing is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from assistant.access.principals import named
from assistant.access.rights import Amount, Membership, Rights, rights
from assistant.domain import DocumentId
from assistant.errors import InvalidRequest, NotFound
from assistant.store.acls import Acl
from assistant.store.passages import document
from assistant.store.people import person_with_login
from assistant.store.readable import Target
from assistant.store.sources import source_named


@dataclass(frozen=True, slots=True)
class Change:
    """What is proposed: members join and leave groups; what `target` names takes the ACL `acl`."""

    joins: frozenset[Membership] = frozenset()
    leaves: frozenset[Membership] = frozenset()
    target: Target | None = None
    acl: Acl | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one person would gain and lose, by collection."""

    login: str
    gained: tuple[Amount, ...]
    lost: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The people whom a change concerns; `n_gained` and `n_lost` count people × documents.

    `n_targeted` counts the documents whose ACL would change.
    """

    effects: tuple[Effect, ...]
    n_gained: int
    n_lost: int
    n_targeted: int


def simulate(conn: Connection, change: Change, max_age_s: float = 0.0) -> Simulation:
    """Work out who would gain and lose what.

    Raises `NotFound` for an unknown document or source, `InvalidRequest` for a change that is
    none or that takes away a membership there isn't.
    """
    _check_target(conn, change)
    before = rights(conn, max_age_s, change.target)
    if absent := change.leaves - before.memberships:
        member, group = min(absent)
        raise InvalidRequest(
            f"{member} is not directly in {group}; `access explain` shows the way."
        )
    after = replace(
        before,
        memberships=(before.memberships - change.leaves) | change.joins,
        proposed=change.acl,
    )
    effects = tuple(filter(_concerns, _effects(before, after)))
    return Simulation(
        effects,
        n_gained=sum(one.n_documents for effect in effects for one in effect.gained),
        n_lost=sum(one.n_documents for effect in effects for one in effect.lost),
        n_targeted=sum(share.n_documents for share in before.shares if share.targeted),
    )


def membership(conn: Connection, member: str, group: str) -> Membership:
    """Return a membership from how it is written: a login, or a principal, and a group's name."""
    if ":" not in member:
        return person_with_login(conn, member).principal, named(group)
    return named(member), named(group)


def acl_of(allow: Collection[str], deny: Collection[str], all_of: Collection[str]) -> Acl:
    """Return an ACL of principals written in full."""
    allowed, denied, needed = (frozenset(map(named, names)) for names in (allow, deny, all_of))
    return Acl(allowed, denied, needed)


def _check_target(conn: Connection, change: Change) -> None:
    target = change.target
    if (target is None) != (change.acl is None):
        raise InvalidRequest("An ACL needs a document or folder, and a document or folder an ACL.")
    if target is None:
        if not change.joins and not change.leaves:
            raise InvalidRequest("Propose something: a join, a leave, or an ACL.")
    elif target.document_id:
        if document(conn, DocumentId(target.document_id)) is None:
            raise NotFound(f"There is no live document {target.document_id!r}.")
    else:
        source_named(conn, target.source)


def _effects(before: Rights, after: Rights) -> list[Effect]:
    found = []
    for person in before.people:
        had, has = before.principals(person), after.principals(person)
        if had == has and after.proposed is None:
            continue
        read, reads = before.readable(had), after.readable(has)
        found.append(Effect(person.login, after.amounts(reads - read), after.amounts(read - reads)))
    return found


def _concerns(effect: Effect) -> bool:
    return bool(effect.gained or effect.lost)
