"""Access for a while: one person asks, another approves, it ends by itself, all is recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import Connection

from assistant.access import break_glass
from assistant.api.deps import Approver, AssistantOf, PeopleViewer, Reader, SignedIn
from assistant.api.schemas.break_glass import BreakGlassBody, BreakGlassList, NewBreakGlass
from assistant.audit.break_glass import BreakGlassApproved, BreakGlassAsked, BreakGlassEnded
from assistant.audit.event import Event, actor_of
from assistant.audit.uses import record_expired
from assistant.domain import Caller
from assistant.errors import Unauthenticated
from assistant.store import break_glass as rows
from assistant.store.people import Person, person_by_id

router = APIRouter(prefix="/v1/break-glass", tags=["access"])

Id = Annotated[str, Path(max_length=100)]


@router.post("", status_code=201)
def ask(assistant: AssistantOf, caller: Reader, new: NewBreakGlass) -> BreakGlassBody:
    """Ask for a document or a collection for a while; says nothing of whether it exists."""
    with assistant.database.begin() as conn:
        found = break_glass.ask(
            conn,
            _person(conn, caller),
            document_id=new.document_id,
            collection=new.collection,
            reason=new.reason,
            hours=new.hours,
            max_hours=assistant.settings.access.break_glass_hours,
        )
        asked = BreakGlassAsked(
            found.id, found.document_id, found.collection, found.hours, found.reason
        )
        assistant.audit.append(conn, Event(actor_of(caller), asked))
    return BreakGlassBody.of(found)


@router.get("")
def everything(assistant: AssistantOf, caller: PeopleViewer) -> BreakGlassList:
    """List everybody's requests: those that wait, are active, have ended or lapsed."""
    del caller
    with assistant.database.begin() as conn:
        record_expired(assistant.audit, conn)
        found = rows.requests(conn)
    return BreakGlassList(requests=[BreakGlassBody.of(one) for one in found])


@router.get("/mine")
def mine(assistant: AssistantOf, caller: Reader) -> BreakGlassList:
    """List the caller's own requests."""
    with assistant.database.begin() as conn:
        found = rows.requests(conn, caller.person_id)
    return BreakGlassList(requests=[BreakGlassBody.of(one) for one in found])


@router.post("/{request_id}/approve")
def approve(assistant: AssistantOf, caller: Approver, request_id: Id) -> BreakGlassBody:
    """Give somebody else the access that they asked for, from now on."""
    max_age_s = assistant.settings.sync.acl_max_age_s
    with assistant.database.begin() as conn:
        record_expired(assistant.audit, conn)
        found = break_glass.approve(conn, request_id, _person(conn, caller), max_age_s)
        approved = BreakGlassApproved(found.id, found.person_id, str(found.expires_at))
        assistant.audit.append(conn, Event(actor_of(caller), approved))
    return BreakGlassBody.of(found)


@router.post("/{request_id}/end")
def end(assistant: AssistantOf, caller: SignedIn, request_id: Id) -> BreakGlassBody:
    """End access, or withdraw a request: whoever asked, and whoever may approve."""
    with assistant.database.begin() as conn:
        found = break_glass.end(conn, request_id, _person(conn, caller))
        how = "ended" if found.approved_at is not None else "withdrawn"
        ended = BreakGlassEnded(found.id, found.person_id, how)
        assistant.audit.append(conn, Event(actor_of(caller), ended))
    return BreakGlassBody.of(found)


def _person(conn: Connection, caller: Caller) -> Person:
    person = person_by_id(conn, caller.person_id)
    if person is None:
        raise Unauthenticated()
    return person
