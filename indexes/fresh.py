"""Words of chunks that the inverted index has not committed yet, searched in memory.

A commit waits several times for the disk. So a few new chunks, next to many committed ones, are
scored here by the formula of tantivy (BM25), with the lengths rounded as it rounds them, and
counts over both: as if they had been committed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexes.words import Clue

_SCORED = "text"
_K1 = 1.2
_B = 0.75
_N_EXACT_LENGTHS = 40
_N_A_STEP = 8


class Corpus(NamedTuple):
    """What is committed: how many chunks, and how many terms they have on average."""

    n: int
    mean_length: float


class Fresh:
    """New chunks by the terms of their fields; those of the field `text` have scores."""

    def __init__(self) -> None:
        self._holding: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self._lengths: dict[int, int] = {}

    def __len__(self) -> int:
        """Return how many chunks there are."""
        return len(self._lengths)

    def add(self, serial: int, fields: Mapping[str, Iterable[str]]) -> None:
        """Add a chunk by its serial number, with the terms of each field."""
        self._lengths[serial] = 0
        for name, terms in fields.items():
            counts = Counter(terms)
            for term, n in counts.items():
                self._holding[name, term][serial] = n
            if name == _SCORED:
                self._lengths[serial] = counts.total()

    def n_holding(self, field: str, term: str) -> int:
        """Return how many chunks hold a term in a field."""
        return len(self._holding.get((field, term), ()))

    def scores(
        self, frequencies: Mapping[str, int], corpus: Corpus
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the serials of the chunks that hold one of the terms, and their scores.

        `frequencies` says how many chunks hold each term, the committed ones and these.
        """
        found: dict[int, float] = {}
        for term, frequency in frequencies.items():
            weight = (1 + _K1) * _rarity(frequency, corpus.n + len(self))
            for serial, n in self._holding.get((_SCORED, term), {}).items():
                length = _rounded(self._lengths[serial]) / corpus.mean_length
                own = weight * n / (n + _K1 * (1 - _B + _B * length))
                found[serial] = found.get(serial, 0.0) + own
        return np.array(list(found), np.int64), np.array(list(found.values()), np.float32)

    def gains(self, clues: Iterable[Clue], serials: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the sum of what each of these chunks gains by the clues that it holds."""
        found = dict.fromkeys(serials.tolist(), 0.0)
        for clue in clues:
            for serial in self._holding.get((clue.field, clue.term), ()):
                if serial in found:
                    found[serial] += clue.gain
        return np.array(list(found.values()), np.float32)


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
