"""Searching without an answer."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter

from assistant.access.break_glass import grants_of
from assistant.answering.transcript import passage_json
from assistant.api.deps import AssistantOf, Reader
from assistant.api.schemas.questions import Hits, Search
from assistant.audit.uses import mark_uses
from assistant.text.language import question_language

router = APIRouter(tags=["search"])


@router.post("/v1/search", response_model=Hits)
def search(assistant: AssistantOf, caller: Reader, wanted: Search) -> dict[str, Any]:
    """Return the passages that the caller may read and that fit best."""
    started = time.perf_counter()
    found = assistant.retriever.retrieve(
        wanted.query,
        caller,
        k=wanted.k,
        lang=wanted.lang or question_language(wanted.query),
        metadata=wanted.filters.as_metadata(),
    )
    if grants_of(caller):
        with assistant.database.begin() as conn:
            read = [passage.document_id for passage in found.passages]
            mark_uses(assistant.audit, conn, caller, read, "search")
    hits = [passage_json(passage) for passage in found.passages]
    return {"hits": hits, "seconds": round(time.perf_counter() - started, 3)}
