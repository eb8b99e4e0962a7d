"""An index as plain arrays, tables and files, and back: what a snapshot holds of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from indexes.dense import Dense
from indexes.hybrid import HybridIndex
from indexes.lexical import Lexical
from indexes.model import SearchIndexError
from indexes.rows import Rows
from indexes.snapshot import State


@contextmanager
def state_of(index: HybridIndex, folder: Path) -> Iterator[State]:
    """Yield an index's state as of one moment; searches and changes go on meanwhile.

    `folder` must be on the file system of the index's own; raises `SearchIndexError` if the index
    has none, or its words can't be written.
    """
    with ExitStack() as stack:
        try:
            links = Path(stack.enter_context(TemporaryDirectory(dir=folder, prefix="links-")))
            with index._settled(is_committed=True):
                index._lexical.link(links)
                state = _copied(index)
        except OSError as error:
            raise SearchIndexError(
                f"The index can't be saved by way of {folder}: {error}. Free some space; it goes "
                "on as it is."
            ) from error
        yield State(state.arrays, state.tables, {path.name: path for path in links.iterdir()})


def restored(state: State, folder: Path) -> HybridIndex:
    """Return the index that `state_of` saw; its word index goes on in an empty `folder`.

    Raises `SearchIndexError` if the state lacks something.
    """
    try:
        return assembled(rows_in(state), vectors_in(state), words_in(state, folder))
    except KeyError as error:
        raise SearchIndexError(
            f"The saved index lacks {error}: build it again from the database."
        ) from error


def assembled(rows: Rows, vectors: Dense, words: Lexical) -> HybridIndex:
    """Return the index of these parts."""
    index = HybridIndex(vectors.dimension)
    index._lexical.close()
    index._rows, index._dense, index._lexical = rows, vectors, words
    return index


def rows_in(state: State) -> Rows:
    """Return the rows of a saved index."""
    return Rows.restored(state.arrays, state.tables)


def vectors_in(state: State) -> Dense:
    """Return the vectors of a saved index; of the base nothing is copied."""
    return Dense.restored(int(state.tables["dimension"]), state.arrays)


def words_in(state: State, folder: Path) -> Lexical:
    """Return the word index of a saved one; it goes on in an empty `folder`."""
    langs = state.tables["lexical_langs"]
    for name, path in state.files.items():
        _take(path, folder / name)
    return Lexical(folder, langs)


def folder(index: HybridIndex) -> Path:
    """Return where an index keeps its words; raises `SearchIndexError` if that is in memory."""
    found = index._lexical._folder
    if found is None:
        raise SearchIndexError("This index keeps its words in memory; it has no folder.")
    return found


def n_rows(index: HybridIndex) -> tuple[int, int]:
    """Return how many rows there are, and how many of them are dead."""
    with index._lock.shared():
        return index._rows.n, index._rows.n_dead


def documents(index: HybridIndex) -> dict[str, int]:
    """Return the documents that have live chunks, and how many."""
    with index._lock.shared():
        return index._rows.documents()


def contents(index: HybridIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids of all live chunks, ascending, and who may read each."""
    with index._lock.shared():
        rows = index._rows
        live = np.flatnonzero(rows.live)
        order = live[np.argsort(rows.chunk_ids[live])]
        return rows.chunk_ids[order], rows.access_ids[order]


def vectors(index: HybridIndex, chunk_ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the unit vectors of live chunks as they were added, rounded to binary16."""
    with index._lock.shared():
        rows = index._rows
        serials = np.array([rows.serial_of(chunk_id) for chunk_id in chunk_ids.tolist()], np.int64)
        return index._dense.vectors(rows.find(serials))


def n_with_words(index: HybridIndex, chunk_ids: NDArray[np.int64]) -> int:
    """Return how many of these live chunks can be found by their words."""
    with index._settled(is_committed=True):
        serials = [index._rows.serial_of(chunk_id) for chunk_id in chunk_ids.tolist()]
        return index._lexical.n_held([serial for serial in serials if serial is not None])


def _copied(index: HybridIndex) -> State:
    rows, dense = index._rows, index._dense
    tables = {
        **rows.tables(),
        "dimension": index.dimension,
        "lexical_langs": sorted(index._lexical.langs),
    }
    return State(rows.arrays() | dense.arrays(), tables)


def _take(source: Path, target: Path) -> None:
    """Link a file that nobody will ever write to; copy it from another file system."""
    if source.suffix == ".json":
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
