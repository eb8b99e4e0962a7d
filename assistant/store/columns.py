"""All live chunks, column by column: what a rebuild of an index reads, by COPY.

Every function reads in one statement or two and may be called in any transaction: what is
committed meanwhile has a later number in the change feed than the caller has read before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection

from assistant.store.copying import copying
from assistant.store.feed import searched_title
from assistant.store.tables import documents
from indexes.columns import Columns, Origin
from indexes.model import Facets, SearchIndexError

_N_BYTES = 1 << 18
_HEADER_BYTES = 19
_END = b"\xff\xff"

_CHUNKS = "COPY (SELECT id, document_id, lang FROM chunks) TO STDOUT (FORMAT BINARY)"

_TEXTS = """
    COPY (
        SELECT chunks.id, documents.title, chunks.heading, chunks.text
        FROM chunks JOIN documents ON documents.id = chunks.document_id
        WHERE documents.state = 'live'
    ) TO STDOUT (FORMAT BINARY)
"""

_VECTORS = """
    COPY (
        SELECT id, embedding FROM chunks WHERE embedder = %(name)s
        UNION ALL
        SELECT chunk_id, embedding FROM embeddings WHERE embedder = %(name)s
    ) TO STDOUT (FORMAT BINARY)
"""


def columns(conn: Connection) -> Columns:
    """Return all live chunks with the facets of their documents: 1 million in about 3 s."""
    names, origins = _origins(conn)
    chunk_ids: list[int] = []
    owners: list[int] = []
    langs: list[int] = []
    tags: dict[str, int] = {}
    with copying(conn, _CHUNKS) as copy:
        copy.set_types(["int8", "text", "text"])
        for chunk_id, document_id, lang in copy.rows():
            owner = names.get(document_id)
            if owner is not None:
                chunk_ids.append(chunk_id)
                owners.append(owner)
                langs.append(tags.setdefault(lang, len(tags)))
    return Columns(
        np.array(chunk_ids, np.int64),
        np.array(owners, np.int32),
        np.array(langs, np.int32),
        origins,
        list(tags),
    )


def vectors(
    conn: Connection, embedder: str, dimension: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint16]]]:
    """Yield the ids of chunks with a model's vectors: the bits of binary16, (ids, dimension).

    Raises `SearchIndexError` for a vector of another dimension.
    """
    record = np.dtype(
        [
            ("n_fields", ">i2"),
            ("id_bytes", ">i4"),
            ("chunk_id", ">i8"),
            ("vector_bytes", ">i4"),
            ("halves", "<u2", (dimension,)),
        ]
    )
    with copying(conn, _VECTORS, {"name": embedder}) as copy:
        for raw in _pieces(copy):
            n, left = divmod(len(raw), record.itemsize)
            found = np.frombuffer(raw, record, n)
            are_whole = (found["n_fields"] == 2) & (found["vector_bytes"] == 2 * dimension)
            if left or not are_whole.all():
                raise SearchIndexError(
                    f"A stored vector of {embedder} has not {dimension} numbers: embed the "
                    "documents again, or change `models.embedder` back."
                )
            yield found["chunk_id"].astype(np.int64), np.ascontiguousarray(found["halves"])


def texts(conn: Connection) -> Iterator[tuple[int, str, str]]:
    """Yield the id of each live chunk with the titles above it, and with these and its text."""
    with copying(conn, _TEXTS) as copy:
        copy.set_types(["int8", "text", "text[]", "text"])
        for chunk_id, title, heading, text in copy.rows():
            titles = searched_title(title, heading)
            yield chunk_id, titles, f"{titles}\n{text}"


def _origins(conn: Connection) -> tuple[dict[str, int], list[Origin]]:
    """Return the live documents, and the place of each by its id."""
    rows = conn.execute(
        sa.select(
            documents.c.id,
            documents.c.access_id,
            documents.c.collection,
            documents.c.industry,
            documents.c.media_type,
            documents.c.dated,
        ).where(documents.c.state == "live")
    )
    origins = [
        Origin(name, access_id, Facets(collection, industry, "", media_type, dated))
        for name, access_id, collection, industry, media_type, dated in rows
    ]
    return {origin.document_id: place for place, origin in enumerate(origins)}, origins


def _pieces(copy: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Yield the rows of a binary copy, as many as stay in a cache; a message has whole rows."""
    parts: list[bytes | bytearray | memoryview] = []
    n_bytes = 0
    skip = _HEADER_BYTES
    for part in copy:
        if n_bytes >= _N_BYTES:
            yield b"".join(parts)[skip:]
            parts, n_bytes, skip = [], 0, 0
        parts.append(part)
        n_bytes += len(part)
    raw = b"".join(parts)[skip:].removesuffix(_END)
    if raw:
        yield raw
