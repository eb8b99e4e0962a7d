"""The index: vectors and BM25 under one filter, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from indexes import fusion
from indexes.dense import Dense, Fold
from indexes.device import Device
from indexes.fusion import Candidates
from indexes.lexical import Lexical, Matches
from indexes.lists import N_WITHOUT
from indexes.lock import SharedLock
from indexes.model import Entry, Hit, Query, SearchIndexError
from indexes.rows import Rows, day_of
from indexes.scribe import Text
from indexes.selection import Selection
from indexes.unit import check_question, vectors_of

_N_CANDIDATES = 100
_N_WIDE = 10
"""Who may read more than a tenth of the rows is first searched for without a filter."""


class HybridIndex:
    """Implements `indexes.model.Index`; safe to use from several threads.

    Changes hold for every search that begins after the call returned. They are gathered and
    made searchable by words at the next search, so many small changes cost little. Vectors live
    in memory, words too unless there is a `folder`; both are built again at start. Where
    `is_fold_due`, a `fold` makes searches faster; where `is_mirror_due`, a `mirror` has a device
    search a copy of the vectors.
    """

    def __init__(self, dimension: int, folder: Path | None = None) -> None:
        self.dimension = dimension
        self._rows = Rows()
        self._dense = Dense(dimension)
        self._lexical = Lexical(folder)
        self._lock = SharedLock()
        self._folding = Lock()
        self._is_settled = True
        self._n_moves = 0

    def __len__(self) -> int:
        """Return the number of live chunks."""
        with self._lock.shared():
            return self._rows.n - self._rows.n_dead

    def add(self, entries: list[Entry]) -> None:
        """Index chunks; an entry whose `chunk_id` is known replaces it.

        Raises `SearchIndexError` before any change if a vector has the wrong shape or length.
        """
        latest = list({entry.chunk_id: entry for entry in entries}.values())
        if not latest:
            return
        vectors = vectors_of(latest, self.dimension)
        with self._changing():
            known = (self._rows.serial_of(entry.chunk_id) for entry in latest)
            self._bury([serial for serial in known if serial is not None])
            first = self._rows.n
            serials = self._rows.append(latest)
            self._dense.append(vectors, self._rows.langs[first:])
            cells = self._rows.cells
            self._lexical.add(
                Text(
                    serial,
                    cells.number(entry.access_id, entry.facets),
                    day_of(entry.facets),
                    entry.facets.lang,
                    entry.text,
                    entry.title,
                )
                for serial, entry in zip(serials, latest, strict=True)
            )

    def delete(self, document_ids: list[str]) -> None:
        """Make every chunk of the documents invisible before returning."""
        with self._changing():
            for document_id in document_ids:
                self._bury(self._rows.serials_of(document_id))
                self._rows.forget(document_id)

    def set_access(self, document_id: str, access_id: int) -> None:
        """Change who may read a document's chunks before returning."""
        with self._changing():
            if serials := self._rows.serials_of(document_id):
                self._lexical.move(serials, self._rows.grant(serials, access_id))

    def search(self, query: Query, k: int) -> list[Hit]:
        """Return the `k` best chunks that the filters admit, never fewer while there are some.

        A hit's `lexical` is None if no word of the question led to it.
        """
        found = self.candidates(query, k)
        scores = fusion.fused(found)
        order = np.lexsort((found.chunk_ids, -scores))[: max(k, 0)].tolist()
        return [
            Hit(
                int(found.chunk_ids[i]),
                float(scores[i]),
                float(found.dense[i]),
                float(found.lexical[i]) or None,
            )
            for i in order
        ]

    def candidates(self, query: Query, k: int = _N_CANDIDATES) -> Candidates:
        """Return what `search` ranks: the best chunks by vector and the best by words."""
        with self._settled():
            selection = self._rows.select(query.access, query.metadata)
            n = max(k, _N_CANDIDATES)
            near, _ = self._near(query, selection, n)
            rows, matches = self._matches(query, selection, n)
            found = np.union1d(near, rows)
            lexical = np.zeros(len(found), np.float32)
            lexical[np.searchsorted(found, rows)] = matches.scores
            lang = self._rows.lang_code(query.lang)
            coverage, named = self._lexical.shares(
                query.text, matches.words, self._rows.serials[found]
            )
            return Candidates(
                chunk_ids=self._rows.chunk_ids[found],
                dense=self._dense.scores(query.vector, lang, found),
                lexical=lexical,
                coverage=coverage,
                named=named,
                is_kin=self._is_kin(query, found),
                n_words=len(matches.words),
            )

    def search_dense(self, query: Query, k: int) -> list[Hit]:
        """Search by the vector alone, under the same filters."""
        with self._settled(words=False):
            selection = self._rows.select(query.access, query.metadata)
            rows, scores = self._near(query, selection, k)
            ids = self._rows.chunk_ids[rows].tolist()
            return [Hit(i, s, dense=s) for i, s in zip(ids, scores.tolist(), strict=True)]

    def search_lexical(self, query: Query, k: int) -> list[Hit]:
        """Search by words alone, under the same filters; only chunks that hold one are found."""
        with self._settled():
            selection = self._rows.select(query.access, query.metadata)
            rows, matches = self._matches(query, selection, k)
            ids = self._rows.chunk_ids[rows].tolist()
            return [Hit(i, s, lexical=s) for i, s in zip(ids, matches.scores.tolist(), strict=True)]

    def taken_out(self, lang: str) -> NDArray[np.float32]:
        """Return the part of a language's mean that vectors in it are searched without."""
        with self._settled(words=False):
            return self._dense.mean(self._rows.lang_code(lang)).copy()

    @property
    def trouble(self) -> str:
        """What keeps newer chunks from being found by their words; empty if nothing does."""
        return self._lexical.trouble

    @property
    def is_fold_due(self) -> bool:
        """Whether many rows are dead or not in lists yet."""
        with self._lock.shared():
            return self._dense.is_fold_due(self._rows.n_dead)

    def fold(self) -> None:
        """Drop dead rows and group the others anew; searches and changes go on meanwhile.

        That takes seconds a million chunks, about a minute where lists are learnt.
        """
        with self._folding:
            with self._settled(words=False):
                live, n_moves = self._rows.live, self._n_moves
            fold = self._dense.folded(live)
            with self._lock.alone():
                if n_moves == self._n_moves:
                    self._move(fold)

    def use(self, device: Device | None) -> None:
        """Have a device search vectors after the next `mirror`; None has the CPU do it."""
        with self._lock.alone():
            self._dense.use(device)

    @property
    def is_mirror_due(self) -> bool:
        """Whether the device's copy of the vectors is missing or out of date."""
        with self._lock.shared():
            return self._dense.mirroring() is not None

    def mirror(self) -> None:
        """Copy the vectors to the device, if they are many; searches and changes go on meanwhile.

        New rows stay on the CPU until the next `fold`. If the device fails, everything does.
        """
        with self._folding:
            with self._settled(words=False):
                copy = self._dense.mirroring()
            if copy is not None:
                copy()

    def close(self) -> None:
        """Let go of the folder; the index can't be used any more."""
        with self._lock.alone():
            self._lexical.close()

    def _bury(self, serials: list[int]) -> None:
        if serials:
            self._rows.bury(serials)
            self._lexical.delete(serials)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock.alone():
            self._is_settled = False
            yield

    @contextmanager
    def _settled(self, *, words: bool = True, is_committed: bool = False) -> Iterator[None]:
        """Hold the shared lock on an index whose changes are searchable.

        `words` asks for those by words too, as far as they can be written now, `is_committed` for
        all of them to be on disk.
        """
        while True:
            with self._lock.shared():
                is_due = self._lexical.must_commit if words else False
                is_due |= is_committed and self._lexical.n_pending > 0
                if self._is_settled and not is_due:
                    yield
                    return
            with self._lock.alone():
                self._settle()
                if is_due:
                    try:
                        self._lexical.commit()
                    except SearchIndexError:
                        if is_committed:
                            raise
                        words = False

    def _settle(self) -> None:
        if self._is_settled:
            return
        rows, dense = self._rows, self._dense
        if rows.n <= N_WITHOUT and dense.is_fold_due(rows.n_dead):
            self._move(dense.folded(rows.live))
        if dense.has_drifted(rows.lang_counts):
            dense.recentre(rows.langs, rows.live, rows.n_langs)
            self._n_moves += 1
        self._is_settled = True

    def _move(self, fold: Fold) -> None:
        self._rows.arrange(self._dense.adopt(fold))
        self._n_moves += 1

    def _near(
        self, query: Query, selection: Selection, k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        check_question(query, self.dimension)
        lang = self._rows.lang_code(query.lang)
        return self._dense.search(query.vector, lang, selection, k)

    def _matches(
        self, query: Query, selection: Selection, k: int
    ) -> tuple[NDArray[np.int64], Matches]:
        """Return the rows that match by words, checked once more against the columns."""
        k = max(0, min(k, len(selection)))
        if len(selection) * _N_WIDE > self._rows.n:
            limit = min(2 * k * self._rows.n // len(selection), self._rows.n)
            found = self._lexical.search_all(query.text, query.lang, limit)
            rows, matches = self._admitted(found, selection, k)
            if len(rows) == k or len(found.serials) < limit:
                return rows, matches
        found = self._lexical.search(query.text, query.lang, selection, k)
        return self._admitted(found, selection, k)

    def _admitted(
        self, matches: Matches, selection: Selection, k: int
    ) -> tuple[NDArray[np.int64], Matches]:
        rows = self._rows.find(matches.serials)
        is_kept = (rows >= 0) & selection.mask[rows] if len(rows) else np.zeros(0, np.bool_)
        kept = np.flatnonzero(is_kept)[:k]
        return rows[kept], replace(
            matches, serials=matches.serials[kept], scores=matches.scores[kept]
        )

    def _is_kin(self, query: Query, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows are in the question's language; all, if that is unknown."""
        if not query.lang:
            return np.ones(len(rows), np.bool_)
        code = self._rows.lang_code(query.lang)
        return np.asarray(self._rows.langs[rows] == (-1 if code is None else code))
