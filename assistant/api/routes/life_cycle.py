"""Holds are an auditor's, erasures and retention an administrator's: neither does the other's."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter, status

from assistant.api.deps import AssistantOf, Forgetter, Holder, LifeCycleViewer
from assistant.api.schemas.life_cycle import (
    CertificateBody,
    ErasureBody,
    ErasureList,
    HoldBody,
    HoldList,
    NewHold,
    PlacesBody,
    Released,
    RetentionPlan,
    Subject,
)
from assistant.audit.event import Event, actor_of
from assistant.audit.life_cycle import HoldChanged
from assistant.errors import InvalidRequest, NotFound
from assistant.lifecycle import retention
from assistant.lifecycle.erasure import Eraser
from assistant.store import erasing, holds, tombstones
from assistant.wiring import Assistant

router = APIRouter(tags=["life cycle"])


@router.get("/v1/holds")
def all_holds(assistant: AssistantOf, caller: LifeCycleViewer) -> HoldList:
    """List the legal holds, released ones too."""
    del caller
    with assistant.database.begin() as conn:
        found = holds.listed(conn)
    return HoldList(holds=[HoldBody(**dataclasses.asdict(hold)) for hold in found])


@router.post("/v1/holds", status_code=status.HTTP_201_CREATED)
def place_hold(assistant: AssistantOf, caller: Holder, new: NewHold) -> HoldBody:
    """Forbid to erase or forget what is named, until the hold is released."""
    if (new.kind == "everything") == bool(new.value):
        raise InvalidRequest("Name what to hold; only `everything` stands alone.")
    with assistant.database.begin() as conn:
        hold = holds.create(conn, new.kind, new.value, new.reason, caller.person_id)
        changed = HoldChanged(hold.id, "created")
        assistant.audit.append(conn, Event(actor_of(caller), changed))
    return HoldBody(**dataclasses.asdict(hold))


@router.post("/v1/holds/{hold_id}/release")
def release_hold(assistant: AssistantOf, caller: Holder, hold_id: str) -> HoldBody:
    """End a hold."""
    with assistant.database.begin() as conn:
        hold = holds.release(conn, hold_id)
        changed = HoldChanged(hold.id, "released")
        assistant.audit.append(conn, Event(actor_of(caller), changed))
    return HoldBody(**dataclasses.asdict(hold))


@router.get("/v1/erasures")
def all_erasures(assistant: AssistantOf, caller: LifeCycleViewer) -> ErasureList:
    """List the erasures: when, how much, and how much of it stays out of syncs; not of whom."""
    del caller
    with assistant.database.begin() as conn:
        found, kept_out = erasing.listed(conn), tombstones.counts(conn)
    return ErasureList(
        erasures=[
            ErasureBody(
                id=one.id,
                started_at=one.started_at,
                finished_at=one.finished_at,
                n_documents=len(one.document_ids),
                n_persons=len(one.person_ids),
                n_kept_out=kept_out.get(one.id, 0),
            )
            for one in found
        ]
    )


@router.post("/v1/erasures/dry-run")
def find_subject(assistant: AssistantOf, caller: Forgetter, subject: Subject) -> PlacesBody:
    """Count the places where a person is; nothing is changed."""
    del caller
    places = dataclasses.asdict(_eraser(assistant).find(subject.names))
    return PlacesBody(**{name: len(v) if isinstance(v, tuple) else v for name, v in places.items()})


@router.post("/v1/erasures", status_code=status.HTTP_201_CREATED)
def erase(assistant: AssistantOf, caller: Forgetter, subject: Subject) -> CertificateBody:
    """Erase a person everywhere, and return the certificate; 409 if a legal hold covers some."""
    done = _eraser(assistant).erase(subject.names, actor_of(caller))
    return CertificateBody.model_validate(done)


@router.get("/v1/erasures/{erasure_id}/certificate")
def certificate(
    assistant: AssistantOf, caller: LifeCycleViewer, erasure_id: str
) -> CertificateBody:
    """Return the certificate of an erasure that is finished."""
    del caller
    with assistant.database.begin() as conn:
        found = next((one for one in erasing.listed(conn) if one.id == erasure_id), None)
    if found is None or found.certificate is None:
        raise NotFound()
    return CertificateBody.model_validate(found.certificate)


@router.post("/v1/erasures/{erasure_id}/release")
def release_erasure(assistant: AssistantOf, caller: Forgetter, erasure_id: str) -> Released:
    """Let syncs bring back what an erasure took."""
    return Released(n_items=_eraser(assistant).release(erasure_id, actor_of(caller)))


@router.get("/v1/retention")
def retention_plan(assistant: AssistantOf, caller: LifeCycleViewer) -> RetentionPlan:
    """Say what is older than the retention, and what of it holds keep; nothing is changed."""
    del caller
    months = assistant.settings.audit.retention_months
    with assistant.database.snapshot() as conn:
        plan = retention.plan(conn, months)
    return RetentionPlan(kept_months=months, **dataclasses.asdict(plan))


@router.post("/v1/retention/runs", status_code=status.HTTP_201_CREATED)
def run_retention(assistant: AssistantOf, caller: Forgetter) -> RetentionPlan:
    """Forget what is older than the retention, unless a hold keeps it."""
    settings = assistant.settings
    done = retention.run(
        assistant.database,
        assistant.audit,
        settings.data_dir,
        settings.audit.retention_months,
        actor_of(caller),
    )
    return RetentionPlan(
        kept_months=settings.audit.retention_months,
        **dataclasses.asdict(done.plan),
        keys_files_not_renewed=list(done.keys_files_not_renewed),
    )


def _eraser(assistant: Assistant) -> Eraser:
    return Eraser(assistant.database, assistant.audit, assistant.settings.data_dir)
