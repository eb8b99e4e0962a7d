"""Access for a while: one person asks, another approves, it ends by itself, all is recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import Connection

from assistant.access import break_glass
from assistant.access.names import names_in
from assistant.api.deps import Approver, AssistantOf, PeopleViewer, Reader, SignedIn
from assistant.api.schemas.break_glass import (
    Approval,
    BreakGlassBody,
    BreakGlassList,
    CandidateList,
    NewBreakGlass,
    Refusal,
)
from assistant.audit.break_glass import (
    BreakGlassApproved,
    BreakGlassAsked,
    BreakGlassEnded,
    BreakGlassRefused,
)
from assistant.audit.event import AccessExamined, Event, actor_of
from assistant.audit.uses import record_expired
from assistant.domain import Caller
from assistant.errors import Unauthenticated
from assistant.store import break_glass as rows
from assistant.store.break_glass import BreakGlass
from assistant.store.people import Person, people_by_id, person_by_id

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
            named=new.named,
            collection=new.collection,
            reason=new.reason,
            hours=new.hours,
            max_hours=assistant.settings.access.break_glass_hours,
        )
        asked = BreakGlassAsked(
            found.id, found.document_id, found.collection, found.hours, found.reason, found.named
        )
        assistant.audit.append(conn, Event(actor_of(caller), asked))
        return _bodies(conn, [found])[0]


@router.get("")
def everything(assistant: AssistantOf, caller: PeopleViewer) -> BreakGlassList:
    """List the requests of everybody in the caller's company, and for auditors everybody's."""
    with assistant.database.begin() as conn:
        record_expired(assistant.audit, conn)
        found = _known_to(conn, caller, rows.requests(conn))
        bodies = _bodies(conn, found)
    return BreakGlassList(requests=bodies, max_hours=assistant.settings.access.break_glass_hours)


@router.get("/mine")
def mine(assistant: AssistantOf, caller: Reader) -> BreakGlassList:
    """List the caller's own requests."""
    with assistant.database.begin() as conn:
        bodies = _bodies(conn, rows.requests(conn, caller.person_id))
    return BreakGlassList(requests=bodies, max_hours=assistant.settings.access.break_glass_hours)


@router.get("/{request_id}/documents")
def meant(assistant: AssistantOf, caller: Approver, request_id: Id) -> CandidateList:
    """List the documents that somebody's request may mean, by id and never by title."""
    max_age_s = assistant.settings.sync.acl_max_age_s
    with assistant.database.begin() as conn:
        approver = _person(conn, caller)
        found = break_glass.candidates(conn, request_id, approver, max_age_s)
        for document_id in [one.document_id for one in found] or [""]:
            looked = AccessExamined("break-glass", (), document_id)
            assistant.audit.append(conn, Event(actor_of(caller), looked))
        told = [dataclasses.asdict(one) for one in found]
        names = [dataclasses.asdict(name) for name in names_in(conn, told).values()]
    return CandidateList.model_validate({"documents": told, "names": names})


@router.post("/{request_id}/approve")
def approve(
    assistant: AssistantOf, caller: Approver, request_id: Id, approval: Approval | None = None
) -> BreakGlassBody:
    """Give somebody else the access that they asked for, from now on."""
    max_age_s = assistant.settings.sync.acl_max_age_s
    chosen = approval.document_id if approval is not None else ""
    with assistant.database.begin() as conn:
        record_expired(assistant.audit, conn)
        approver = _person(conn, caller)
        found = break_glass.approve(conn, request_id, approver, max_age_s, document_id=chosen)
        approved = BreakGlassApproved(
            found.id, found.person_id, str(found.expires_at), found.document_id
        )
        assistant.audit.append(conn, Event(actor_of(caller), approved))
        return _bodies(conn, [found])[0]


@router.post("/{request_id}/refuse")
def refuse(
    assistant: AssistantOf, caller: Approver, request_id: Id, refusal: Refusal | None = None
) -> BreakGlassBody:
    """Refuse what somebody else asked for, and perhaps tell them why."""
    answer = refusal.answer if refusal is not None else ""
    with assistant.database.begin() as conn:
        found = break_glass.refuse(conn, request_id, _person(conn, caller), answer)
        refused = BreakGlassRefused(found.id, found.person_id, found.answer)
        assistant.audit.append(conn, Event(actor_of(caller), refused))
        return _bodies(conn, [found])[0]


@router.post("/{request_id}/end")
def end(assistant: AssistantOf, caller: SignedIn, request_id: Id) -> BreakGlassBody:
    """End access, or withdraw a request: whoever asked, and whoever may approve."""
    with assistant.database.begin() as conn:
        found = break_glass.end(conn, request_id, _person(conn, caller))
        how = "ended" if found.approved_at is not None else "withdrawn"
        ended = BreakGlassEnded(found.id, found.person_id, how)
        assistant.audit.append(conn, Event(actor_of(caller), ended))
        return _bodies(conn, [found])[0]


def _person(conn: Connection, caller: Caller) -> Person:
    person = person_by_id(conn, caller.person_id)
    if person is None:
        raise Unauthenticated()
    return person


def _known_to(conn: Connection, caller: Caller, found: Sequence[BreakGlass]) -> list[BreakGlass]:
    """Return the requests that a caller may know of: those that an approver could approve."""
    if "auditor" in caller.roles:
        return list(found)
    viewer = _person(conn, caller)
    people = people_by_id(conn, {one.person_id for one in found})
    return [one for one in found if break_glass.same_tenant(people[one.person_id], viewer)]


def _bodies(conn: Connection, found: Sequence[BreakGlass]) -> list[BreakGlassBody]:
    named = {name for one in found for name in (one.person_id, one.approved_by, one.refused_by)}
    people = people_by_id(conn, {name for name in named if name})
    return [BreakGlassBody.of(one, people) for one in found]
