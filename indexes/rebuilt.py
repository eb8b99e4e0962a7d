"""An index made from a whole corpus at once, or from what is left of a saved one.

Vectors go to their places as they come, as the bits that the database holds; with a grouping that
was learnt earlier, rows are put into its lists without looking at the vectors. So nothing is
learnt, and no vector is in memory twice.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexes import saved
from indexes.columns import Columns, Grouping, Texts, Vectors
from indexes.dense import Dense
from indexes.hybrid import HybridIndex
from indexes.lexical import Lexical
from indexes.lists import N_WITHOUT, Lists
from indexes.manifest import SnapshotDamaged
from indexes.model import SearchIndexError
from indexes.rows import Rows
from indexes.scribe import Text
from indexes.snapshot import Snapshot, State
from indexes.unit import check_halves

Part = Literal["vectors", "words"]

_PARTS: tuple[Part, ...] = ("vectors", "words")
_VECTORS = re.compile(r"((base|tail|lists)_\w+|terms|means|mean_counts)\.npy")


def fill(
    index: HybridIndex, columns: Columns, vectors: Vectors, texts: Texts, grouping: Grouping | None
) -> None:
    """Fill an empty index; chunks that `vectors` doesn't bring are left out.

    Searches wait until all is there. Raises `SearchIndexError` for a vector of another shape or
    length than 1, or if words can't be written; the index is then still empty.
    """
    if not len(columns.chunk_ids):
        return
    rows = Rows.restored(columns.arrays(), columns.tables())
    dense = filled(rows, index.dimension, vectors, grouping)
    with index._lock.alone():
        if index._rows.n:
            raise SearchIndexError("Only an empty index can be filled: add to this one instead.")
        index._lexical.clear()
        add_texts(index._lexical, rows, texts)
        index._rows, index._dense = rows, dense
        index._is_settled = False
        index._n_moves += 1


def lost_part(snapshot: Snapshot) -> Part:
    """Return which part of a generation isn't what was saved, if the other parts still are.

    Raises `SnapshotDamaged` if more than one part, or what joins them, is damaged.
    """
    state = snapshot.state
    there = {
        *(f"{name}.npy" for name in state.arrays),
        *(f"{name}.json" for name in state.tables),
        *(f"files/{name}" for name in state.files),
    }
    lost = {_part(file.path) for file in snapshot.manifest.files if file.path not in there}
    for part in _PARTS:
        if lost == {part}:
            return part
    raise SnapshotDamaged(
        "More than one part of the generation is damaged: build the index again from the database."
    )


def repaired(
    state: State, part: Part, folder: Path, contents: tuple[Vectors, Texts], found: Grouping | None
) -> HybridIndex:
    """Return the index of a state that lacks one part, with that made anew from `contents`.

    What is gone from `contents` is left out. Raises as `fill` does.
    """
    rows, (vectors, texts) = saved.rows_in(state), contents
    if part == "words":
        return saved.assembled(rows, saved.vectors_in(state), worded(rows, folder, texts))
    before = rows.serials[rows.live]
    dense = filled(rows, int(state.tables["dimension"]), vectors, found)
    words = saved.words_in(state, folder)
    words.delete(np.setdiff1d(before, rows.serials[rows.live]).tolist())
    return saved.assembled(rows, dense, words)


def filled(rows: Rows, dimension: int, vectors: Vectors, grouping: Grouping | None) -> Dense:
    """Arrange rows by list and return their vectors; rows that have none are buried.

    Raises `SearchIndexError` for a vector of another shape or length than 1.
    """
    lists, n_base = _arranged(rows, grouping)
    base = np.empty((n_base, dimension), np.uint16)
    tail = np.empty((rows.n - n_base, dimension), np.uint16)
    by_id = np.argsort(rows.chunk_ids, kind="stable")
    ids = rows.chunk_ids[by_id]
    is_there = np.zeros(rows.n, np.bool_)
    for own, halves in vectors:
        check_halves(own, halves, dimension)
        at = np.minimum(np.searchsorted(ids, own), max(len(ids) - 1, 0))
        is_known = ids[at] == own if len(ids) else np.zeros(len(own), np.bool_)
        row, halves = by_id[at[is_known]], halves[is_known]
        in_base = row < n_base
        base[row[in_base]] = halves[in_base]
        tail[row[~in_base] - n_base] = halves[~in_base]
        is_there[row] = True
    base[~is_there[:n_base]] = 0
    tail[~is_there[n_base:]] = 0
    lost = np.flatnonzero(~is_there & rows.live)
    if len(lost):
        rows.bury(rows.serials[lost].tolist())
    dense = Dense.filled(base, tail, lists)
    dense.recentre(rows.langs, rows.live, rows.n_langs)
    return dense


def worded(rows: Rows, folder: Path | None, texts: Texts) -> Lexical:
    """Return a new index of the words of live rows, in an empty folder."""
    lexical = Lexical(folder)
    add_texts(lexical, rows, texts)
    return lexical


def add_texts(lexical: Lexical, rows: Rows, texts: Texts) -> None:
    """Index the words of live rows; texts of other chunks are passed over."""
    serials, cells, days = rows.serials, rows.cell_numbers, rows.days
    keys = rows.cells.keys
    live = np.flatnonzero(rows.live)
    row_of = dict(zip(rows.chunk_ids[live].tolist(), live.tolist(), strict=True))
    with lexical.in_bulk():
        lexical.add(
            Text(int(serials[row]), cell, int(days[row]), keys[cell][3], text, title)
            for chunk_id, title, text in texts
            if (row := row_of.get(chunk_id)) is not None
            for cell in (int(cells[row]),)
        )


def grouping_of(index: HybridIndex) -> Grouping | None:
    """Return the grouping of an index's live rows; None if it has no lists."""
    with index._lock.shared():
        rows, lists = index._rows, index._dense.lists
        if lists is None:
            return None
        n_base = int(lists.starts[-1])
        live = np.flatnonzero(rows.live[:n_base])
        live = live[np.argsort(rows.chunk_ids[live])]
        return Grouping(
            lists.directions,
            lists.n_trained,
            rows.chunk_ids[live],
            lists.of_rows(live).astype(np.int32),
        )


def _arranged(rows: Rows, grouping: Grouping | None) -> tuple[Lists | None, int]:
    """Put the live rows of lists first, list by list; return the lists and how many rows that is.

    Few rows need no lists, and dead rows are dropped.
    """
    live: NDArray[np.int64] = np.flatnonzero(rows.live)
    if grouping is None or len(live) <= N_WITHOUT:
        if len(live) < rows.n:
            rows.arrange(live)
        return None, 0
    numbers = grouping.numbers_of(rows.chunk_ids[live])
    n_lists = len(grouping.directions)
    owner = np.where(numbers >= 0, numbers, n_lists)
    rows.arrange(live[np.argsort(owner, kind="stable")])
    sizes = np.bincount(owner, minlength=n_lists + 1)[:n_lists]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return Lists(grouping.directions, starts, grouping.n_trained), int(starts[-1])


def _part(path: str) -> Part | None:
    """Return the part of an index that a file belongs to; None for rows, which join them."""
    if path.startswith("files/"):
        return "words"
    return "vectors" if _VECTORS.fullmatch(path) else None
