"""Our own search: the plan over vectors alone, and a whole call of the index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.access import Access, Case
from benchmarks.corpora import Corpus, unit
from indexes.dense import Dense
from indexes.hybrid import HybridIndex
from indexes.model import AccessFilter, Entry, Facets, MetadataFilter, Query
from indexes.selection import Selection

_Floats = NDArray[np.float32]

PLAN = "our plan"
WHOLE = "our plan, whole index call"
LANG = "en"
_BATCH = 20_000


class Plan:
    """`indexes.dense` driven by hand: a mask is given, positions come back."""

    def __init__(self, corpus: Corpus, access: Access) -> None:
        n = len(corpus.vectors)
        self._dense = Dense(corpus.vectors.shape[1])
        for start in range(0, n, _BATCH):
            part = corpus.vectors[start : start + _BATCH]
            self._dense.append(part, np.zeros(len(part), np.int32))
        live = np.ones(n, np.bool_)
        self._dense.recentre(np.zeros(n, np.int32), live, 1)
        self._order = self._dense.adopt(self._dense.folded(live))
        self._selections = {
            case: Selection(
                AccessFilter(frozenset()), MetadataFilter(), mask[self._order], int(mask.sum())
            )
            for case, mask in access.masks.items()
        }

    def search(self, question: _Floats, case: Case, k: int) -> list[int]:
        """Return the best admitted chunks."""
        rows, _ = self._dense.search(question, 0, self._selections[case], k)
        found: list[int] = self._order[rows].tolist()
        return found

    def centred(self) -> _Floats:
        """Return all chunks as the unit vectors that are searched, so that others can do so."""
        found = np.empty((len(self._order), self._dense.dimension), np.float32)
        for start in range(0, len(found), _BATCH):
            rows = np.arange(start, min(start + _BATCH, len(found)))
            found[self._order[rows]] = unit(self._dense.vectors(rows) - self._dense.mean(0))
        return found

    def directions(self, questions: _Floats) -> _Floats:
        """Return questions as the unit vectors that are searched."""
        return unit(questions - self._dense.mean(0))


class WholeIndex:
    """`HybridIndex` through its public face: access lists are filtered, hits come back."""

    def __init__(self, corpus: Corpus, access: Access) -> None:
        self._index = HybridIndex(corpus.vectors.shape[1])
        for start in range(0, len(corpus.vectors), _BATCH):
            self._index.add(_entries(corpus, access, start))
        self._index.search_dense(Query("", corpus.questions[0], LANG), 1)
        if self._index.is_fold_due:
            self._index.fold()
        self._filters = {case: access.filter(case) for case in access.masks}

    def search(self, question: _Floats, case: Case, k: int) -> list[int]:
        """Return the best admitted chunks."""
        query = Query("", question, LANG, self._filters[case])
        return [hit.chunk_id for hit in self._index.search_dense(query, k)]

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()


def _entries(corpus: Corpus, access: Access, start: int) -> list[Entry]:
    rows = range(start, min(start + _BATCH, len(corpus.vectors)))
    facets = Facets(lang=LANG)
    return [
        Entry(
            row,
            str(corpus.documents[row]),
            int(access.access_ids[row]),
            "",
            corpus.vectors[row],
            facets,
        )
        for row in rows
    ]
