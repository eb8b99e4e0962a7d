"""The rows that a caller's filters admit, kept up with the changes of the rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from indexes.cells import Cells
from indexes.lists import Lists
from indexes.model import AccessFilter, MetadataFilter

UNDATED = 0


@dataclass(slots=True)
class Selection:
    """Which rows two filters admit, as of the change numbered `seq`.

    `mask` has room for more rows than there are, and admits `n`; `admitted` is the same for
    cells. `since` and `until` are inclusive ordinals of days, None where unbounded. Only
    `catch_up` changes a selection, while nobody searches with it.
    """

    access: AccessFilter
    metadata: MetadataFilter
    mask: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    n: int = 0
    seq: int = 0
    admitted: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    _rows: NDArray[np.int32] | None = None
    _words: NDArray[np.uint64] | None = None
    _lists: Lists | None = None
    _counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        """Return how many rows are admitted."""
        return self.n

    @property
    def cells(self) -> NDArray[np.int64]:
        """The admitted cells."""
        return np.flatnonzero(self.admitted)

    @property
    def since(self) -> int | None:
        """The first admitted day."""
        return _ordinal(self.metadata.since)

    @property
    def until(self) -> int | None:
        """The last admitted day."""
        return _ordinal(self.metadata.until)

    def rows(self) -> NDArray[np.int32]:
        """Return the admitted rows, ascending."""
        if self._rows is None:
            self._rows = np.flatnonzero(self.mask).astype(np.int32)
        return self._rows

    def words(self) -> NDArray[np.uint64]:
        """Return the mask as bits, 64 rows a word, each word's lowest for its first row."""
        if self._words is None:
            packed = np.packbits(self.mask, bitorder="little")
            self._words = np.pad(packed, (0, -len(packed) % 8)).view(np.uint64)
        return self._words

    def bits(self, n: int) -> NDArray[np.uint8]:
        """Return the mask of the first `n` rows as bits, each byte's lowest for its first row."""
        own = self.words().view(np.uint8)[: (n + 7) // 8]
        if n % 8:
            own = own.copy()
            own[-1] &= (1 << n % 8) - 1
        return own

    def counts(self, lists: Lists) -> NDArray[np.int64]:
        """Return how many rows of each list are admitted."""
        if self._lists is not lists:
            self._counts, self._lists = lists.counts(self.mask), lists
        return self._counts

    def catch_up(
        self,
        seq: int,
        touched: NDArray[np.int64] | slice,
        cells: Cells,
        cell_of: NDArray[np.int32],
        day_of: NDArray[np.int32],
    ) -> None:
        """Decide anew about rows that were added or changed; `cell_of` and `day_of` have all."""
        self.seq = seq
        n_known = len(self.admitted)
        more = cells.admitted(self.access, self.metadata, n_known)
        self.admitted = np.concatenate([self.admitted, more])
        if len(cell_of) > len(self.mask):
            self.mask = np.pad(self.mask, (0, max(len(cell_of), 64) * 5 // 4 - len(self.mask)))
        now = self.admitted[cell_of[touched]]
        if self.metadata.since or self.metadata.until:
            days = day_of[touched]
            now &= days >= (self.since or UNDATED + 1)
            now &= days <= (self.until or date.max.toordinal())
        gained = now.astype(np.int8) - self.mask[touched]
        if not gained.any():
            return
        self.mask[touched] = now
        self.n += int(gained.sum())
        self._rows = self._words = None
        if self._lists is not None:
            rows = np.arange(len(cell_of))[touched]
            in_lists = rows < self._lists.starts[-1]
            np.add.at(self._counts, self._lists.of_rows(rows[in_lists]), gained[in_lists])


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()
