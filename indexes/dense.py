"""Exact vector search over chosen rows, with half the mean of each language taken out.

A bilingual embedder answers a question mostly with passages in the question's own language. So
a passage is stored as the direction of `passage - half the mean of its language`, and a question
is searched as that of `question - half the mean of its language`. The whole mean would take the
corpus's common topic out with the language: measured, half is better within one language as well
as across two.
"""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from indexes.model import SearchIndexError

_Floats = NDArray[np.float32]

_SHARE = 0.5
_N_TRUSTED = 50
"""A language's mean over fewer rows is mixed with the mean of all rows."""
_DRIFT = 0.25
_BLOCK = 65_536


class Dense:
    """A bare `IndexFlatIP` whose row positions are the caller's.

    FAISS gathers only the chosen rows when an `IDSelectorArray` meets a bare flat index; behind
    an `IndexIDMap` it would test every row. Readers may run together; writers need exclusive use.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = faiss.IndexFlatIP(dimension)
        self._lengths = np.zeros(0, np.float32)
        self._owners = np.zeros(0, np.int32)
        self._means = np.zeros((1, dimension), np.float32)
        self._counts = np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Return the number of rows, dead ones included."""
        return int(self._index.ntotal)

    def append(self, vectors: _Floats, langs: NDArray[np.int32]) -> None:
        """Add rows: unit vectors of shape (n, dimension) and their language codes."""
        start, stop = len(self), len(self) + len(vectors)
        if stop > len(self._owners):
            more = max(stop, 2 * len(self._owners), 64) - len(self._owners)
            self._lengths = np.pad(self._lengths, (0, more))
            self._owners = np.pad(self._owners, (0, more))
        owners = np.where(langs + 1 < len(self._means), langs + 1, 0).astype(np.int32)
        centred, lengths = _directions(vectors - self._means[owners])
        self._owners[start:stop], self._lengths[start:stop] = owners, lengths
        self._index.add(centred)

    def search(
        self, vector: _Floats, lang: int | None, rows: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.int64], _Floats]:
        """Return the `k` best among `rows` (ascending positions) and their scores, best first.

        A score is the cosine of the centred vectors, in [-1, 1]. Exact.
        """
        k = min(k, len(rows))
        if k <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        question = self._centred(vector, lang)[np.newaxis]
        if len(rows) == len(self):
            scores, found = self._index.search(question, k)
        else:
            selector = faiss.IDSelectorArray(rows)
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            scores, found = self._index.search(question, k, params=params)
        if (found < 0).any():
            raise SearchIndexError("the vector index lost rows; build it again from the database")
        return found[0], scores[0]

    def scores(self, vector: _Floats, lang: int | None, rows: NDArray[np.int64]) -> _Floats:
        """Return the scores that `search` gives to these rows."""
        return np.asarray(self._stored()[rows] @ self._centred(vector, lang), np.float32)

    def mean(self, lang: int | None) -> _Floats:
        """Return what is taken out of a question in this language."""
        known = lang is not None and lang + 1 < len(self._means)
        row: _Floats = self._means[lang + 1 if lang is not None and known else 0]
        return row

    def has_drifted(self, counts: NDArray[np.int64]) -> bool:
        """Return whether any language has a quarter more or fewer live rows than at its mean."""
        n = max(len(counts), len(self._counts))
        now = np.pad(counts, (0, n - len(counts)))
        then = np.pad(self._counts, (0, n - len(self._counts)))
        return bool((np.abs(now - then) > _DRIFT * then).any())

    def recentre(self, langs: NDArray[np.int32], live: NDArray[np.bool_], n_langs: int) -> None:
        """Take the means of the live rows anew and apply them to all rows, in place."""
        sums = np.zeros((n_langs, self.dimension))
        for block in self._blocks():
            vectors, lang, alive = self._original(block), langs[block], live[block]
            for code in np.unique(lang[alive]).tolist():
                sums[code] += vectors[alive & (lang == code)].sum(axis=0, dtype=np.float64)
        counts = np.bincount(langs[live], minlength=n_langs)
        means = _taken_out(sums, counts)
        stored, owners = self._stored(), np.asarray(langs + 1, np.int32)
        for block in self._blocks():
            stored[block], self._lengths[block] = _directions(
                self._original(block) - means[owners[block]]
            )
        self._means, self._counts = means, counts
        self._owners[: len(self)] = owners

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Drop every other row; the kept ones take the positions 0, 1, …"""
        index = faiss.IndexFlatIP(self.dimension)
        index.add(self._stored()[rows])
        self._index = index
        self._lengths, self._owners = self._lengths[rows], self._owners[rows]

    def _centred(self, vector: _Floats, lang: int | None) -> _Floats:
        direction, _ = _directions((vector - self.mean(lang))[np.newaxis])
        found: _Floats = direction[0]
        return found

    def _original(self, rows: slice) -> _Floats:
        """Undo the centring, so that no second copy of the vectors is kept."""
        lengths = self._lengths[: len(self)][rows, np.newaxis]
        means = self._means[self._owners[: len(self)][rows]]
        return np.asarray(self._stored()[rows] * lengths + means, np.float32)

    def _stored(self) -> _Floats:
        """Return FAISS's own memory as a writable array of shape (rows, dimension)."""
        n = len(self)
        flat: _Floats = faiss.rev_swig_ptr(self._index.get_xb(), n * self.dimension)
        return flat.reshape(n, self.dimension)

    def _blocks(self) -> list[slice]:
        n = len(self)
        return [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]


def _taken_out(sums: NDArray[np.float64], counts: NDArray[np.int64]) -> _Floats:
    """Return what is taken out of vectors of unknown language, then of each language."""
    overall = sums.sum(axis=0) / max(int(counts.sum()), 1)
    trust = np.minimum(1.0, counts / _N_TRUSTED)[:, np.newaxis]
    own = sums / np.maximum(counts, 1)[:, np.newaxis]
    means = np.vstack([overall, trust * own + (1 - trust) * overall])
    return np.asarray(_SHARE * means, np.float32)


def _directions(vectors: _Floats) -> tuple[_Floats, _Floats]:
    """Return unit vectors and the lengths they had; a zero vector stays zero."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    safe = np.where(lengths > 0, lengths, 1)
    return (
        np.ascontiguousarray(vectors / safe[:, np.newaxis], np.float32),
        np.asarray(lengths, np.float32),
    )
