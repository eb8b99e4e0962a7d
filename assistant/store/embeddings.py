"""Vectors of another model than the one that embedded the chunks.

A searcher takes the vectors of its own model wherever they are, so a new model is prepared while
the old one is in use, and the way back stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import Chunk, ChunkId
from assistant.store.document import chunk_of
from assistant.store.tables import chunks, documents, embeddings


def n_missing(conn: Connection, embedder: str) -> int:
    """Count the live chunks that have no vector of this model."""
    found: int = conn.execute(
        sa.select(sa.func.count()).select_from(_without(embedder).subquery())
    ).scalar_one()
    return found


def missing(conn: Connection, embedder: str, limit: int) -> list[tuple[ChunkId, str, Chunk]]:
    """Return live chunks without a vector of this model: id, document's title, chunk."""
    rows = conn.execute(_without(embedder).order_by(chunks.c.id).limit(limit)).all()
    return [(ChunkId(row.id), row.title, chunk_of(row)) for row in rows]


def other_model(conn: Connection, embedder: str) -> str | None:
    """Return the model of some live chunk that has no vector of this one; None if all have."""
    lacking = _without(embedder).with_only_columns(chunks.c.embedder)
    found: str | None = conn.scalar(lacking.limit(1))
    return found


def add(
    conn: Connection, embedder: str, ids: Sequence[ChunkId], vectors: NDArray[np.floating[Any]]
) -> None:
    """Store vectors of this model; those of chunks that are gone meanwhile are dropped."""
    raw = [vector.astype("<f2").tobytes() for vector in vectors]
    wanted = sa.literal(list(ids), sa.ARRAY(sa.BigInteger))
    alive = set(
        conn.scalars(
            sa.select(chunks.c.id).where(chunks.c.id == sa.any_(wanted)).with_for_update(read=True)
        )
    )
    rows = [
        {"chunk_id": chunk_id, "embedder": embedder, "embedding": value}
        for chunk_id, value in zip(ids, raw, strict=True)
        if chunk_id in alive
    ]
    if rows:
        conn.execute(insert(embeddings).on_conflict_do_nothing(), rows)


def drop_others(conn: Connection, kept: Sequence[str]) -> int:
    """Forget the vectors of all models but these; return how many there were."""
    names = sa.literal(list(kept), sa.ARRAY(sa.Text))
    return conn.execute(
        sa.delete(embeddings).where(embeddings.c.embedder != sa.all_(names))
    ).rowcount


def _without(embedder: str) -> sa.Select[Any]:
    there = (
        sa.exists()
        .where(embeddings.c.chunk_id == chunks.c.id, embeddings.c.embedder == embedder)
        .correlate(chunks)
    )
    return (
        sa.select(
            *(column for column in chunks.c if column.name not in ("embedding", "embedder")),
            documents.c.title,
        )
        .join(documents, chunks.c.document_id == documents.c.id)
        .where(documents.c.state == "live", chunks.c.embedder != embedder, ~there)
    )
