"""Receipts of answers, and the verification of the log they come from."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from fastapi import APIRouter

from assistant.api.deps import AssistantOf, Auditor, ReceiptHolder
from assistant.api.schemas.operations import VerificationBody
from assistant.audit.event import AuditRead, Event, QueryFinished, actor_of
from assistant.domain import Caller
from assistant.errors import NotFound

router = APIRouter(tags=["audit"])


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


@router.get("/v1/audit/verify")
def verify(assistant: AssistantOf, caller: Auditor) -> VerificationBody:
    """Hash every event again and compare with every signed head."""
    found = assistant.audit.verify()
    read = AuditRead(0, max(found.n_events - 1, 0), "verify")
    assistant.audit.record(Event(actor_of(caller), read))
    return VerificationBody(**dataclasses.asdict(found))


def _is_own(event: dict[str, Any], caller: Caller) -> bool:
    return bool(event["actor"]["person_id"] == caller.person_id)
