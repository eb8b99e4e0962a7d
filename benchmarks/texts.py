"""Texts to search by words: made-up ones whose words are as rare and as common as in a language."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpora import N_CHUNKS_A_DOCUMENT

N_WORDS = 100
_N_VOCABULARY = 60_000
_EXPONENT = 1.05
_RANKS = ((2_000, 30_000), (300, 2_000), (300, 2_000), (20, 300), (20, 300))
_ONSETS = ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v"]
_RIMES = ["a", "e", "i", "o", "u", "ao", "em", "ar", "os"]


class Texts:
    """A vocabulary whose word of rank r is used in proportion to r to the power of -1.05."""

    def __init__(self, seed: int = 5) -> None:
        self._rng = np.random.default_rng(seed)
        syllables = [onset + rime for onset in _ONSETS for rime in _RIMES]
        words: dict[str, None] = {}
        while len(words) < _N_VOCABULARY:
            chosen = self._rng.integers(0, len(syllables), self._rng.integers(2, 5))
            words["".join(syllables[i] for i in chosen)] = None
        self._words = np.array(list(words), object)
        weights = np.arange(1, _N_VOCABULARY + 1) ** -_EXPONENT
        self._sums = np.cumsum(weights / weights.sum())

    def chunks(self, n: int) -> Iterator[str]:
        """Yield texts of `N_WORDS` words."""
        for _ in range(n):
            ranks = np.searchsorted(self._sums, self._rng.random(N_WORDS))
            yield " ".join(self._words[np.minimum(ranks, _N_VOCABULARY - 1)])

    def questions(self, n: int) -> list[str]:
        """Return questions of a rare word, two less rare ones and two common ones."""
        return [
            " ".join(self._words[self._rng.integers(*ranks)] for ranks in _RANKS) for _ in range(n)
        ]


def readable(n: int, share: float, seed: int = 1) -> NDArray[np.bool_]:
    """Return which of `n` chunks may be read by who may read this share of the documents."""
    documents = np.zeros(-(-n // N_CHUNKS_A_DOCUMENT), np.bool_)
    order = np.random.default_rng(seed + int(1e6 * share)).permutation(len(documents))
    documents[order[: max(1, round(share * len(documents)))]] = True
    return np.repeat(documents, N_CHUNKS_A_DOCUMENT)[:n]
