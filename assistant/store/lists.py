"""The grouping of a model's vectors, as one process has learnt it: for the others, and rebuilds.

It is one row, written anew when many chunks have come, so ordinary writes never touch it. A chunk
that it doesn't know is searched outside the lists until some process groups it.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.store.tables import index_lists
from indexes.columns import Grouping


def n_grouped(conn: Connection, embedder: str) -> int:
    """Return how many chunks the stored grouping of a model knows; 0 if there is none."""
    found: int | None = conn.scalar(
        sa.select(index_lists.c.n_chunks).where(index_lists.c.embedder == embedder)
    )
    return found or 0


def grouping(conn: Connection, embedder: str, dimension: int) -> Grouping | None:
    """Return the stored grouping of a model's vectors; None if there is none that fits."""
    row = conn.execute(
        sa.select(index_lists).where(index_lists.c.embedder == embedder)
    ).one_or_none()
    if row is None or len(row.directions) % (4 * dimension):
        return None
    return Grouping(
        np.frombuffer(row.directions, "<f4").reshape(-1, dimension).astype(np.float32),
        row.n_trained,
        np.frombuffer(row.chunk_ids, "<i8").astype(np.int64),
        np.frombuffer(row.numbers, "<i4").astype(np.int32),
    )


def put_grouping(conn: Connection, embedder: str, found: Grouping) -> None:
    """Store the grouping of a model's vectors in the place of an older one."""
    values = {
        "n_trained": found.n_trained,
        "n_chunks": len(found.chunk_ids),
        "directions": found.directions.astype("<f4").tobytes(),
        "chunk_ids": found.chunk_ids.astype("<i8").tobytes(),
        "numbers": found.numbers.astype("<i4").tobytes(),
    }
    conn.execute(
        insert(index_lists)
        .values(embedder=embedder, **values)
        .on_conflict_do_update(
            index_elements=["embedder"], set_={**values, "saved_at": sa.func.now()}
        )
    )


def drop_others(conn: Connection, kept: list[str]) -> None:
    """Forget the groupings of all models but these."""
    names = sa.literal(kept, sa.ARRAY(sa.Text))
    conn.execute(sa.delete(index_lists).where(index_lists.c.embedder != sa.all_(names)))
