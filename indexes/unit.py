"""Unit vectors: what every index refuses before anything changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexes.compiled import fast, from_half
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


def check_halves(chunk_ids: NDArray[np.int64], halves: NDArray[np.uint16], dimension: int) -> None:
    """Check vectors that come as the bits of binary16, of shape (ids, dimension).

    Raises `SearchIndexError` if they have another shape, or one another length than 1.
    """
    if halves.shape != (len(chunk_ids), dimension):
        raise SearchIndexError(
            f"Vectors have the shape {halves.shape}, the index holds (n, {dimension}): embed their "
            "chunks again with the current model."
        )
    lengths = _lengths(halves)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) < _TOLERANCE))
    if len(wrong):
        raise SearchIndexError(
            f"Chunk {chunk_ids[wrong[0]]} has a vector of length {lengths[wrong[0]]}, not 1: scale "
            "it, or embed it again."
        )


def check_question(query: Query, dimension: int) -> None:
    """Raise `SearchIndexError` unless the question's vector can be searched."""
    if query.vector.shape != (dimension,) or not np.isfinite(query.vector).all():
        raise SearchIndexError(
            f"The question's vector must be {dimension} finite numbers: embed it with "
            "the model that embedded the chunks."
        )


@fast
def _lengths(halves: NDArray[np.uint16]) -> NDArray[np.float32]:
    lengths = np.empty(len(halves), np.float32)
    for i in range(len(halves)):
        square = np.float32(0)
        for j in range(halves.shape[1]):
            value = from_half(halves[i, j])
            square += value * value
        lengths[i] = np.sqrt(square)
    return lengths
