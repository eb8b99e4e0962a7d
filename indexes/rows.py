"""Columns of the indexed chunks: who may read a row, what it is, whether it still lives."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from indexes.cells import NOWHERE, Cells
from indexes.model import AccessFilter, Entry, Facets, MetadataFilter, primary_lang

UNDATED = 0
_N_CACHED_SELECTIONS = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that a caller's filters admit, as of one generation of the rows.

    `mask` has one bool per row, `rows` the admitted positions in ascending order, `cells` the
    admitted cells; `since` and `until` are inclusive ordinals of days, None where unbounded.
    """

    mask: NDArray[np.bool_]
    rows: NDArray[np.int64]
    cells: NDArray[np.int64]
    since: int | None = None
    until: int | None = None

    def __len__(self) -> int:
        """Return how many rows are admitted."""
        return len(self.rows)


class Rows:
    """Growing columns, one value per row; positions change only in `compact`.

    A row's serial number never changes and rises with the position, so other structures may keep
    it. Readers may run together; writers need exclusive use.
    """

    def __init__(self) -> None:
        self.cells = Cells()
        self.n = 0
        self.n_dead = 0
        self._next_serial = 1
        self._serials = np.zeros(0, np.int64)
        self._chunk_ids = np.zeros(0, np.int64)
        self._cells = np.zeros(0, np.int32)
        self._langs = np.zeros(0, np.int32)
        self._days = np.zeros(0, np.int32)
        self._lang_codes: dict[str, int] = {}
        self._serial_of: dict[int, int] = {}
        self._serials_of: dict[str, list[int]] = {}
        self._selections: OrderedDict[tuple[AccessFilter, MetadataFilter], Selection] = (
            OrderedDict()
        )
        self._selections_lock = Lock()

    @property
    def serials(self) -> NDArray[np.int64]:
        """The rows' serial numbers, ascending."""
        return self._serials[: self.n]

    @property
    def chunk_ids(self) -> NDArray[np.int64]:
        """The rows' chunk ids."""
        return self._chunk_ids[: self.n]

    @property
    def langs(self) -> NDArray[np.int32]:
        """The rows' language codes, see `lang_code`."""
        return self._langs[: self.n]

    @property
    def live(self) -> NDArray[np.bool_]:
        """Which rows were not deleted or replaced."""
        return np.asarray(self._cells[: self.n] != NOWHERE)

    @property
    def n_langs(self) -> int:
        """How many languages were seen so far; their codes are 0 to `n_langs` - 1."""
        return len(self._lang_codes)

    def lang_code(self, lang: str) -> int | None:
        """Return the code of a language, None if no row ever had it."""
        return self._lang_codes.get(primary_lang(lang))

    def append(self, entries: list[Entry]) -> list[int]:
        """Add rows and return their serial numbers; the chunk ids must not be indexed."""
        n = len(entries)
        self._reserve(self.n + n)
        serials = list(range(self._next_serial, self._next_serial + n))
        self._next_serial += n
        for row, (serial, entry) in enumerate(zip(serials, entries, strict=True), self.n):
            facets = entry.facets
            self._serials[row] = serial
            self._chunk_ids[row] = entry.chunk_id
            self._cells[row] = self.cells.number(entry.access_id, facets)
            lang = primary_lang(facets.lang)
            self._langs[row] = self._lang_codes.setdefault(lang, len(self._lang_codes))
            self._days[row] = day_of(facets)
            self._serial_of[entry.chunk_id] = serial
            self._serials_of.setdefault(entry.document_id, []).append(serial)
        self.n += n
        self._selections.clear()
        return serials

    def serial_of(self, chunk_id: int) -> int | None:
        """Return the serial number of a live chunk, None if it isn't indexed."""
        return self._serial_of.get(chunk_id)

    def serials_of(self, document_id: str) -> list[int]:
        """Return the serial numbers of a document's live rows."""
        serials = self._serials_of.get(document_id, [])
        if not serials:
            return []
        rows = self.find(np.array(serials, np.int64))
        return [s for s, row in zip(serials, rows, strict=True) if self._is_live(int(row))]

    def find(self, serials: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of serial numbers, -1 where a row is no more."""
        if self.n == 0:
            return np.full(len(serials), -1, np.int64)
        rows = np.minimum(np.searchsorted(self.serials, serials), self.n - 1)
        return np.where(self.serials[rows] == serials, rows, -1)

    def bury(self, serials: list[int]) -> None:
        """Mark live rows as deleted: no selection admits them from now on."""
        for row in self.find(np.array(serials, np.int64)).tolist():
            self._cells[row] = NOWHERE
            self._serial_of.pop(int(self._chunk_ids[row]), None)
        self.n_dead += len(serials)
        self._selections.clear()

    def forget(self, document_id: str) -> None:
        """Drop the memory of a document whose rows were all buried."""
        self._serials_of.pop(document_id, None)

    def grant(self, serials: list[int], access_id: int) -> list[int]:
        """Give live rows another access id and return their new cells."""
        rows = self.find(np.array(serials, np.int64)).tolist()
        cells = [self.cells.with_access(int(self._cells[row]), access_id) for row in rows]
        self._cells[rows] = cells
        self._selections.clear()
        return cells

    def select(self, access: AccessFilter, metadata: MetadataFilter) -> Selection:
        """Return the rows that both filters admit, from a cache while nothing has changed."""
        key = (access, metadata)
        with self._selections_lock:
            found = self._selections.get(key)
            if found is not None:
                self._selections.move_to_end(key)
                return found
        made = self._make_selection(access, metadata)
        with self._selections_lock:
            self._selections[key] = made
            while len(self._selections) > _N_CACHED_SELECTIONS:
                self._selections.popitem(last=False)
        return made

    def compact(self) -> NDArray[np.int64]:
        """Drop dead rows; return the old positions of those kept, in their new order."""
        kept = np.flatnonzero(self.live)
        self._serials = self._serials[kept]
        self._chunk_ids = self._chunk_ids[kept]
        self._cells = self._cells[kept]
        self._langs = self._langs[kept]
        self._days = self._days[kept]
        self.n, self.n_dead = len(kept), 0
        alive = set(self._serials.tolist())
        for document_id, serials in list(self._serials_of.items()):
            if left := [serial for serial in serials if serial in alive]:
                self._serials_of[document_id] = left
            else:
                del self._serials_of[document_id]
        self._selections.clear()
        return kept

    def _is_live(self, row: int) -> bool:
        return row >= 0 and bool(self._cells[row] != NOWHERE)

    def _make_selection(self, access: AccessFilter, metadata: MetadataFilter) -> Selection:
        admitted = self.cells.admitted(access, metadata)
        mask = admitted[self._cells[: self.n]]
        since, until = _ordinal(metadata.since), _ordinal(metadata.until)
        if since is not None or until is not None:
            days = self._days[: self.n]
            mask &= (days >= (since or UNDATED + 1)) & (days <= (until or date.max.toordinal()))
        return Selection(mask, np.flatnonzero(mask), np.flatnonzero(admitted), since, until)

    def _reserve(self, n: int) -> None:
        if n <= len(self._serials):
            return
        more = max(n, 2 * len(self._serials), 64) - len(self._serials)
        self._serials = np.pad(self._serials, (0, more))
        self._chunk_ids = np.pad(self._chunk_ids, (0, more))
        self._cells = np.pad(self._cells, (0, more))
        self._langs = np.pad(self._langs, (0, more))
        self._days = np.pad(self._days, (0, more))


def day_of(facets: Facets) -> int:
    """Return the ordinal of the day that a chunk is dated, `UNDATED` if it isn't."""
    return facets.dated.toordinal() if facets.dated else UNDATED


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()
