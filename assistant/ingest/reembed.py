"""Vectors of another model for all chunks, prepared beside those in use."""

from __future__ import annotations

from collections.abc import Callable

from assistant.ports import Embedder
from assistant.store import embeddings
from assistant.store.database import Database
from assistant.text.context import embedding_text

_BATCH = 256


def reembed(database: Database, embedder: Embedder, step: Callable[[int, int], None]) -> int:
    """Embed every live chunk that has no vector of this model; return how many.

    Each batch is committed: an interrupted run goes on where it stopped. `step` is told how many
    are done and how many there are.
    """
    with database.begin() as conn:
        total = embeddings.n_missing(conn, embedder.name)
    done = 0
    while True:
        with database.begin() as conn:
            batch = embeddings.missing(conn, embedder.name, _BATCH)
        if not batch:
            return done
        vectors = embedder.embed_documents([embedding_text(title, c) for _, title, c in batch])
        with database.begin() as conn:
            embeddings.add(conn, embedder.name, [chunk_id for chunk_id, _, _ in batch], vectors)
        done += len(batch)
        step(done, max(done, total))
