"""Words of chunks that the inverted index has not committed yet, searched in memory.

A commit waits several times for the disk. So a few new chunks, next to many committed ones, are
scored here by the formula of tantivy (BM25), with the lengths rounded as it rounds them, and
counts over both: as if they had been committed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_K1 = 1.2
_B = 0.75
_N_EXACT_LENGTHS = 40
_N_A_STEP = 8


class Corpus(NamedTuple):
    """What is committed: how many chunks, and how many terms they have on average."""

    n: int
    mean_length: float


class Fresh:
    """New chunks and their terms."""

    def __init__(self) -> None:
        self._counts: dict[int, Counter[str]] = {}

    def __len__(self) -> int:
        """Return how many chunks there are."""
        return len(self._counts)

    def add(self, serial: int, terms: Iterable[str]) -> None:
        """Add a chunk by its serial number."""
        self._counts[serial] = Counter(terms)

    def scores(
        self, frequencies: Mapping[str, int], corpus: Corpus
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the serials of the chunks that hold one of the terms, and their scores.

        `frequencies` says how many committed chunks hold each term.
        """
        found: dict[int, float] = {}
        for term, n_committed in frequencies.items():
            holding = [
                (serial, n) for serial, counts in self._counts.items() if (n := counts.get(term))
            ]
            weight = (1 + _K1) * _rarity(n_committed + len(holding), corpus.n + len(self))
            for serial, n in holding:
                length = _rounded(self._counts[serial].total()) / corpus.mean_length
                own = weight * n / (n + _K1 * (1 - _B + _B * length))
                found[serial] = found.get(serial, 0.0) + own
        return np.array(list(found), np.int64), np.array(list(found.values()), np.float32)


def _rarity(n_holding: int, n: int) -> float:
    return math.log(1 + (n - n_holding + 0.5) / (n_holding + 0.5))


def _rounded(length: int) -> int:
    """Return a length as tantivy keeps it: in a byte, ever more roughly from 40 on."""
    base, step = _N_EXACT_LENGTHS, 2
    if length <= base:
        return length
    while length >= base + _N_A_STEP * step:
        base, step = base + _N_A_STEP * step, 2 * step
    return base + (length - base) // step * step
