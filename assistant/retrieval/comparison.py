"""An index compared with the catalog, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.domain import ChunkId
from assistant.retrieval.follower import Follower
from assistant.store import feed
from assistant.store.database import Database
from indexes import saved

_N_SAMPLED = 1000
_MIN_COSINE = 0.999


@dataclass(frozen=True, slots=True)
class Comparison:
    """How an index that knows all changes differs from the catalog, in chunks.

    Of `n_sampled` chunks, `n_other_vector` have another vector than the stored one, and
    `n_without_words` can't be found by their words.
    """

    generation: int
    n: int
    n_missing: int
    n_extra: int
    n_other_access: int
    n_sampled: int
    n_other_vector: int
    n_without_words: int

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        is_whole = not (self.n_missing or self.n_extra or self.n_without_words)
        return is_whole and not (self.n_other_access or self.n_other_vector)


def compared(follower: Follower, database: Database) -> Comparison:
    """Apply the newest changes to an index and compare it with the catalog of the same moment."""
    with database.snapshot() as conn:
        generation = follower.refresh(conn)
        wanted = feed.chunk_access(conn)
        ids, access = saved.contents(follower.index)
        held = {
            ChunkId(chunk_id): access_id
            for chunk_id, access_id in zip(ids.tolist(), access.tolist(), strict=True)
        }
        common = [chunk_id for chunk_id in held if chunk_id in wanted]
        sampled = common[:: max(1, len(common) // _N_SAMPLED)]
        stored = feed.vectors_of(conn, sampled, follower.embedder)
    asked = np.array(sampled, np.int64)
    found = saved.vectors(follower.index, asked)
    n_near = sum(
        chunk_id in stored and float(stored[chunk_id] @ vector) >= _MIN_COSINE
        for chunk_id, vector in zip(sampled, found, strict=True)
    )
    return Comparison(
        generation=generation,
        n=len(held),
        n_missing=len(wanted) - len(common),
        n_extra=len(held) - len(common),
        n_other_access=sum(held[chunk_id] != wanted[chunk_id] for chunk_id in common),
        n_sampled=len(sampled),
        n_other_vector=len(sampled) - n_near,
        n_without_words=len(sampled) - saved.n_with_words(follower.index, asked),
    )
