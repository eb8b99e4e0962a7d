"""Vector search over chosen rows, by the cosine of centred vectors.

Rows are held in two blocks: a base that never changes, its rows grouped in lists if they are many,
and a tail that grows. Few admitted rows are all scanned, so that the result is exact; of many, the
base's are probed list by list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes import centring, scan
from indexes import lists as grouping
from indexes.block import Block, halves_of, joined
from indexes.centring import Means
from indexes.lists import Lists, Shape
from indexes.probe import probed
from indexes.scan import Part, Question, Shortlist
from indexes.selection import Selection

_Floats = NDArray[np.float32]

_STEP = 65_536
_TAIL_SHARE = 0.05
_GROWTH = 2
"""Lists are learnt anew when there are so many times more rows."""
_N_EXACT = (5_000, 50_000)
_EXACT_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Fold:
    """A new base for the rows there were, and their old positions in the new order."""

    base: Block
    lists: Lists | None
    order: NDArray[np.int64]
    n_before: int


class Dense:
    """Vectors at row positions that are the caller's, kept as binary16.

    `n_exact` is the number of admitted rows up to which all are scanned. Readers may run
    together; writers need exclusive use.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.n_exact = _N_EXACT[0]
        self._base, self._tail = Block.empty(dimension), Block.empty(dimension)
        self._lists: Lists | None = None
        self._shape: Shape | None = None
        self._terms = np.zeros((0, 4), np.float32)
        self._means = Means.none(dimension)

    def __len__(self) -> int:
        """Return the number of rows, dead ones included."""
        return self._base.n + self._tail.n

    def append(self, vectors: _Floats, langs: NDArray[np.int32]) -> None:
        """Add rows: unit vectors of shape (n, dimension) and their language codes."""
        start, stop = len(self), len(self) + len(vectors)
        block = Block.of(halves_of(vectors))
        self._tail.append(block)
        if stop > len(self._terms):
            more = max(stop, len(self._terms) * 5 // 4, 64) - len(self._terms)
            self._terms = np.pad(self._terms, ((0, more), (0, 0)))
        owners = self._means.owners(langs)
        self._terms[start:stop] = centring.terms(block, owners, self._means)

    def search(
        self, vector: _Floats, lang: int | None, selection: Selection, k: int
    ) -> tuple[NDArray[np.int64], _Floats]:
        """Return the `k` best admitted rows and their scores, best first, never fewer.

        A score is the cosine of the centred vectors, in [-1, 1], of equals the first row comes
        first. The result is exact if no more than `n_exact` rows are admitted.
        """
        k = min(k, len(selection))
        if k <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        asked, base, tail = self._asked(vector, lang), self._base_part(), self._tail_part()
        found = scan.shortlist(k, len(selection))
        mask = selection.mask
        if len(selection) <= self.n_exact:
            rows = selection.rows()
            n_base = int(np.searchsorted(rows, self._base.n))
            for part, own in ((tail, rows[n_base:] - np.int32(tail.first)), (base, rows[:n_base])):
                found = scan.scan_rows(found, part, own, asked) if len(own) else found
        else:
            found = scan.scan_range(found, tail, 0, self._tail.n, mask[self._base.n :], asked)
            found = self._probed(found, base, selection, asked)
        return scan.settled(found, base, tail, asked)

    def scores(self, vector: _Floats, lang: int | None, rows: NDArray[np.int64]) -> _Floats:
        """Return the scores that `search` gives to these rows."""
        parts = self._base_part(), self._tail_part()
        return scan.exact_scores(*parts, rows, self._asked(vector, lang))

    def vectors(self, rows: NDArray[np.int64]) -> _Floats:
        """Return the vectors of rows as they were added, rounded to binary16."""
        found = np.empty((len(rows), self.dimension), np.float32)
        in_base = rows < self._base.n
        found[in_base] = self._base.vectors(rows[in_base])
        found[~in_base] = self._tail.vectors(rows[~in_base] - self._base.n)
        return found

    @property
    def lists(self) -> Lists | None:
        """How the base's rows are grouped, None if they aren't."""
        return self._lists

    def mean(self, lang: int | None) -> _Floats:
        """Return what is taken out of a question in this language."""
        row: _Floats = self._means.parts[self._means.owner(lang)]
        return row

    def has_drifted(self, counts: NDArray[np.int64]) -> bool:
        """Return whether languages' live rows, counted by code, ask for a `recentre`."""
        return self._means.have_drifted(counts)

    def recentre(self, langs: NDArray[np.int32], live: NDArray[np.bool_], n_langs: int) -> None:
        """Take the means of the live rows anew and apply them to all rows."""
        self._means = centring.measured(self._blocks(), langs, live, n_langs)
        owners = self._means.owners(langs)
        self._terms = np.concatenate(
            [centring.terms(block, owners[rows], self._means) for block, rows in self._blocks()]
        )
        self._refresh_shape()

    def is_fold_due(self, n_dead: int) -> bool:
        """Return whether `folded` would make searches clearly faster."""
        n = len(self)
        n_loose = self._tail.n if n - n_dead > grouping.N_WITHOUT else 0
        return n_dead > 0.2 * n or n_loose > max(grouping.N_WITHOUT / 5, _TAIL_SHARE * n)

    def folded(self, live: NDArray[np.bool_]) -> Fold:
        """Prepare a base of the live rows, grouped if they are many; nothing changes yet.

        Rows may be added and marked dead meanwhile, but neither moved nor centred anew.
        """
        rows = np.flatnonzero(live)
        lists = None
        if len(rows) > grouping.N_WITHOUT:
            lists = self._lists
            if lists is None or len(rows) > _GROWTH * lists.n_trained:
                step = max(1, len(rows) // grouping.n_sampled(len(rows)))
                lists = grouping.trained(self._directions(rows[::step]), len(rows))
            lists, rows = self._grouped(lists, rows)
        return Fold(joined(self._base, self._tail, rows), lists, rows, len(live))

    def adopt(self, fold: Fold) -> NDArray[np.int64]:
        """Use a prepared base; return the old positions of all rows that are left, in order."""
        later = np.arange(fold.n_before, len(self))
        order = np.concatenate([fold.order, later])
        if fold.lists is None and len(fold.order) <= grouping.N_WITHOUT:
            base, tail = Block.empty(self.dimension), fold.base
        else:
            base, tail = fold.base, Block.empty(self.dimension)
        tail.append(joined(self._base, self._tail, later))
        self._terms = self._terms[order]
        self._base, self._tail, self._lists = base, tail, fold.lists
        self._refresh_shape()
        return order

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all as plain arrays; the base's are its own memory, which never changes."""
        tail = {name: array.copy() for name, array in self._tail.arrays("tail").items()}
        grouped = self._lists.arrays() if self._lists is not None else {}
        return (
            self._base.arrays("base")
            | tail
            | grouped
            | {
                "terms": self._terms[: len(self)].copy(),
                "means": self._means.parts,
                "mean_counts": self._means.counts,
            }
        )

    @classmethod
    def filled(
        cls, base: NDArray[np.uint16], tail: NDArray[np.uint16], lists: Lists | None
    ) -> Dense:
        """Return vectors given as the bits of binary16, those of `lists` first; to be centred."""
        dense = cls(base.shape[1])
        dense._base, dense._tail, dense._lists = Block.of(base), Block.of(tail), lists
        dense._terms = np.zeros((len(dense), 4), np.float32)
        return dense

    @classmethod
    def restored(cls, dimension: int, arrays: Mapping[str, NDArray[Any]]) -> Dense:
        """Return what gave these arrays; of the base nothing is copied."""
        dense = cls(dimension)
        dense._base = Block.from_arrays(arrays, "base")
        dense._tail.append(Block.from_arrays(arrays, "tail"))
        dense._lists = Lists.from_arrays(arrays)
        dense._terms = arrays["terms"].copy()
        dense._means = Means(arrays["means"], arrays["mean_counts"])
        dense._refresh_shape()
        return dense

    def _probed(
        self, found: Shortlist, part: Part, selection: Selection, asked: Question
    ) -> Shortlist:
        if self._lists is None or self._shape is None:
            return scan.scan_range(found, part, 0, self._base.n, selection.mask, asked)
        counts = selection.counts(self._lists)
        found, _ = probed(found, part, self._lists, self._shape, counts, selection.mask, asked)
        return found

    def _asked(self, vector: _Floats, lang: int | None) -> Question:
        direction = vector - self.mean(lang)
        length = float(np.linalg.norm(direction))
        direction = np.ascontiguousarray(direction / (length or 1), np.float32)
        return scan.question(direction, self._means.parts @ direction)

    def _base_part(self) -> Part:
        return self._part(self._base, 0)

    def _tail_part(self) -> Part:
        return self._part(self._tail, self._base.n)

    def _part(self, block: Block, first: int) -> Part:
        rows = slice(first, first + block.n)
        columns = (
            block.halves[: block.n],
            block.codes[: block.n],
            self._terms[rows],
        )
        for column in columns:
            column.flags.writeable = False
        return Part(first, *columns)

    def _directions(self, rows: NDArray[np.int64]) -> _Floats:
        """Return ascending rows as the unit vectors that are searched."""
        n_base = int(np.searchsorted(rows, self._base.n))
        parts = (self._base, rows[:n_base]), (self._tail, rows[n_base:] - self._base.n)
        own = np.split(self._terms[rows], [n_base])
        return np.concatenate(
            [
                centring.centred(*part, terms, self._means)
                for part, terms in zip(parts, own, strict=True)
            ]
        )

    def _grouped(self, lists: Lists, rows: NDArray[np.int64]) -> tuple[Lists, NDArray[np.int64]]:
        owner = np.empty(len(rows), np.int64)
        n_known = 0
        if lists is self._lists:
            n_known = int(np.searchsorted(rows, self._base.n))
            owner[:n_known] = lists.of_rows(rows[:n_known])
        for start in range(n_known, len(rows), _STEP):
            part = rows[start : start + _STEP]
            owner[start : start + len(part)] = grouping.nearest(lists, self._directions(part))
        sizes = np.bincount(owner, minlength=len(lists))
        starts = np.concatenate([[0], np.cumsum(sizes)])
        order = np.argsort(owner, kind="stable")
        return replace(lists, starts=starts), rows[order]

    def _blocks(self) -> list[tuple[Block, slice]]:
        n = self._base.n
        return [(self._base, slice(0, n)), (self._tail, slice(n, len(self)))]

    def _refresh_shape(self) -> None:
        """Measure the lists, and how many rows this machine scans in half a millisecond."""
        self._shape = None
        if self._lists is None:
            return
        n = self._base.n
        self._shape = grouping.shaped(self._lists, self._base, self._terms[:n], self._means)
        asked, part = self._asked(np.ones(self.dimension, np.float32), None), self._base_part()
        # Other rows each time: those of the time before would be in the processor's caches.
        samples = [
            np.arange(first, n, 8, dtype=np.int32)[:: max(1, n // 40_000)] for first in range(8)
        ]
        seconds = np.median([_seconds(part, rows, asked) / len(rows) for rows in samples])
        n_exact = int(_EXACT_SECONDS / seconds)
        self.n_exact = min(max(n_exact, _N_EXACT[0]), _N_EXACT[1])


def _seconds(part: Part, rows: NDArray[np.int32], asked: Question) -> float:
    found = scan.shortlist(10, len(rows))
    start = perf_counter()
    scan.scan_rows(found, part, rows, asked)
    return perf_counter() - start
