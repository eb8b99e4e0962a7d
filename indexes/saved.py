"""An index as plain arrays, tables and files, and back: what a snapshot holds of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from indexes.cells import NOWHERE
from indexes.hybrid import HybridIndex
from indexes.lexical import Lexical
from indexes.model import SearchIndexError
from indexes.snapshot import State

_COLUMNS = {
    "serials": np.int64,
    "chunk_ids": np.int64,
    "cells": np.int32,
    "langs": np.int32,
    "days": np.int32,
}


@contextmanager
def state_of(index: HybridIndex, folder: Path) -> Iterator[State]:
    """Yield an index's state as of one moment; searches and changes go on meanwhile.

    `folder` must be on the file system of the index's own; raises `SearchIndexError` if the index
    has none.
    """
    with TemporaryDirectory(dir=folder, prefix="links-") as links:
        with index._settled():
            index._lexical.link(Path(links))
            state = _copied(index)
        files = {path.name: path for path in Path(links).iterdir()}
        yield State(state.arrays, state.tables, files)


def restored(state: State, folder: Path) -> HybridIndex:
    """Return the index that `state_of` saw; its word index goes on in an empty `folder`.

    Raises `SearchIndexError` if the state lacks something.
    """
    for name, path in state.files.items():
        _take(path, folder / name)
    try:
        index = HybridIndex(int(state.tables["dimension"]))
        index._lexical.close()
        index._lexical = Lexical(folder, state.tables["lexical_langs"])
        _fill_rows(index, state)
        _fill_dense(index, state)
    except KeyError as error:
        raise SearchIndexError(
            f"The saved index lacks {error}: build it again from the database."
        ) from error
    return index


def n_rows(index: HybridIndex) -> tuple[int, int]:
    """Return how many rows there are, and how many of them are dead."""
    with index._lock.shared():
        return index._rows.n, index._rows.n_dead


def documents(index: HybridIndex) -> dict[str, int]:
    """Return the documents that have live chunks, and how many."""
    with index._lock.shared():
        rows = index._rows
        owners = rows._serials_of
        if not owners:
            return {}
        serials = np.fromiter(chain.from_iterable(owners.values()), np.int64)
        found = rows.find(serials)
        is_live = (found >= 0) & rows.live[found]
        owner = np.repeat(np.arange(len(owners)), [len(own) for own in owners.values()])
        counts = np.bincount(owner[is_live], minlength=len(owners)).tolist()
        return {i: n for i, n in zip(owners, counts, strict=True) if n}


def contents(index: HybridIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids of all live chunks, ascending, and who may read each."""
    with index._lock.shared():
        rows = index._rows
        access = np.array([key[0] for key in rows.cells._keys], np.int64)
        live = np.flatnonzero(rows.live)
        order = live[np.argsort(rows.chunk_ids[live])]
        return rows.chunk_ids[order], access[rows._cells[order]]


def vectors(index: HybridIndex, chunk_ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the unit vectors of live chunks as they were added, to about 1e-6."""
    with index._lock.shared():
        serials = [index._rows._serial_of[chunk_id] for chunk_id in chunk_ids.tolist()]
        found = index._rows.find(np.array(serials, np.int64)).tolist()
        parts = [index._dense._original(slice(row, row + 1)) for row in found]
        return np.concatenate(parts) if parts else np.zeros((0, index.dimension), np.float32)


def compact(index: HybridIndex) -> None:
    """Drop all dead rows now, however few they are."""
    with index._lock.alone():
        index._is_settled = False
        index._dense.keep(index._rows.compact())


def _copied(index: HybridIndex) -> State:
    rows, dense = index._rows, index._dense
    n = rows.n
    owners = list(rows._serials_of.items())
    arrays = {name: getattr(rows, f"_{name}")[:n].copy() for name in _COLUMNS}
    arrays |= {
        "document_ids": np.array([document_id.encode() for document_id, _ in owners], np.bytes_),
        "document_sizes": np.array([len(serials) for _, serials in owners], np.int64),
        "document_serials": np.fromiter(chain.from_iterable(s for _, s in owners), np.int64),
        "vectors": dense._stored().copy() if n else np.zeros((0, index.dimension), np.float32),
        "lengths": dense._lengths[:n].copy(),
        "owners": dense._owners[:n].copy(),
        "means": dense._means.copy(),
        "counts": dense._counts.copy(),
    }
    tables = {
        "dimension": index.dimension,
        "keys": list(rows.cells._keys),
        "langs": dict(rows._lang_codes),
        "lexical_langs": sorted(index._lexical.langs),
        "next_serial": rows._next_serial,
    }
    return State(arrays, tables)


def _fill_rows(index: HybridIndex, state: State) -> None:
    rows, arrays, tables = index._rows, state.arrays, state.tables
    for name, dtype in _COLUMNS.items():
        setattr(rows, f"_{name}", np.array(arrays[name], dtype))
    keys = [(int(k[0]), str(k[1]), str(k[2]), str(k[3]), str(k[4])) for k in tables["keys"]]
    rows.cells._keys = keys
    rows.cells._numbers = {key: cell for cell, key in enumerate(keys) if cell != NOWHERE}
    rows._lang_codes = dict(tables["langs"])
    rows._next_serial = int(tables["next_serial"])
    rows.n = len(rows._serials)
    live = rows.live
    rows.n_dead = int(rows.n - live.sum())
    rows._serial_of = dict(
        zip(rows.chunk_ids[live].tolist(), rows.serials[live].tolist(), strict=True)
    )
    ids = [raw.decode() for raw in arrays["document_ids"].tolist()]
    serials, ends = arrays["document_serials"].tolist(), np.cumsum(arrays["document_sizes"])
    starts = (ends - arrays["document_sizes"]).tolist()
    rows._serials_of = {
        document_id: serials[start:end]
        for document_id, start, end in zip(ids, starts, ends.tolist(), strict=True)
    }


def _fill_dense(index: HybridIndex, state: State) -> None:
    dense, arrays = index._dense, state.arrays
    dense._index.add(np.ascontiguousarray(arrays["vectors"], np.float32))
    dense._lengths = np.array(arrays["lengths"], np.float32)
    dense._owners = np.array(arrays["owners"], np.int32)
    dense._means = np.array(arrays["means"], np.float32)
    dense._counts = np.array(arrays["counts"], np.int64)


def _take(source: Path, target: Path) -> None:
    """Link a file that nobody will ever write to; copy it from another file system."""
    if source.suffix == ".json":
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
