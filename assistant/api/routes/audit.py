"""Receipts of answers; for auditors the log they come from, and every look into it is recorded."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from assistant.answering import replay as replays
from assistant.api import problems
from assistant.api.deps import AssistantOf, Auditor, Exporter, ReceiptHolder
from assistant.api.schemas.audit import (
    AccountBody,
    EventFilter,
    EventList,
    Head,
    Heads,
    ReplayBody,
)
from assistant.api.schemas.operations import VerificationBody
from assistant.api.verification import Walk
from assistant.audit import account as accounts
from assistant.audit import siem, verifier
from assistant.audit.event import AuditRead, Event, QueryFinished, actor_of
from assistant.audit.keys import public_pem
from assistant.audit.receipt import head_json
from assistant.domain import Caller
from assistant.errors import NotFound

router = APIRouter(tags=["audit"])

WATCHED = """`progress` with `n_events` hashed `of` so many, and last `done` with what was found, or
`problem` (RFC 9457)."""


@router.get("/v1/receipts/{receipt_id}")
def receipt(assistant: AssistantOf, caller: ReceiptHolder, receipt_id: str) -> dict[str, Any]:
    """Return the receipt of an answer: to the person it was given to, and to auditors."""
    if not (receipt_id.isascii() and receipt_id.isdecimal() and len(receipt_id) < 19):
        raise NotFound()
    try:
        found = assistant.audit.receipt(int(receipt_id))
    except NotFound as error:
        raise NotFound() from error
    event = cast("dict[str, Any]", found["event"])
    if event["type"] != QueryFinished.type:
        raise NotFound()
    if "auditor" in caller.roles:
        read = AuditRead(event["seq"], event["seq"], "receipt")
        assistant.audit.record(Event(actor_of(caller), read))
    elif not _is_own(event, caller):
        raise NotFound()
    return found


@router.get("/v1/audit/events")
def events(
    assistant: AssistantOf, caller: Auditor, wanted: Annotated[EventFilter, Query()]
) -> EventList:
    """Find events by person, subject (a document, source or conversation), type and time."""
    found = [json.loads(body) for body in assistant.audit.find(wanted.as_wanted(), wanted.limit)]
    first, last = (found[-1]["seq"], found[0]["seq"]) if found else (0, -1)
    assistant.audit.record(Event(actor_of(caller), AuditRead(first, last, "search")))
    more = len(found) == wanted.limit
    return EventList(events=found, next_before=found[-1]["seq"] if more else None)


@router.get("/v1/audit/events/{seq}")
def prove(
    assistant: AssistantOf, caller: Auditor, seq: Annotated[int, Path(ge=0, lt=2**62)]
) -> dict[str, Any]:
    """Return any event with the proof that it is in the signed log."""
    found = assistant.audit.receipt(seq)
    assistant.audit.record(Event(actor_of(caller), AuditRead(seq, seq, "prove")))
    return found


@router.get("/v1/audit/queries/{query_id}")
def account(assistant: AssistantOf, caller: Auditor, query_id: str) -> AccountBody:
    """Tell all that the log has of one question, with its proof checked anew."""
    read = AuditRead(0, -1, f"account {query_id[:64]}")
    assistant.audit.record(Event(actor_of(caller), read))
    return AccountBody.of(accounts.account(assistant.audit, query_id))


@router.post("/v1/audit/queries/{query_id}/replay")
def replay(assistant: AssistantOf, caller: Auditor, query_id: str) -> ReplayBody:
    """Search once more as of a question's moment, compare, and tell who may read what now."""
    assistant.audit.record(Event(actor_of(caller), AuditRead(0, -1, f"replay {query_id[:64]}")))
    found = replays.replay(
        query_id,
        audit=assistant.audit,
        database=assistant.database,
        retriever=assistant.retriever,
        embedder=assistant.embedder.name,
    )
    return ReplayBody(**dataclasses.asdict(found))


@router.get("/v1/audit/heads")
def heads(
    assistant: AssistantOf,
    caller: Auditor,
    after: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> Heads:
    """Return signed heads over more than so many events, to keep out of the operators' reach."""
    del caller
    pem = public_pem(assistant.audit.public_key).decode()
    found = assistant.audit.heads(after, limit)
    return Heads(
        public_key=pem,
        heads=[Head.model_validate(head_json(head)) for head in found],
        next_after=found[-1].size if len(found) == limit else None,
    )


@router.get(
    "/v1/audit/verifier",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def offline_verifier(caller: Auditor) -> PlainTextResponse:
    """Return the program that verifies receipts and exports on a machine of the auditor's own."""
    del caller
    return PlainTextResponse(FilePath(verifier.__file__).read_text(encoding="utf-8"))


@router.get(
    "/v1/audit/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
def export(
    assistant: AssistantOf,
    caller: Exporter,
    first: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    last: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    format: Annotated[Literal["jsonl", "cef", "ocsf"], Query()] = "jsonl",  # noqa: A002
) -> StreamingResponse:
    """Stream events, one a line; JSONL ends with the proof that the offline verifier checks."""
    end = assistant.audit.size if last is None else last + 1
    read = AuditRead(first, end - 1, f"export {format}")
    assistant.audit.record(Event(actor_of(caller), read))
    lines = assistant.audit.export(first, end)
    begun = chain([next(lines)], lines)  # a wrong range is a problem, not a cut stream
    if format == "jsonl":
        return StreamingResponse(begun, media_type="application/x-ndjson")
    write = siem.cef if format == "cef" else siem.ocsf
    shown = (write(line.rstrip(b"\n")) for line in begun if not line.startswith(b'{"proof"'))
    media_type = "text/plain" if format == "cef" else "application/x-ndjson"
    return StreamingResponse(shown, media_type=media_type)


@router.get("/v1/audit/verify")
def verify(assistant: AssistantOf, caller: Auditor) -> VerificationBody:
    """Hash every event again and compare with every signed head."""
    found = assistant.audit.verify()
    read = AuditRead(0, max(found.n_events - 1, 0), "verify")
    assistant.audit.record(Event(actor_of(caller), read))
    return VerificationBody(**dataclasses.asdict(found))


def watched(assistant: AssistantOf, caller: Auditor) -> Walk:
    """Record that the log is verified, before its first event is looked at."""
    read = AuditRead(0, max(assistant.audit.size - 1, 0), "verify")
    assistant.audit.record(Event(actor_of(caller), read))
    return Walk(assistant.audit)


@router.get(
    "/v1/audit/verification",
    response_class=EventSourceResponse,
    responses={200: {"description": WATCHED}},
)
async def verification(
    request: Request, walk: Annotated[Walk, Depends(watched)]
) -> AsyncIterator[ServerSentEvent]:
    """Verify as `/v1/audit/verify`, and tell how far it is."""
    async for name, data in problems.caught(walk.told(), request.url.path):
        yield ServerSentEvent(event=name, data=data)


def _is_own(event: dict[str, Any], caller: Caller) -> bool:
    return bool(event["actor"]["person_id"] == caller.person_id)
