"""Reading documents and chunks, with all that the re-check before a prompt needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.domain import Chunk, ChunkId, DocumentId
from assistant.store.curation_tables import curations
from assistant.store.document import Facts, Original, chunk_of, facts_of
from assistant.store.tables import chunks, document_versions, documents, originals, sources


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A live document. `successor_id` is the live document that replaces it.

    Its source names that one, or else curation found a newer version for the same readers.
    `version_no` counts from 1; `access_as_of` is when its source last confirmed its ACLs.
    """

    id: DocumentId
    source_id: int
    source: str
    external_id: str
    version_no: int
    access_id: int
    facts: Facts
    content_sha256: str
    original_sha256: str | None
    n_chunks: int
    successor_id: DocumentId | None
    updated_at: datetime
    access_as_of: datetime | None

    @property
    def superseded(self) -> bool:
        """Return whether a newer document replaces it."""
        return self.successor_id is not None


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A chunk of a live document; `ord` counts from 0, `sha256` is that of the text in UTF-8."""

    chunk_id: ChunkId
    ord: int
    chunk: Chunk
    sha256: str
    document: DocumentRow


@dataclass(frozen=True, slots=True)
class Readable:
    """How much of each collection a caller may read, and the newest sync of its source."""

    n_documents: int
    collections: dict[str, int]
    synced_at: datetime | None


def passages(conn: Connection, chunk_ids: Collection[ChunkId]) -> dict[ChunkId, PassageRow]:
    """Return these chunks as they are now; those of deleted or replaced versions are missing."""
    ids = sa.literal(list(chunk_ids), sa.ARRAY(sa.BigInteger))
    return {row.chunk_id: row for row in _passages(conn, chunks.c.id == sa.any_(ids))}


def document_chunks(conn: Connection, document_id: DocumentId) -> list[PassageRow]:
    """Return the chunks of a live document in their order."""
    return _passages(conn, chunks.c.document_id == document_id)


def versions_since_there(
    conn: Connection, document_ids: Iterable[DocumentId]
) -> dict[DocumentId, frozenset[int]]:
    """Return the numbers of documents' versions, without those from before a deletion."""
    which = document_versions.c.document_id.in_(list(document_ids))
    found: dict[DocumentId, set[int]] = {}
    for row in conn.execute(sa.select(document_versions).where(which)):
        found.setdefault(DocumentId(row.document_id), set()).add(row.version_no)
    return {document_id: frozenset(numbers) for document_id, numbers in found.items()}


def document(conn: Connection, document_id: DocumentId) -> DocumentRow | None:
    """Return a live document, or None: the caller has yet to check that it may be read."""
    row = conn.execute(_documents().where(documents.c.id == document_id)).one_or_none()
    return _document(row) if row is not None else None


def documents_called(
    conn: Connection,
    name: str,
    access_ids: Collection[int] | None = None,
    *,
    by_title: bool = False,
) -> list[DocumentRow]:
    """Return the live documents with this id, address, path or title, under these ACLs or any.

    At most ten; the title counts only where ACLs are given, or if asked for. No name is nobody's.
    """
    if not name:
        return []
    named = [
        documents.c.id == name,
        documents.c.uri == name,
        documents.c.external_id == name,
    ]
    query = _documents()
    if by_title or access_ids is not None:
        named.append(sa.func.lower(documents.c.title) == name.lower())
    if access_ids is not None:
        query = query.where(documents.c.access_id == sa.any_(_ints(access_ids)))
    rows = conn.execute(query.where(sa.or_(*named)).order_by(documents.c.id).limit(10))
    return [_document(row) for row in rows]


def documents_of(
    conn: Connection, access_ids: Collection[int], limit: int = 100, offset: int = 0
) -> list[DocumentRow]:
    """Return live documents under these ACLs by title, for browsing."""
    query = _documents().where(documents.c.access_id == sa.any_(_ints(access_ids)))
    rows = conn.execute(
        query.order_by(documents.c.title, documents.c.id).limit(limit).offset(offset)
    )
    return [_document(row) for row in rows]


def original(conn: Connection, sha256: str) -> Original | None:
    """Return a kept file; the caller has yet to check that its document may be read."""
    row = conn.execute(sa.select(originals).where(originals.c.sha256 == sha256)).one_or_none()
    return Original(row.media_type, bytes(row.content)) if row is not None else None


def documents_readable(conn: Connection, access_ids: Collection[int]) -> Readable:
    """Count the live documents under these ACLs by collection."""
    rows = conn.execute(
        sa.select(
            documents.c.collection, sa.func.count().label("n"), sa.func.max(sources.c.synced_at)
        )
        .join(sources, documents.c.source_id == sources.c.id)
        .where(documents.c.state == "live", documents.c.access_id == sa.any_(_ints(access_ids)))
        .group_by(documents.c.collection)
        .order_by(documents.c.collection)
    ).all()
    return Readable(
        n_documents=sum(row.n for row in rows),
        collections={row.collection: row.n for row in rows},
        synced_at=max((row[2] for row in rows if row[2] is not None), default=None),
    )


def _ints(values: Collection[int]) -> sa.ColumnElement[Any]:
    return sa.literal(list(values), sa.ARRAY(sa.Integer))


def _successor() -> sa.ColumnElement[str | None]:
    """The declared successor, else the one that was found; nobody learns of one they can't read.

    A found one counts only under the very same ACL.
    """
    newer = documents.alias("newer")
    declared = sa.select(newer.c.id).where(
        newer.c.source_id == documents.c.source_id,
        newer.c.external_id == documents.c.superseded_by_external,
        newer.c.state == "live",
    )
    found = (
        sa.select(newer.c.id)
        .join(curations, curations.c.successor_id == newer.c.id)
        .where(
            curations.c.document_id == documents.c.id,
            newer.c.access_id == documents.c.access_id,
            newer.c.state == "live",
        )
    )
    either = sa.func.coalesce(declared.scalar_subquery(), found.scalar_subquery())
    return either.label("successor_id")


@cache
def _documents() -> sa.Select[Any]:
    # Made once: an alias copies every column, which took a tenth of a busy process's time.
    return (
        sa.select(
            documents,
            sources.c.name.label("source"),
            sources.c.synced_at.label("access_as_of"),
            _successor(),
        )
        .join(sources, documents.c.source_id == sources.c.id)
        .where(documents.c.state == "live")
    )


def _passages(conn: Connection, which: sa.ColumnElement[bool]) -> list[PassageRow]:
    wanted = conn.execute(
        sa.select(*(column for column in chunks.c if column.name not in ("embedding", "embedder")))
        .where(which)
        .order_by(chunks.c.document_id, chunks.c.ord)
    ).all()
    ids = sa.literal(sorted({row.document_id for row in wanted}), sa.ARRAY(sa.Text))
    owners = {
        row.id: _document(row)
        for row in conn.execute(_documents().where(documents.c.id == sa.any_(ids)))
    }
    return [
        PassageRow(
            chunk_id=ChunkId(row.id),
            ord=row.ord,
            chunk=chunk_of(row),
            sha256=row.sha256,
            document=owners[row.document_id],
        )
        for row in wanted
        # Between the two reads a commit may have deleted the document or replaced the version.
        if row.document_id in owners and owners[row.document_id].version_no == row.version_no
    ]


def _document(row: sa.Row[*tuple[Any, ...]]) -> DocumentRow:
    return DocumentRow(
        id=DocumentId(row.id),
        source_id=row.source_id,
        source=row.source,
        external_id=row.external_id,
        version_no=row.version_no,
        access_id=row.access_id,
        facts=facts_of(row),
        content_sha256=row.content_sha256,
        original_sha256=row.original_sha256,
        n_chunks=row.n_chunks,
        successor_id=DocumentId(row.successor_id) if row.successor_id is not None else None,
        updated_at=row.updated_at,
        access_as_of=row.access_as_of,
    )
