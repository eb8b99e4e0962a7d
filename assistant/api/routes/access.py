"""Who may read what, for administrators; and for readers, why they don't see something."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from assistant.access.comparison import Comparison, compare
from assistant.access.explanation import Explanation, explain
from assistant.access.invisibility import why
from assistant.access.names import names_in
from assistant.access.readers import Readers, Reading, one_called, readers, reading
from assistant.access.simulation import simulate
from assistant.api.deps import AssistantOf, Examiner, Reader
from assistant.api.schemas.access import (
    ChangeBody,
    ComparisonBody,
    ExplanationBody,
    InvisibilityBody,
    ReadersBody,
    ReadingBody,
    SimulationBody,
)
from assistant.audit.event import AccessExamined, Event, actor_of
from assistant.domain import Caller
from assistant.wiring import Assistant

router = APIRouter(prefix="/v1/access", tags=["access"])

Login = Annotated[str, Query(min_length=1, max_length=200)]
NameAsked = Annotated[str, Query(min_length=1, max_length=2000)]


@router.get("/explain")
def explained(
    assistant: AssistantOf, caller: Examiner, user: Login, document: NameAsked
) -> ExplanationBody:
    """Explain why a person may read a document or not: groups, entries of its ACL, rule, age."""
    with assistant.database.begin() as conn:
        document_id = one_called(conn, document).id
        found = explain(conn, user, document_id, _max_age_s(assistant))
        _examined(conn, assistant, caller, AccessExamined("explain", (user,), document_id))
        told = _told(conn, found)
    return ExplanationBody.model_validate(told)


@router.get("/reading")
def what_somebody_reads(assistant: AssistantOf, caller: Examiner, user: Login) -> ReadingBody:
    """Count what a person may read, by source, collection and the rule that opens it."""
    with assistant.database.begin() as conn:
        found = reading(conn, user, _max_age_s(assistant))
        _examined(conn, assistant, caller, AccessExamined("reading", (user,)))
        told = _told(conn, found)
    return ReadingBody.model_validate(told)


@router.get("/readers")
def who_reads_it(assistant: AssistantOf, caller: Examiner, document: NameAsked) -> ReadersBody:
    """List who may read a document, named by its id, address or path, and by which rule."""
    with assistant.database.begin() as conn:
        found = readers(conn, document, _max_age_s(assistant))
        _examined(conn, assistant, caller, AccessExamined("readers", (), found.document_id))
        told = _told(conn, found)
    return ReadersBody.model_validate(told)


@router.get("/compare")
def compared(assistant: AssistantOf, caller: Examiner, user: Login, other: Login) -> ComparisonBody:
    """Count what each of two people reads that the other doesn't, by collection."""
    with assistant.database.begin() as conn:
        found = compare(conn, user, other, _max_age_s(assistant))
        _examined(conn, assistant, caller, AccessExamined("compare", (user, other)))
        told = _told(conn, found)
    return ComparisonBody.model_validate(told)


@router.post("/simulate")
def simulated(assistant: AssistantOf, caller: Examiner, proposed: ChangeBody) -> SimulationBody:
    """Work out who would gain and lose what by a change of groups or ACLs; it is not made."""
    with assistant.database.begin() as conn:
        found = simulate(conn, proposed.change(conn), _max_age_s(assistant))
        target = proposed.target.document_id if proposed.target else ""
        _examined(conn, assistant, caller, AccessExamined("simulate", (), target))
    return SimulationBody.model_validate(dataclasses.asdict(found))


@router.get("/why/{document_id}")
def why_not(assistant: AssistantOf, caller: Reader, document_id: str) -> InvisibilityBody:
    """Tell a reader whether they see a document, and otherwise where they could ask."""
    with assistant.database.begin() as conn:
        found = why(conn, caller, document_id, _max_age_s(assistant))
        _examined(conn, assistant, caller, AccessExamined("why", (), document_id[:100]))
    return InvisibilityBody.model_validate(dataclasses.asdict(found))


@router.get("/why")
def why_not_called(assistant: AssistantOf, caller: Reader, document: NameAsked) -> InvisibilityBody:
    """Tell a reader the same of a document that they name by its title, address or path.

    What they typed is not recorded: it may be the title of something.
    """
    with assistant.database.begin() as conn:
        found = why(conn, caller, document, _max_age_s(assistant))
        _examined(conn, assistant, caller, AccessExamined("why"))
    return InvisibilityBody.model_validate(dataclasses.asdict(found))


def _max_age_s(assistant: Assistant) -> float:
    return assistant.settings.sync.acl_max_age_s


def _told(conn: Connection, found: Explanation | Reading | Readers | Comparison) -> dict[str, Any]:
    """Return a finding with what is known of the groups it speaks of."""
    told = dataclasses.asdict(found)
    names = [dataclasses.asdict(one) for one in names_in(conn, told).values()]
    return {**told, "names": names}


def _examined(
    conn: Connection, assistant: Assistant, caller: Caller, examined: AccessExamined
) -> None:
    """Record the look; it is answered only if that is committed."""
    assistant.audit.append(conn, Event(actor_of(caller), examined))
