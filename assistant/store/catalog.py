"""Writing the documents of a source: new versions, access changes, deletions.

Every function runs in the caller's transaction. A change leaves `documents.seq` empty;
`Database.begin` numbers it for the change feed (see `heads.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import DocumentId
from assistant.store import curations as curation_rows
from assistant.store import records
from assistant.store.copying import copying
from assistant.store.curation_tables import curations
from assistant.store.document import (
    Facts,
    KnownDocument,
    NewChunk,
    NewDocument,
    Original,
    chunk_of,
    facts_of,
    vector_of,
)
from assistant.store.heads import bump_epoch
from assistant.store.records import NewRecord
from assistant.store.tables import chunks, document_versions, documents, originals
from indexes.model import NOBODY

_CHUNK_COLUMNS = {
    "document_id": "text",
    "version_no": "int4",
    "ord": "int4",
    "text": "text",
    "heading": "text[]",
    "kind": "text",
    "lang": "text",
    "page": "int4",
    "boxes": "jsonb",
    "start": "int4",
    "end": "int4",
    "sha256": "text",
    "embedding": "bytea",
    "embedder": "text",
    "instruction": "float8",
    "omitted": "jsonb",
}
_COPY_CHUNKS = "COPY chunks ({}) FROM STDIN (FORMAT BINARY)".format(
    ", ".join(f'"{name}"' for name in _CHUNK_COLUMNS)
)


def known_documents(
    conn: Connection, source_id: int, external_ids: Collection[str]
) -> dict[str, KnownDocument]:
    """Return the known documents among these external ids, the deleted ones too."""
    wanted = documents.c.external_id == sa.any_(sa.literal(list(external_ids), sa.ARRAY(sa.Text)))
    rows = conn.execute(
        sa.select(documents, curations.c.rules)
        .outerjoin(curations, curations.c.document_id == documents.c.id)
        .where(documents.c.source_id == source_id, wanted)
    )
    return {row.external_id: _known(row) for row in rows}


def upsert_document(
    conn: Connection,
    document: NewDocument,
    new_chunks: Sequence[NewChunk],
    new_records: Sequence[NewRecord] = (),
) -> DocumentId:
    """Store a version in the place of the one before; a deleted document lives again."""
    if document.original is not None:
        _add_original(conn, document.original)
    values = {
        "version": document.version,
        "access_id": document.access_id,
        "content_sha256": document.content_sha256,
        "original_sha256": document.original.sha256 if document.original else None,
        "n_chunks": len(new_chunks),
        "state": "live",
        "seen_run": document.run_no,
        "seq": None,
        "content_seq": None,
        **_columns(document.facts),
    }
    before = conn.execute(
        sa.select(documents.c.original_sha256)
        .where(_is(document.source_id, document.external_id))
        .with_for_update()
    ).one_or_none()
    row = _upsert(conn, document.source_id, document.external_id, values)
    document_id = DocumentId(row.id)
    conn.execute(
        sa.insert(document_versions).values(
            document_id=document_id,
            version_no=row.version_no,
            version=document.version,
            content_sha256=document.content_sha256,
            title=document.facts.title,
        )
    )
    if before is not None:
        conn.execute(sa.delete(chunks).where(chunks.c.document_id == document_id))
        records.drop(conn, [document_id])
    _insert_chunks(conn, document_id, row.version_no, new_chunks)
    records.add(conn, document_id, new_records)
    if before is not None:
        _drop_originals(conn, [before.original_sha256])
    return document_id


def touch_document(
    conn: Connection, source_id: int, external_id: str, run_no: int, version: str | None = None
) -> None:
    """Note that a pass saw a live document, perhaps under a new version of the same content."""
    values: dict[str, object] = {"seen_run": run_no}
    if version is not None:
        values["version"] = version
    conn.execute(
        sa.update(documents)
        .where(_is(source_id, external_id), documents.c.state == "live")
        .values(values)
    )


def touch_beneath(conn: Connection, source_id: int, prefix: str, run_no: int) -> None:
    """Note that everything whose external id begins with `prefix` is to be kept by a pass."""
    conn.execute(
        sa.update(documents)
        .where(documents.c.source_id == source_id, documents.c.state == "live")
        .where(documents.c.external_id.startswith(prefix, autoescape=True))
        .values(seen_run=run_no)
    )


def set_document_access(conn: Connection, source_id: int, external_id: str, access_id: int) -> bool:
    """Give a live document another ACL and move the epoch; tells whether that changed anything."""
    changed = conn.execute(
        sa.update(documents)
        .where(_is(source_id, external_id), documents.c.state == "live")
        .where(documents.c.access_id != access_id)
        .values(access_id=access_id, seq=None, updated_at=sa.func.now())
    ).rowcount
    if changed:
        bump_epoch(conn)
    return bool(changed)


def set_document_facts(conn: Connection, source_id: int, external_id: str, facts: Facts) -> bool:
    """Replace a live document's facts, tells whether they differed.

    A changed title or search filter makes searchers index the document's chunks again.
    """
    row = conn.execute(
        sa.select(documents)
        .where(_is(source_id, external_id), documents.c.state == "live")
        .with_for_update()
    ).one_or_none()
    if row is None or facts_of(row) == facts:
        return False
    values: dict[str, Any] = {**_columns(facts), "updated_at": sa.func.now()}
    if _indexed(facts_of(row)) != _indexed(facts):
        values |= {"seq": None, "content_seq": None}
    conn.execute(sa.update(documents).where(documents.c.id == row.id).values(values))
    return True


def delete_document(conn: Connection, source_id: int, external_id: str) -> DocumentId | None:
    """Delete a live document with its chunks and unshared original; None if there is none."""
    gone = _delete(conn, [_is(source_id, external_id)])
    return gone[0][0] if gone else None


def delete_documents(conn: Connection, source_id: int) -> int:
    """Delete every live document of a source; returns how many there were."""
    return len(_delete(conn, [documents.c.source_id == source_id]))


def sweep_unseen(conn: Connection, source_id: int, run_no: int) -> list[tuple[DocumentId, str]]:
    """Delete what no pass from `run_no` on has seen; returns document ids with external ids."""
    return _delete(conn, _unseen(source_id, run_no))


def count_unseen(conn: Connection, source_id: int, run_no: int) -> tuple[int, int]:
    """Return how many documents `sweep_unseen` would delete, and how many live in all."""
    live = sa.and_(documents.c.source_id == source_id, documents.c.state == "live")
    row = conn.execute(
        sa.select(sa.func.count().filter(documents.c.seen_run < run_no), sa.func.count()).where(
            live
        )
    ).one()
    return int(row[0]), int(row[1])


def unseen(conn: Connection, source_id: int, run_no: int) -> Iterator[str]:
    """Yield the external ids of what `sweep_unseen` would delete."""
    query = sa.select(documents.c.external_id).where(
        *_unseen(source_id, run_no), documents.c.state == "live"
    )
    yield from conn.execute(query).scalars()


def reuse_by_content(conn: Connection, content_sha256: str, embedder: str) -> list[NewChunk] | None:
    """Return the stored chunks of a live document of the same content, embedded by `embedder`.

    None if there is none. Where title or heading enter the embedding, put them into the hash.
    """
    twin = conn.scalar(
        sa.select(documents.c.id)
        .where(documents.c.content_sha256 == content_sha256, documents.c.state == "live")
        .where(documents.c.n_chunks > 0)
        .where(
            ~sa.exists().where(
                chunks.c.document_id == documents.c.id, chunks.c.embedder != embedder
            )
        )
        .limit(1)
    )
    if twin is None:
        return None
    rows = conn.execute(
        sa.select(chunks).where(chunks.c.document_id == twin).order_by(chunks.c.ord)
    )
    return [NewChunk(chunk_of(row), vector_of(row.embedding), row.embedder) for row in rows]


def _is(source_id: int, external_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(documents.c.source_id == source_id, documents.c.external_id == external_id)


def _unseen(source_id: int, run_no: int) -> list[sa.ColumnElement[bool]]:
    return [documents.c.source_id == source_id, documents.c.seen_run < run_no]


def _delete(
    conn: Connection, which: Sequence[sa.ColumnElement[bool]]
) -> list[tuple[DocumentId, str]]:
    rows = conn.execute(
        sa.select(documents.c.id, documents.c.external_id, documents.c.original_sha256)
        .where(*which, documents.c.state == "live")
        .order_by(documents.c.id)
        .with_for_update()
    ).all()
    if not rows:
        return []
    ids = sa.literal([row.id for row in rows], sa.ARRAY(sa.Text))
    conn.execute(sa.delete(chunks).where(chunks.c.document_id == sa.any_(ids)))
    # Should it come back, nothing that was told of it before does.
    conn.execute(
        sa.delete(document_versions).where(document_versions.c.document_id == sa.any_(ids))
    )
    records.drop(conn, [row.id for row in rows])
    conn.execute(
        sa.update(documents)
        .where(documents.c.id == sa.any_(ids))
        .values(
            state="deleted",
            access_id=NOBODY,
            original_sha256=None,
            n_chunks=0,
            seq=None,
            content_seq=None,
            deleted_at=sa.func.now(),
        )
    )
    curation_rows.forget(conn, [DocumentId(row.id) for row in rows])
    _drop_originals(conn, [row.original_sha256 for row in rows])
    bump_epoch(conn)
    return [(DocumentId(row.id), row.external_id) for row in rows]


def _upsert(
    conn: Connection, source_id: int, external_id: str, values: dict[str, Any]
) -> sa.Row[str, int]:
    new = insert(documents).values(
        id=str(uuid4()), source_id=source_id, external_id=external_id, version_no=1, **values
    )
    again = {
        **values,
        "version_no": documents.c.version_no + 1,
        "updated_at": sa.func.now(),
        "deleted_at": None,
    }
    return conn.execute(
        new.on_conflict_do_update(
            index_elements=["source_id", "external_id"], set_=again
        ).returning(documents.c.id, documents.c.version_no)
    ).one()


def _add_original(conn: Connection, original: Original) -> None:
    # The update locks a known row, so that nobody drops it before this document refers to it.
    new = insert(originals).values(
        sha256=original.sha256, media_type=original.media_type, content=original.content
    )
    conn.execute(
        new.on_conflict_do_update(
            index_elements=["sha256"], set_={"media_type": new.excluded.media_type}
        )
    )


def _drop_originals(conn: Connection, hashes: Collection[str | None]) -> None:
    wanted = sorted({sha256 for sha256 in hashes if sha256})
    if not wanted:
        return
    named = originals.c.sha256 == sa.any_(sa.literal(wanted, sa.ARRAY(sa.Text)))
    conn.execute(sa.select(originals.c.sha256).where(named).with_for_update())
    used = sa.exists().where(documents.c.original_sha256 == originals.c.sha256)
    conn.execute(sa.delete(originals).where(named, ~used))


def _insert_chunks(
    conn: Connection, document_id: DocumentId, version_no: int, new_chunks: Sequence[NewChunk]
) -> None:
    if not new_chunks:
        return
    with copying(conn, _COPY_CHUNKS) as copy:
        copy.set_types(list(_CHUNK_COLUMNS.values()))
        for number, new in enumerate(new_chunks):
            chunk = new.chunk
            copy.write_row(
                (
                    document_id,
                    version_no,
                    number,
                    chunk.text,
                    list(chunk.heading),
                    chunk.kind,
                    chunk.lang,
                    chunk.page,
                    Jsonb([list(box) for box in chunk.boxes]),
                    chunk.start,
                    chunk.end,
                    hashlib.sha256(chunk.text.encode()).hexdigest(),
                    np.asarray(new.embedding).astype("<f2").tobytes(),
                    new.embedder,
                    chunk.instruction,
                    Jsonb([list(span) for span in chunk.omitted]),
                )
            )


def _columns(facts: Facts) -> dict[str, Any]:
    return {
        "uri": facts.uri,
        "title": facts.title,
        "media_type": facts.media_type,
        "lang": facts.lang,
        "collection": facts.collection,
        "industry": facts.industry,
        "dated": facts.dated,
        "modified_at": facts.modified_at,
        "meta": facts.meta,
        "superseded_by_external": facts.superseded_by,
    }


def _indexed(facts: Facts) -> tuple[object, ...]:
    return (facts.title, facts.media_type, facts.collection, facts.industry, facts.dated)


def _known(row: sa.Row[*tuple[Any, ...]]) -> KnownDocument:
    return KnownDocument(
        id=DocumentId(row.id),
        external_id=row.external_id,
        version=row.version,
        version_no=row.version_no,
        access_id=row.access_id,
        content_sha256=row.content_sha256,
        facts=facts_of(row),
        is_live=row.state == "live",
        rules=row.rules,
    )
