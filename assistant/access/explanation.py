"""Why a person may read a document or not: user → groups → entry of the ACL → rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from assistant.access.acl import Decision, decisions_on
from assistant.access.principals import UNKNOWN, principals_of, seeds_of
from assistant.access.rights import by_member, may_open, paths
from assistant.domain import DocumentId, Principal
from assistant.errors import NotFound
from assistant.store.acls import Acl, acls_by_id
from assistant.store.heads import policy_epoch
from assistant.store.memberships import memberships_of
from assistant.store.passages import document
from assistant.store.people import Person, person_with_login
from assistant.store.sources import clock

DISABLED, NO_ROLE = "disabled", "no role that reads documents"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an ACL; `path` leads from the person to it, and is empty if they don't hold it.

    `decisive`: the rule names this one.
    """

    list: Literal["allow", "deny", "all_of"]
    principal: Principal
    held: bool
    path: tuple[Principal, ...]
    decisive: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision about one person and one document, with everything it was made from.

    It names the document by id and source only. `access_as_of` is when the source last confirmed
    its ACLs, `access_age_s` the seconds since; None if it never did.
    """

    login: str
    document_id: str
    source: str
    collection: str
    allowed: bool
    rule: str
    entries: tuple[Entry, ...]
    access_id: int
    access_as_of: datetime | None
    access_age_s: float | None
    max_age_s: float
    policy_epoch: int


def explain(conn: Connection, login: str, document_id: str, max_age_s: float = 0.0) -> Explanation:
    """Explain a decision as it is made now; raises `NotFound` for the person or the document."""
    person = person_with_login(conn, login)
    row = document(conn, DocumentId(document_id))
    if row is None:
        raise NotFound(f"There is no live document {document_id!r}.")
    acl = acls_by_id(conn, {row.access_id}).get(row.access_id, Acl(frozenset()))
    held = principals_of(conn, person)
    decision = decisions_on(conn, [row], held, max_age_s)[row.id]
    if not may_open(person):
        decision = Decision(False, DISABLED if person.disabled_at else NO_ROLE)
    now = clock(conn)
    return Explanation(
        login=login,
        document_id=row.id,
        source=row.source,
        collection=row.facts.collection,
        allowed=decision.allowed,
        rule=decision.rule,
        entries=_entries(conn, person, acl, held, decision),
        access_id=row.access_id,
        access_as_of=row.access_as_of,
        access_age_s=(now - row.access_as_of).total_seconds() if row.access_as_of else None,
        max_age_s=max_age_s,
        policy_epoch=policy_epoch(conn),
    )


def _entries(
    conn: Connection,
    person: Person,
    acl: Acl,
    held: frozenset[Principal],
    decision: Decision,
) -> tuple[Entry, ...]:
    seeds = seeds_of(person) if held else ()
    ways = paths(seeds, by_member(memberships_of(conn, held)))
    named = decision.rule.partition(" ")[2]
    words = {"allow": "allow", "deny": "deny", "missing": "all_of"}
    deciding = words.get(decision.rule.partition(" ")[0], "")
    lists: tuple[tuple[Literal["allow", "deny", "all_of"], frozenset[Principal]], ...] = (
        ("deny", acl.deny),
        ("allow", acl.allow),
        ("all_of", acl.all_of),
    )
    return tuple(
        Entry(
            list=kind,
            principal=name,
            held=name in held or (kind == "deny" and name.startswith(UNKNOWN)),
            path=ways.get(name, ()),
            decisive=kind == deciding and name == named,
        )
        for kind, names in lists
        for name in sorted(names)
    )
