"""A document and its passages."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class PassageBody(BaseModel):
    """A stored piece of a document."""

    chunk_id: int
    text: str
    heading: list[str]
    page: int | None
    boxes: list[tuple[int, float, float, float, float]]


class DocumentBody(BaseModel):
    """A document as it is now; `n_pages` is None for documents without page images.

    `passages` are at most 500, those around the chunk that was asked for; `n_passages` is how
    many there are.
    """

    id: str
    title: str
    uri: str
    version: int
    media_type: str
    lang: str
    collection: str
    industry: str
    modified_at: datetime | None
    n_pages: int | None
    superseded: bool
    n_passages: int
    passages: list[PassageBody]
