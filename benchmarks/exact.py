"""The exact answers, by comparing every question with every admitted vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

_BLOCK = 50_000
TIE = 1e-6
"""Scores that differ by less are alike."""


def best(
    vectors: _Floats, questions: _Floats, mask: NDArray[np.bool_], k: int
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the `k` best admitted rows of each question, or all there are, and their scores."""
    rows = np.flatnonzero(mask)
    k = min(k, len(rows))
    scores = np.zeros((len(questions), 0), np.float32)
    found = np.zeros((len(questions), 0), np.int64)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        scores = np.hstack([scores, questions @ vectors[block].T])
        found = np.hstack([found, np.tile(block, (len(questions), 1))])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(scores, order, axis=1)
        found = np.take_along_axis(found, order, axis=1)
    return found, scores


def recall(found: Sequence[int], vectors: _Floats, question: _Floats, wanted: _Floats) -> float:
    """Return which share of the best was found; equally good rows count alike.

    `wanted` are the scores of the best, best first.
    """
    if not len(wanted):
        return 1.0
    rows = np.unique(np.asarray(found, np.int64))
    n_right = int((vectors[rows] @ question >= wanted[-1] - TIE).sum())
    return min(n_right, len(wanted)) / len(wanted)
