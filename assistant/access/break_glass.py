"""Access for a while to a named document or collection, which a second person must approve.

It only adds to what a source allows: a deny, `all_of`, a rule of the policy, access data that is
too old and documents without permissions stay closed. It expires by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from assistant.access.acl import decisions_on
from assistant.access.principals import principals_of
from assistant.access.rights import may_open
from assistant.access.roles import PERMISSIONS
from assistant.domain import Caller, DocumentId, Principal
from assistant.errors import Conflict, Forbidden, InvalidRequest, NotFound
from assistant.store import break_glass
from assistant.store.break_glass import GRANT, BreakGlass, Target
from assistant.store.passages import DocumentRow, document, documents_called
from assistant.store.people import Person, person_by_id

MIN_REASON = 10


@dataclass(frozen=True, slots=True)
class Use:
    """A document that somebody reads by an approved request alone."""

    request_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that a request may mean, and by which rule its person reads it now or not."""

    document_id: str
    source: str
    collection: str
    readable: bool
    rule: str


def ask(
    conn: Connection,
    person: Person,
    *,
    document_id: str = "",
    named: str = "",
    collection: str = "",
    reason: str,
    hours: int,
    max_hours: int,
) -> BreakGlass:
    """Ask for a document, by its id or what it is called, or a collection.

    Nothing is looked up or said of whether it exists: whoever asks may not know. Raises
    `InvalidRequest`.
    """
    target = Target(document_id, named, collection)
    if sum(map(bool, (document_id, named, collection))) != 1:
        raise InvalidRequest("Name what you ask for: either a document or a collection.")
    if len(reason.strip()) < MIN_REASON:
        raise InvalidRequest(f"Give a reason of at least {MIN_REASON} characters.")
    if not 1 <= hours <= max_hours:
        raise InvalidRequest(f"Access is given for 1 to {max_hours} hours, not {hours}.")
    if person.is_service:
        raise Forbidden("Only people may ask for access.")
    return break_glass.add(conn, person.id, target, reason.strip(), hours)


def approve(
    conn: Connection,
    request_id: str,
    approver: Person,
    max_age_s: float = 0.0,
    *,
    document_id: str = "",
) -> BreakGlass:
    """Give the access that somebody else asked for, from now on.

    `document_id` says which document is meant, where several are called so. Raises `Forbidden`
    for whoever asked and without the role, `NotFound` for the request or its document, `Conflict`
    if it no longer waits, several documents are meant, or it would stay closed all the same.
    """
    found, person = _waiting(conn, request_id, approver)
    if not may_open(person):
        raise Conflict("Whoever asked may not read documents at all.")
    if not found.collection:
        meant = _meant(conn, found, document_id)
        break_glass.settle_on(conn, found.id, meant)
        found = _now(conn, request_id)
    elif document_id:
        raise InvalidRequest("A collection was asked for, not a document.")
    break_glass.open_up(conn, found, person.principal, approver.id)
    if found.document_id:
        _check_opened(conn, found.document_id, person, max_age_s)
    return _now(conn, request_id)


def refuse(conn: Connection, request_id: str, refuser: Person, answer: str = "") -> BreakGlass:
    """Refuse what somebody else asked for, perhaps saying why; raises as `approve` does."""
    found, _ = _waiting(conn, request_id, refuser)
    break_glass.refuse(conn, found.id, refuser.id, answer.strip())
    return _now(conn, request_id)


def candidates(
    conn: Connection, request_id: str, approver: Person, max_age_s: float = 0.0
) -> list[Candidate]:
    """Return the documents that a waiting request may mean, at most ten; none of another one.

    What is called so by its title counts, but no title is told. Raises `Forbidden` and `NotFound`
    as `approve` does.
    """
    found, person = _decidable(conn, request_id, approver)
    rows = _called(conn, found) if found.state == "asked" else []
    decided = decisions_on(conn, rows, principals_of(conn, person), max_age_s)
    return [
        Candidate(
            row.id, row.source, row.facts.collection, decided[row.id].allowed, decided[row.id].rule
        )
        for row in rows
    ]


def end(conn: Connection, request_id: str, by: Person | None) -> BreakGlass:
    """End a request, or withdraw it: whoever asked, who may approve, or (None) an operator.

    Raises `NotFound` for a foreign and a missing one alike, `Conflict` if it has ended.
    """
    found = break_glass.request(conn, request_id, lock=True)
    person = person_by_id(conn, found.person_id) if found is not None else None
    if found is None or person is None or not _may_end(person, by):
        raise NotFound(f"There is no request {request_id!r}.")
    if found.state in {"ended", "lapsed", "refused"}:
        raise Conflict(f"The request is {found.state} already.")
    break_glass.close(conn, found)
    return _now(conn, request_id)


def expire(conn: Connection) -> list[BreakGlass]:
    """Tidy up after the requests that expired; they have opened nothing since."""
    found = break_glass.expired(conn)
    for one in found:
        break_glass.close(conn, one)
    return found


def renew(conn: Connection, principals: Collection[Principal]) -> None:
    """Open again what a sync has closed, for a holder of approved requests."""
    if grants := [name for name in principals if name.startswith(GRANT)]:
        for one in break_glass.active(conn, grants):
            break_glass.widen(conn, one)


def grants_of(caller: Caller) -> list[Principal]:
    """Return the principals of the approved requests that a caller holds."""
    return sorted(name for name in caller.principals if name.startswith(GRANT))


def uses(conn: Connection, caller: Caller, document_ids: Collection[str]) -> list[Use]:
    """Return which of these documents a caller reads by an approved request alone."""
    grants = grants_of(caller)
    if not grants:
        return []
    rows = [row for one in sorted(set(document_ids)) if (row := document(conn, DocumentId(one)))]
    without = decisions_on(conn, rows, caller.principals - set(grants))
    found = []
    for grant in grants:
        alone = decisions_on(conn, rows, caller.principals - (set(grants) - {grant}))
        found += [
            Use(grant.removeprefix(GRANT), row.id)
            for row in rows
            if alone[row.id].allowed and not without[row.id].allowed
        ]
    return found


def same_tenant(person: Person, other: Person) -> bool:
    """Whether somebody may know of a person's requests: of one company, or of none."""
    return person.company == other.company or not other.company


def _waiting(conn: Connection, request_id: str, decider: Person) -> tuple[BreakGlass, Person]:
    """Return a request that waits for this person among others, and who asked."""
    found, person = _decidable(conn, request_id, decider)
    if found.state != "asked":
        raise Conflict(f"The request no longer waits: it is {found.state}.")
    return found, person


def _decidable(conn: Connection, request_id: str, decider: Person) -> tuple[BreakGlass, Person]:
    """Return a request that this person may decide on, locked, and who asked."""
    if decider.disabled_at is not None or not PERMISSIONS["approve_access"] & decider.roles:
        raise Forbidden()
    found = break_glass.request(conn, request_id, lock=True)
    person = person_by_id(conn, found.person_id) if found is not None else None
    if found is None or person is None or not same_tenant(person, decider):
        raise NotFound(f"There is no request {request_id!r}.")
    if person.id == decider.id:
        raise Forbidden("Nobody decides on what they asked for themselves.")
    return found, person


def _called(conn: Connection, found: BreakGlass) -> list[DocumentRow]:
    if found.named:
        return documents_called(conn, found.named, by_title=True)
    row = document(conn, DocumentId(found.document_id)) if found.document_id else None
    return [row] if row is not None else []


def _meant(conn: Connection, found: BreakGlass, chosen: str) -> str:
    """Return the document that is meant: the one that was chosen, or the only one called so."""
    called = [row.id for row in _called(conn, found)]
    if not called or (chosen and chosen not in called):
        raise NotFound(f"There is no live document {chosen or found.document_id or found.named!r}.")
    if not chosen and len(called) > 1:
        raise Conflict(f"Several documents are called so; name one by its id: {', '.join(called)}.")
    return chosen or called[0]


def _check_opened(conn: Connection, document_id: str, person: Person, max_age_s: float) -> None:
    row = document(conn, DocumentId(document_id))
    if row is None:
        return
    decision = decisions_on(conn, [row], principals_of(conn, person), max_age_s)[row.id]
    if not decision.allowed:
        raise Conflict(f"The document would stay closed: {decision.rule}. No request opens that.")


def _may_end(person: Person, by: Person | None) -> bool:
    if by is None or by.id == person.id:
        return True
    return bool(PERMISSIONS["approve_access"] & by.roles) and same_tenant(person, by)


def _now(conn: Connection, request_id: str) -> BreakGlass:
    found = break_glass.request(conn, request_id)
    if found is None:
        raise NotFound()
    return found
