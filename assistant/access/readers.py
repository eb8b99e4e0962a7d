"""Both ways through the rights of now: what a person may read, and who may read a document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from assistant.access.acl import Subject, confirmed_since, decide
from assistant.access.policy import policy_now
from assistant.access.principals import seeds_of
from assistant.access.rights import by_member, may_open, paths, rights
from assistant.domain import Principal
from assistant.errors import InvalidRequest, NotFound
from assistant.store.acls import Acl, acls_by_id
from assistant.store.memberships import memberships_of
from assistant.store.passages import DocumentRow, documents_called
from assistant.store.people import list_people, person_with_login


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents of one source and collection that one rule opens, with the ids of a few.

    `path` leads from the person to the principal that the rule names; empty if it names none.
    """

    source: str
    collection: str
    rule: str
    path: tuple[Principal, ...]
    n_documents: int
    examples: tuple[str, ...]
    access_as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person may read, the largest shelf first, and what stays closed to them."""

    login: str
    may_open: bool
    n_documents: int
    n_closed: int
    shelves: tuple[Shelf, ...]


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """Somebody who may read a document, by which rule, and their way to what it names."""

    login: str
    name: str
    rule: str
    path: tuple[Principal, ...]


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may read a document: named by id, source and collection only, never by its title."""

    document_id: str
    source: str
    collection: str
    access_as_of: datetime | None
    allow: tuple[Principal, ...]
    deny: tuple[Principal, ...]
    all_of: tuple[Principal, ...]
    n_people: int
    readers: tuple[ReaderRow, ...]


def reading(conn: Connection, login: str, max_age_s: float = 0.0) -> Reading:
    """Return what a person may read now, rule by rule; raises `NotFound`."""
    person = person_with_login(conn, login)
    now = rights(conn, max_age_s)
    ways = paths(seeds_of(person), by_member(now.memberships)) if may_open(person) else {}
    held = frozenset(ways)
    shelves, n_closed = [], 0
    for share in now.shares:
        acl = now.acls.get(share.access_id, Acl(frozenset()))
        subject = Subject(acl, share.collection, share.access_as_of)
        decision = decide(subject, now.policy, held, now.oldest)
        if not decision.allowed:
            n_closed += share.n_documents
            continue
        way = ways.get(_named(decision.rule), ())
        shelves.append(
            Shelf(
                share.source,
                share.collection,
                decision.rule,
                way,
                share.n_documents,
                share.examples,
                share.access_as_of,
            )
        )
    shelves.sort(key=lambda one: (-one.n_documents, one.source, one.rule))
    n_documents = sum(shelf.n_documents for shelf in shelves)
    return Reading(login, may_open(person), n_documents, n_closed, tuple(shelves))


def readers(conn: Connection, name: str, max_age_s: float = 0.0) -> Readers:
    """Return who may read a document now, by its id, address or path at the source.

    Raises `NotFound`, and `InvalidRequest` where several documents are called so.
    """
    row = one_called(conn, name)
    acl = acls_by_id(conn, {row.access_id}).get(row.access_id, Acl(frozenset()))
    subject = Subject(acl, row.facts.collection, row.access_as_of)
    policy, oldest = policy_now(conn), confirmed_since(conn, max_age_s)
    groups = by_member(memberships_of(conn))
    people = list_people(conn)
    found = []
    for person in people:
        if not may_open(person):
            continue
        ways = paths(seeds_of(person), groups)
        decision = decide(subject, policy, frozenset(ways), oldest)
        if decision.allowed:
            way = ways.get(_named(decision.rule), ())
            found.append(ReaderRow(person.login, person.name, decision.rule, way))
    return Readers(
        document_id=row.id,
        source=row.source,
        collection=row.facts.collection,
        access_as_of=row.access_as_of,
        allow=tuple(sorted(acl.allow)),
        deny=tuple(sorted(acl.deny)),
        all_of=tuple(sorted(acl.all_of)),
        n_people=len(people),
        readers=tuple(found),
    )


def one_called(conn: Connection, name: str) -> DocumentRow:
    """Return the live document with this id, address or path; raises as `readers` does."""
    found = documents_called(conn, name)
    if not found:
        raise NotFound(f"There is no live document {name!r}.")
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise InvalidRequest(f"Several documents are called so; name one by its id: {ids}.")
    return found[0]


def _named(rule: str) -> Principal:
    """Return the principal that a rule names."""
    return Principal(rule.partition(" ")[2])
