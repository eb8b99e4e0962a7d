"""Devices for tests: FAISS on the CPU in the place of a GPU, and some that must not be trusted."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexes.device import Copy, Device, Vectors
from indexes.gpu import FaissDevice
from indexes.hybrid import HybridIndex
from indexes.model import Entry, Hit, Query
from tests.support.naive_index import DIMENSION

_Floats = NDArray[np.float32]
_faiss: Any = faiss


def on_cpu(room: int = 1 << 40, n_a_sheet: int = 64) -> FaissDevice:
    """The same code as on a GPU over FAISS's own indexes, which honour selectors."""
    return FaissDevice("FAISS on the CPU", lambda: room, faiss.IndexFlatIP, _codes, n_a_sheet)


def _codes(dimension: int, n_lists: int) -> Any:
    quantizer = faiss.IndexFlatIP(dimension)
    metric = _faiss.METRIC_INNER_PRODUCT
    return _faiss.IndexIVFPQ(quantizer, dimension, n_lists, dimension // 4, 8, metric)


class Broken:
    """A device whose copies answer as `answer` says; `rows` are those it would return."""

    name = "A broken device"

    def __init__(self) -> None:
        self.n_copies = 0
        self.n_asked = 0

    def copied(self, vectors: Vectors, n: int, dimension: int) -> Copy:
        self.n_copies += 1
        self.units = vectors(np.arange(n))
        return self

    def nearest(self, direction: _Floats, bits: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
        self.n_asked += 1
        mask = np.unpackbits(bits, count=len(self.units), bitorder="little").astype(np.bool_)
        return self.answer(direction, mask, k)

    def answer(self, direction: _Floats, mask: NDArray[np.bool_], k: int) -> NDArray[np.int64]:
        scores = np.where(mask, self.units @ direction, -np.inf)
        return np.argsort(-scores)[: min(k, np.count_nonzero(mask))]


class Deaf(Broken):
    """Ignores filters, as FAISS's classic GPU indexes do."""

    def answer(self, direction: _Floats, mask: NDArray[np.bool_], k: int) -> NDArray[np.int64]:
        return super().answer(direction, np.ones_like(mask), k)


class Stingy(Broken):
    """Searches first and filters afterwards, so that too few rows are left."""

    def answer(self, direction: _Floats, mask: NDArray[np.bool_], k: int) -> NDArray[np.int64]:
        rows = super().answer(direction, np.ones_like(mask), k)
        return rows[mask[rows]]


class Careless(Broken):
    """Returns admitted rows, not the nearest."""

    def answer(self, direction: _Floats, mask: NDArray[np.bool_], k: int) -> NDArray[np.int64]:
        return super().answer(-direction, mask, k)


class Stray(Broken):
    """Returns rows that don't exist."""

    def answer(self, direction: _Floats, mask: NDArray[np.bool_], k: int) -> NDArray[np.int64]:
        return super().answer(direction, mask, k) + len(mask)


class Failing(Broken):
    """Fails in the middle of a search."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def answer(self, direction: _Floats, mask: NDArray[np.bool_], k: int) -> NDArray[np.int64]:
        if self.error is not None:
            raise self.error
        return super().answer(direction, mask, k)


class Mirrored:
    """A hybrid index that copies everything to its device before each search.

    Only as `indexes.lists.N_WITHOUT` is 0, too, does everything get there.
    """

    def __init__(self, device: Device) -> None:
        self.index = HybridIndex(DIMENSION)
        self.index.use(device)

    def add(self, entries: list[Entry]) -> None:
        self.index.add(entries)

    def delete(self, document_ids: list[str]) -> None:
        self.index.delete(document_ids)

    def set_access(self, document_id: str, access_id: int) -> None:
        self.index.set_access(document_id, access_id)

    def search(self, query: Query, k: int) -> list[Hit]:
        self.copy()
        return self.index.search(query, k)

    def copy(self) -> None:
        self.index.fold()
        self.index.mirror()
        self.index._dense.n_exact = 0

    def __len__(self) -> int:
        return len(self.index)

    def close(self) -> None:
        self.index.close()
