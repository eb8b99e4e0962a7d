"""Unit vectors: what every index refuses before anything changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexes.model import Entry, Query, SearchIndexError

_TOLERANCE = 0.01


def vectors_of(entries: list[Entry], dimension: int) -> NDArray[np.float32]:
    """Return the vectors of entries as one array of shape (entries, dimension).

    Raises `SearchIndexError` if one has another shape, or another length than 1.
    """
    for entry in entries:
        if entry.vector.shape != (dimension,):
            raise SearchIndexError(
                f"Chunk {entry.chunk_id} has a vector of shape {entry.vector.shape}, the "
                f"index holds ({dimension},): embed it again with the current model."
            )
    vectors = np.array([entry.vector for entry in entries], np.float32)
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) < _TOLERANCE))
    if len(wrong):
        raise SearchIndexError(
            f"Chunk {entries[wrong[0]].chunk_id} has a vector of length {lengths[wrong[0]]}, "
            "not 1: scale it, or embed it again."
        )
    return vectors


def check_question(query: Query, dimension: int) -> None:
    """Raise `SearchIndexError` unless the question's vector can be searched."""
    if query.vector.shape != (dimension,) or not np.isfinite(query.vector).all():
        raise SearchIndexError(
            f"The question's vector must be {dimension} finite numbers: embed it with "
            "the model that embedded the chunks."
        )
