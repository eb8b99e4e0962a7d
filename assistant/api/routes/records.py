"""Typed records of the documents that the caller may read, and their sums."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from assistant.access.acl import access_filter, confirmed_since
from assistant.api.deps import AssistantOf, Reader
from assistant.api.schemas.records import RecordsBody, record_body, total_body
from assistant.audit.event import DocumentOpened, Event, actor_of
from assistant.audit.uses import mark_uses
from assistant.errors import InvalidRequest
from assistant.store import records
from assistant.store.patients import with_other_names
from assistant.store.records import Asked

router = APIRouter(tags=["records"])

Word = Annotated[str, Query(max_length=200)]
Words = Annotated[list[Annotated[str, Query(max_length=200)]], Query(max_length=50)]
Amount = Annotated[Decimal | None, Query(max_digits=38, decimal_places=12)]


def asked(
    kind: Words = [],  # noqa: B006 - pydantic copies it
    subject: Words = [],  # noqa: B006
    record_id: Annotated[Word, Query(alias="id")] = "",
    since: Annotated[date | None, Query(description="its period ends then or later")] = None,
    until: Annotated[date | None, Query(description="it begins then or before")] = None,
    key: Annotated[Word, Query(description="a value with an amount, to filter by and to sum")] = "",
    unit: Annotated[str | None, Query(max_length=200)] = None,
    least: Amount = None,
    most: Amount = None,
) -> Asked:
    """Return what a request asks for; raises `InvalidRequest` for a range of no value."""
    if not key and (unit is not None or least is not None or most is not None):
        raise InvalidRequest("`unit`, `least` and `most` speak of a value; name it with `key`.")
    return Asked(
        frozenset(kind), frozenset(subject), record_id, since, until, key, unit, least, most
    )


@router.get("/v1/records")
def show(
    assistant: AssistantOf,
    caller: Reader,
    wanted: Annotated[Asked, Depends(asked)],
    limit: Annotated[int, Query(ge=0, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> RecordsBody:
    """Return records with the passage that words each, their number by kind, and sums by unit."""
    with assistant.database.begin() as conn:
        since = confirmed_since(conn, assistant.settings.sync.acl_max_age_s)
        access = access_filter(conn, caller)
        readable, closed = access.access_ids, access.closed_collections
        wanted = with_other_names(
            conn, readable, wanted, confirmed_since=since, closed_collections=closed
        )
        found = records.find(
            conn,
            readable,
            wanted,
            confirmed_since=since,
            closed_collections=closed,
            limit=limit,
            offset=offset,
        )
        counts = records.counts(
            conn, readable, wanted, confirmed_since=since, closed_collections=closed
        )
        totals = (
            records.totals(conn, readable, wanted, confirmed_since=since, closed_collections=closed)
            if wanted.key
            else []
        )
        for document_id, version_no in sorted({(one.document_id, one.version_no) for one in found}):
            opened = DocumentOpened(document_id, version_no, "records")
            assistant.audit.append(conn, Event(actor_of(caller), opened))
            mark_uses(assistant.audit, conn, caller, [document_id], "records")
    return RecordsBody(
        records=[record_body(one) for one in found],
        counts=counts,
        totals=[total_body(total) for total in totals],
    )
