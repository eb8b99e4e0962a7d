"""Vector search over chosen rows, by the cosine of centred vectors.

Rows are held in two blocks: a base that never changes, its rows grouped in lists if they are many,
and a tail that grows. Few admitted rows are all scanned, so that the result is exact; of many, the
base's are probed list by list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes import centring, scan
from indexes import lists as grouping
from indexes.block import Block, halves_of, joined
from indexes.centring import Means
from indexes.device import Device, Mirror
from indexes.lists import Lists, Shape
from indexes.probe import best_probed
from indexes.scan import Columns
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
    together; writers need exclusive use. A copy of the base on a device takes the place of the
    lists, as long as it is up to date.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.n_exact = _N_EXACT[0]
        self._base, self._tail = Block.empty(dimension), Block.empty(dimension)
        self._lists: Lists | None = None
        self._shape: Shape | None = None
        self._terms = np.zeros((0, 4), np.float32)
        self._means = Means.none(dimension)
        self._mirror = Mirror()
        self._columns = self._gathered()

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
        self._columns = self._gathered()

    def search(
        self, vector: _Floats, lang: int | None, selection: Selection, k: int
    ) -> tuple[NDArray[np.int64], _Floats]:
        """Return the `k` best admitted rows and their scores, best first, never fewer.

        A score is the cosine of the centred vectors, in [-1, 1], of equals the first row comes
        first. The result is exact if no more than `n_exact` rows are admitted.
        """
        n = len(selection)
        k = min(k, n)
        if k <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        asked = (np.array(vector, np.float32), self._means.owner(lang), self._columns)
        if n <= self.n_exact:
            return scan.best_of(k, selection.rows(), *asked)
        near = self._mirrored(vector, lang, selection, k)
        if near is not None:
            return scan.best_of(k, near, *asked)
        if self._lists is None or self._shape is None:
            return scan.best_admitted(k, n, selection.mask, *asked)
        lists, counts = self._lists, selection.counts(self._lists)
        return best_probed(
            k, n, selection.mask, selection.words(), counts, *asked, lists.starts, self._shape
        )

    def scores(self, vector: _Floats, lang: int | None, rows: NDArray[np.int64]) -> _Floats:
        """Return the scores that `search` gives to these rows."""
        asked = np.array(vector, np.float32), self._means.owner(lang)
        return scan.scores_of(rows, *asked, self._columns)

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
        self._refresh()

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
        self._refresh()
        return order

    def use(self, device: Device | None) -> None:
        """Have a device search a copy of the base, once there is one; see `mirroring`."""
        self._mirror = Mirror(device)

    def mirroring(self) -> Callable[[], None] | None:
        """Return what copies the base to the device, None if there is nothing to copy.

        Calling that needs no exclusive use of anything: the base never changes.
        """
        mirror, base, means = self._mirror, self._base, self._means
        own = self._terms[: base.n]
        if not base.n or not mirror.is_due((base, means)):
            return None

        def vectors(rows: NDArray[np.int64]) -> _Floats:
            return centring.centred(base, rows, own[rows], means)

        return lambda: mirror.refresh((base, means), vectors, base.n, self.dimension)

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
        dense._refresh()
        return dense

    def _mirrored(
        self, vector: _Floats, lang: int | None, selection: Selection, k: int
    ) -> NDArray[np.int32] | None:
        """Return rows that hold the best, by the device and all of the tail; None without one."""
        key, n = (self._base, self._means), self._base.n
        if not self._mirror.holds(key):
            return None
        question = scan.question(
            np.array(vector, np.float32), self._means.owner(lang), self._means.parts
        )
        near = self._mirror.nearest(key, n, question.exact, selection, k)
        if near is None:
            return None
        later = n + np.flatnonzero(selection.mask[n : len(self)])
        return np.concatenate([near, later.astype(np.int32)])

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

    def _gathered(self) -> Columns:
        """Return what searches read; compiled code is compiled anew for arrays of other kinds."""
        n = self._base.n
        columns = (
            self._means.parts,
            *self._base.searched(),
            self._terms[:n],
            *self._tail.searched(),
            self._terms[n : len(self)],
        )
        for column in columns:
            column.flags.writeable = False
        return columns

    def _refresh(self) -> None:
        """Measure the lists, and how many rows this machine scans in half a millisecond."""
        self._columns, self._shape = self._gathered(), None
        if self._lists is None:
            return
        n = self._base.n
        self._lists.starts.flags.writeable = False
        self._shape = grouping.shaped(self._lists, self._base, self._terms[:n], self._means)
        # Other rows each time: those of the time before would be in the processor's caches.
        samples = [
            np.arange(first, n, 8, dtype=np.int32)[:: max(1, n // 40_000)] for first in range(8)
        ]
        seconds = np.median([_seconds(self._columns, r) / max(len(r), 1) for r in samples])
        n_exact = int(_EXACT_SECONDS / seconds)
        self.n_exact = min(max(n_exact, _N_EXACT[0]), _N_EXACT[1])


def _seconds(columns: Columns, rows: NDArray[np.int32]) -> float:
    vector = np.ones(columns[0].shape[1], np.float32)
    start = perf_counter()
    scan.best_of(10, rows, vector, 0, columns)
    return perf_counter() - start
