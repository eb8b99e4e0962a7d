"""Columns of the indexed chunks: who may read a row, what it is, whether it still lives."""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.cells import NOWHERE, Cells
from indexes.model import AccessFilter, Entry, Facets, MetadataFilter, primary_lang
from indexes.selection import UNDATED, Selection
from indexes.serials import Serials

_N_CACHED_SELECTIONS = 64
_N_REMEMBERED_CHANGES = 1000
_COLUMNS = {
    "serials": np.int64,
    "chunk_ids": np.int64,
    "cells": np.int32,
    "langs": np.int32,
    "days": np.int32,
    "order": np.int32,
}

_Touched = NDArray[np.int64] | slice


class Rows:
    """Growing columns, one value per row; rows move only in `arrange`.

    A row's serial number never changes, and later rows have higher ones, so other structures may
    keep it. Readers may run together; writers need exclusive use.
    """

    def __init__(self) -> None:
        self.cells = Cells()
        self.n = 0
        self.n_dead = 0
        self._next_serial = 1
        self._columns = {name: np.zeros(0, dtype) for name, dtype in _COLUMNS.items()}
        self._lang_codes: dict[str, int] = {}
        self._lang_counts: Counter[int] = Counter()
        self._serial_of = Serials.none()
        self._serials_of: dict[str, array[int]] = {}
        self._n_changes = 0
        self._changes: deque[_Touched] = deque(maxlen=_N_REMEMBERED_CHANGES)
        self._selections: OrderedDict[tuple[AccessFilter, MetadataFilter], Selection] = (
            OrderedDict()
        )
        self._selections_lock = Lock()

    @property
    def chunk_ids(self) -> NDArray[np.int64]:
        """The rows' chunk ids."""
        return self._column("chunk_ids")

    @property
    def serials(self) -> NDArray[np.int64]:
        """The rows' serial numbers."""
        return self._column("serials")

    @property
    def days(self) -> NDArray[np.int32]:
        """The days that the rows are dated, as `day_of` counts them."""
        return self._column("days")

    @property
    def cell_numbers(self) -> NDArray[np.int32]:
        """The rows' places in `cells`."""
        return self._column("cells")

    @property
    def langs(self) -> NDArray[np.int32]:
        """The rows' language codes, see `lang_code`."""
        return self._column("langs")

    @property
    def live(self) -> NDArray[np.bool_]:
        """Which rows were not deleted or replaced."""
        return np.asarray(self._column("cells") != NOWHERE)

    @property
    def access_ids(self) -> NDArray[np.int64]:
        """Who may read the rows."""
        access = np.array([key[0] for key in self.cells.keys], np.int64)
        own: NDArray[np.int64] = access[self._column("cells")]
        return own

    @property
    def n_langs(self) -> int:
        """How many languages were seen so far; their codes are 0 to `n_langs` - 1."""
        return len(self._lang_codes)

    @property
    def lang_counts(self) -> NDArray[np.int64]:
        """How many live rows each language has, by its code."""
        return np.array([self._lang_counts[code] for code in range(self.n_langs)], np.int64)

    def lang_code(self, lang: str) -> int | None:
        """Return the code of a language, None if no row ever had it."""
        return self._lang_codes.get(primary_lang(lang))

    def append(self, entries: list[Entry]) -> list[int]:
        """Add rows and return their serial numbers; the chunk ids must not be indexed."""
        n = len(entries)
        first, stop = self.n, self.n + n
        self._reserve(stop)
        serials = list(range(self._next_serial, self._next_serial + n))
        self._next_serial += n
        self.n = stop
        self._column("serials")[first:] = serials
        self._column("order")[first:] = np.arange(first, stop)
        self._column("chunk_ids")[first:] = [entry.chunk_id for entry in entries]
        self._column("days")[first:] = [day_of(entry.facets) for entry in entries]
        self._column("cells")[first:] = [
            self.cells.number(entry.access_id, entry.facets) for entry in entries
        ]
        langs = [self._lang_code(entry.facets.lang) for entry in entries]
        self._column("langs")[first:] = langs
        self._lang_counts.update(langs)
        self._serial_of.put((entry.chunk_id for entry in entries), serials)
        for serial, entry in zip(serials, entries, strict=True):
            self._serials_of.setdefault(entry.document_id, array("q")).append(serial)
        self._note(slice(first, stop))
        return serials

    def serial_of(self, chunk_id: int) -> int | None:
        """Return the serial number of a live chunk, None if it isn't indexed."""
        return self._serial_of.get(chunk_id)

    def serials_of(self, document_id: str) -> list[int]:
        """Return the serial numbers of a document's live rows."""
        serials = self._serials_of.get(document_id)
        if not serials:
            return []
        rows = self.find(np.array(serials, np.int64))
        return [s for s, row in zip(serials, rows, strict=True) if self._is_live(int(row))]

    def documents(self) -> dict[str, int]:
        """Return the documents that have live rows, and how many."""
        owners = self._serials_of
        serials = np.fromiter(chain.from_iterable(owners.values()), np.int64)
        found = self.find(serials)
        is_live = (found >= 0) & self.live[found] if len(found) else np.zeros(0, np.bool_)
        owner = np.repeat(np.arange(len(owners)), [len(own) for own in owners.values()])
        counts = np.bincount(owner[is_live], minlength=len(owners)).tolist()
        return {i: n for i, n in zip(owners, counts, strict=True) if n}

    def find(self, serials: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of serial numbers, -1 where a row is no more."""
        if self.n == 0:
            return np.full(len(serials), -1, np.int64)
        own, order = self._column("serials"), self._column("order")
        at = np.searchsorted(own, serials, sorter=order)
        rows = order[np.minimum(at, self.n - 1)].astype(np.int64)
        return np.where(own[rows] == serials, rows, -1)

    def bury(self, serials: list[int]) -> None:
        """Mark live rows as deleted: no selection admits them from now on."""
        rows = self.find(np.array(serials, np.int64))
        self._column("cells")[rows] = NOWHERE
        self._lang_counts.subtract(self.langs[rows].tolist())
        self._serial_of.drop(self.chunk_ids[rows].tolist())
        self.n_dead += len(serials)
        self._note(rows)

    def forget(self, document_id: str) -> None:
        """Drop the memory of a document whose rows were all buried."""
        self._serials_of.pop(document_id, None)

    def grant(self, serials: list[int], access_id: int) -> list[int]:
        """Give live rows another access id and return their new cells."""
        rows = self.find(np.array(serials, np.int64))
        column = self._column("cells")
        cells = [self.cells.with_access(cell, access_id) for cell in column[rows].tolist()]
        column[rows] = cells
        self._note(rows)
        return cells

    def select(self, access: AccessFilter, metadata: MetadataFilter) -> Selection:
        """Return the rows that both filters admit: a kept selection, brought up to date."""
        key = (access, metadata)
        with self._selections_lock:
            selection = self._selections.get(key)
            oldest = self._n_changes - len(self._changes)
            if selection is None or selection.seq < oldest:
                selection = self._selections[key] = Selection(access, metadata)
                self._catch_up(selection, slice(0, self.n))
            elif selection.seq < self._n_changes:
                for touched in list(self._changes)[selection.seq - oldest :]:
                    self._catch_up(selection, touched)
            self._selections.move_to_end(key)
            while len(self._selections) > _N_CACHED_SELECTIONS:
                self._selections.popitem(last=False)
            return selection

    def arrange(self, order: NDArray[np.int64]) -> None:
        """Keep only these rows, in this order; every dead row must be left out or stay dead."""
        n_kept, n_before = len(order), self.n
        for name in _COLUMNS:
            self._columns[name] = self._column(name)[order]
        self.n = n_kept
        self._columns["order"] = np.argsort(self._column("serials"), kind="stable").astype(np.int32)
        self.n_dead = int(n_kept - self.live.sum())
        if n_kept < n_before:
            self._forget_lost()
        self._selections.clear()
        self._changes.clear()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies of the columns and of the documents' rows, as plain arrays."""
        owners = self._serials_of
        own = {name: self._column(name).copy() for name in _COLUMNS}
        return own | {
            "document_ids": np.array([name.encode() for name in owners], np.bytes_),
            "document_sizes": np.array([len(own) for own in owners.values()], np.int64),
            "document_serials": np.fromiter(chain.from_iterable(owners.values()), np.int64),
        }

    def tables(self) -> dict[str, Any]:
        """Return what else `restored` needs, as JSON knows it."""
        return {
            "keys": self.cells.keys,
            "langs": dict(self._lang_codes),
            "next_serial": self._next_serial,
        }

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, Any]) -> Rows:
        """Return the rows that gave these arrays and tables."""
        rows = cls()
        rows._columns = {name: np.array(arrays[name], dtype) for name, dtype in _COLUMNS.items()}
        rows.cells = Cells(tables["keys"])
        rows._lang_codes = dict(tables["langs"])
        rows._next_serial = int(tables["next_serial"])
        rows.n = len(rows._columns["serials"])
        live = rows.live
        rows.n_dead = int(rows.n - live.sum())
        rows._lang_counts = Counter(dict(enumerate(np.bincount(rows.langs[live]).tolist())))
        rows._serial_of = Serials(rows.chunk_ids[live], rows._columns["serials"][live])
        ids = [raw.decode() for raw in arrays["document_ids"].tolist()]
        of_documents = array("q", arrays["document_serials"].astype(np.int64).tobytes())
        ends = np.cumsum(arrays["document_sizes"])
        starts = (ends - arrays["document_sizes"]).tolist()
        rows._serials_of = {
            name: of_documents[start:end]
            for name, start, end in zip(ids, starts, ends.tolist(), strict=True)
        }
        return rows

    def _column(self, name: str) -> NDArray[Any]:
        return self._columns[name][: self.n]

    def _lang_code(self, lang: str) -> int:
        return self._lang_codes.setdefault(primary_lang(lang), len(self._lang_codes))

    def _is_live(self, row: int) -> bool:
        return row >= 0 and bool(self._column("cells")[row] != NOWHERE)

    def _note(self, touched: _Touched) -> None:
        self._changes.append(touched)
        self._n_changes += 1

    def _catch_up(self, selection: Selection, touched: _Touched) -> None:
        cells, days = self._column("cells"), self._column("days")
        selection.catch_up(self._n_changes, touched, self.cells, cells, days)

    def _forget_lost(self) -> None:
        alive = set(self._column("serials").tolist())
        for document_id, serials in list(self._serials_of.items()):
            if left := [serial for serial in serials if serial in alive]:
                self._serials_of[document_id] = array("q", left)
            else:
                del self._serials_of[document_id]

    def _reserve(self, n: int) -> None:
        room = len(self._columns["serials"])
        if n > room:
            more = max(n, room * 5 // 4, 64) - room
            self._columns = {name: np.pad(col, (0, more)) for name, col in self._columns.items()}


def day_of(facets: Facets) -> int:
    """Return the ordinal of the day that a chunk is dated, `UNDATED` if it isn't."""
    return facets.dated.toordinal() if facets.dated else UNDATED
