"""Combining dense and BM25 scores of one question."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]


def fused(dense: _Floats, lexical: _Floats, weight: float) -> _Floats:
    """Return the weighted sum of both scores, each scaled to [0, 1] over the candidates."""
    return np.asarray((1 - weight) * _scaled(dense) + weight * _scaled(lexical), np.float32)


def _scaled(scores: _Floats) -> _Floats:
    low, high = float(scores.min()), float(scores.max())
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)
