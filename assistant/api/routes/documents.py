"""A document that a citation leads to, and pictures of its pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Connection

from assistant.access.acl import readable_document
from assistant.api import pages
from assistant.api.deps import AssistantOf, Reader
from assistant.api.schemas.documents import DocumentBody, PassageBody
from assistant.audit.event import DocumentOpened, Event, actor_of
from assistant.audit.uses import mark_uses
from assistant.domain import Caller, DocumentId, PageBox
from assistant.errors import NotFound
from assistant.store import passages
from assistant.store.passages import DocumentRow, PassageRow
from assistant.wiring import Assistant

router = APIRouter(prefix="/v1/documents", tags=["documents"])

N_PASSAGES = 500

_PDF = "application/pdf"

ChunkAsked = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="a chunk to show")]


@router.get("/{document_id}")
def show(
    assistant: AssistantOf, caller: Reader, document_id: str, chunk: ChunkAsked = None
) -> DocumentBody:
    """Show a document as it is now, with its passages."""
    with assistant.database.begin() as conn:
        row = _readable(conn, assistant, caller, document_id)
        content = _pdf(conn, row)
        found = passages.document_chunks(conn, row.id)
        _opened(conn, assistant, caller, row, "document")
    facts = row.facts
    return DocumentBody(
        id=row.id,
        title=facts.title,
        uri=facts.uri,
        version=row.version_no,
        media_type=facts.media_type,
        lang=facts.lang,
        collection=facts.collection,
        industry=facts.industry,
        modified_at=facts.modified_at,
        n_pages=_n_pages(content),
        superseded=row.superseded,
        n_passages=len(found),
        passages=[_passage(one) for one in _around(found, chunk)],
    )


@router.get(
    "/{document_id}/pages/{page}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "the page as a picture"}},
)
def page_image(
    assistant: AssistantOf,
    caller: Reader,
    document_id: str,
    page: Annotated[int, Path(ge=1, le=100_000)],
    chunk: ChunkAsked = None,
) -> Response:
    """Show a page of a PDF with a chunk's place marked."""
    with assistant.database.begin() as conn:
        row = _readable(conn, assistant, caller, document_id)
        content = _pdf(conn, row)
        if content is None:
            raise NotFound()
        boxes = _boxes(conn, row, chunk)
        _opened(conn, assistant, caller, row, f"page {page}")
    return Response(pages.page_image(content, page, boxes), media_type="image/png")


def _readable(
    conn: Connection, assistant: Assistant, caller: Caller, document_id: str
) -> DocumentRow:
    """Return a document; raises `NotFound` for a foreign one and a missing one alike."""
    max_age_s = assistant.settings.sync.acl_max_age_s
    row = readable_document(conn, caller, DocumentId(document_id), max_age_s)
    if row is None:
        raise NotFound()
    return row


def _pdf(conn: Connection, row: DocumentRow) -> bytes | None:
    if row.original_sha256 is None or row.facts.media_type != _PDF:
        return None
    kept = passages.original(conn, row.original_sha256)
    return kept.content if kept is not None else None


def _n_pages(content: bytes | None) -> int | None:
    """Count the pages that can be drawn; a damaged file has none, its passages remain."""
    if content is None:
        return None
    try:
        return pages.n_pages(content)
    except pages.PageUnreadable:
        return None


def _boxes(conn: Connection, row: DocumentRow, chunk: int | None) -> tuple[PageBox, ...]:
    """Return a chunk's boxes; one that is not of this document as it is now has none."""
    if chunk is None:
        return ()
    found = passages.document_chunks(conn, row.id)
    return next((one.chunk.boxes for one in found if one.chunk_id == chunk), ())


def _opened(
    conn: Connection, assistant: Assistant, caller: Caller, row: DocumentRow, part: str
) -> None:
    """Record the reading; the document is shown only if that is committed."""
    opened = DocumentOpened(row.id, row.version_no, part)
    assistant.audit.append(conn, Event(actor_of(caller), opened))
    mark_uses(assistant.audit, conn, caller, [row.id], part)


def _around(found: list[PassageRow], chunk: int | None) -> list[PassageRow]:
    """Return at most 500 passages: those around a chunk, or the first."""
    wanted = next((i for i, one in enumerate(found) if one.chunk_id == chunk), 0)
    start = max(0, min(wanted - N_PASSAGES // 2, len(found) - N_PASSAGES))
    return found[start : start + N_PASSAGES]


def _passage(row: PassageRow) -> PassageBody:
    return PassageBody(
        chunk_id=row.chunk_id,
        text=row.chunk.text,
        heading=list(row.chunk.heading),
        page=row.chunk.page,
        boxes=list(row.chunk.boxes),
    )
