"""What a document and its chunks are in the store, as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from pydantic import JsonValue

from assistant.domain import Chunk, DocumentId


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to store, with its unit vector and the name of the model that made it."""

    chunk: Chunk
    embedding: NDArray[np.floating[Any]]
    embedder: str


@dataclass(frozen=True, slots=True)
class Original:
    """The file itself, kept for page images and downloads; found by its hash."""

    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the hash that `original` finds the file by."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a document besides its content; changes need no reading of the file.

    `superseded_by` is the external id, in the same source, of the document that replaces it.
    """

    uri: str = ""
    title: str = ""
    media_type: str = ""
    lang: str = ""
    collection: str = ""
    industry: str = ""
    dated: date | None = None
    modified_at: datetime | None = None
    meta: dict[str, JsonValue] = field(default_factory=dict)
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A new document, or a new version of a known one.

    `version` is the source's, `content_sha256` the hash of the text or file that the chunks come
    from, `run_no` the pass that saw it.
    """

    source_id: int
    external_id: str
    version: str
    content_sha256: str
    access_id: int
    facts: Facts = Facts()
    original: Original | None = None
    run_no: int = 0


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What a sync run compares an item with, to see whether it must be read again.

    `rules` name the policy it was curated under; None if it was stored before there was one.
    """

    id: DocumentId
    external_id: str
    version: str
    version_no: int
    access_id: int
    content_sha256: str
    facts: Facts
    is_live: bool
    rules: str | None = None


def chunk_of(row: sa.Row[*tuple[Any, ...]]) -> Chunk:
    """Return the chunk of a row of `chunks`."""
    fields = row._mapping
    return Chunk(
        text=fields["text"],
        heading=tuple(fields["heading"]),
        kind=fields["kind"],
        lang=fields["lang"],
        start=fields["start"],
        end=fields["end"],
        page=fields["page"],
        boxes=tuple((int(b[0]), b[1], b[2], b[3], b[4]) for b in fields["boxes"]),
        omitted=tuple((start, end) for start, end in fields["omitted"]),
        instruction=fields["instruction"],
    )


def vector_of(embedding: bytes) -> NDArray[np.float32]:
    """Return a stored embedding (float16, little-endian) as float32."""
    return np.frombuffer(embedding, dtype="<f2").astype(np.float32)


def facts_of(row: sa.Row[*tuple[Any, ...]]) -> Facts:
    """Return the facts in a row of `documents`."""
    return Facts(
        uri=row.uri,
        title=row.title,
        media_type=row.media_type,
        lang=row.lang,
        collection=row.collection,
        industry=row.industry,
        dated=row.dated,
        modified_at=row.modified_at,
        meta=row.meta,
        superseded_by=row.superseded_by_external,
    )
