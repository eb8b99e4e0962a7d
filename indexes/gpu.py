"""Vectors on a GPU: the cuVS build of FAISS, exact in binary16 as long as they fit.

Only indexes made with `use_cuvs` honour a selector: the classic ones of FAISS take one and return
whatever is nearest (faiss issues 3114, 3924). cuVS multiplies all rows of a sheet and passes over
those whose bit is not set.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import distributions
from threading import Lock
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from indexes.device import (
    MAX_K,
    Copy,
    Device,
    DeviceFull,
    DeviceUnavailable,
    Vectors,
    check,
    count,
)
from indexes.lists import n_lists, n_sampled

_Floats = NDArray[np.float32]
_faiss: Any = faiss

Wish = Literal["auto", "cpu", "cuda"]

N_A_SHEET = 1 << 20
"""Rows of an exact index: as many are converted on the host at a time. A multiple of eight."""
_SHARE_OF_FREE = 0.8
_TEMPORARY_BYTES = 256 << 20
_N_NUMBERS_A_CODE = 4
_ID_BYTES = 8
_N_PROBED = 64
_N_READ_A_WANTED = 50
_N_RESCORED = 8
_NOTHING = -2.0
"""Cosines are larger: what FAISS puts where it found nothing is not."""

_log = logging.getLogger(__name__)


def flat_bytes(dimension: int) -> int:
    """Return the bytes that a row takes in binary16."""
    return 2 * dimension


def compressed_bytes(dimension: int) -> int:
    """Return the bytes that a row takes as codes, its number included."""
    return dimension // _N_NUMBERS_A_CODE + _ID_BYTES


@dataclass(frozen=True, slots=True)
class FaissDevice:
    """Implements `indexes.device.Device` with FAISS indexes that honour a selector.

    `room` returns the bytes that may be taken now. `flat` makes an empty index of inner products
    for a dimension; `compressed` one of codes, for a dimension and a number of lists.
    """

    name: str
    room: Callable[[], int]
    flat: Callable[[int], Any]
    compressed: Callable[[int, int], Any]
    n_a_sheet: int = N_A_SHEET
    _lock: Lock = field(default_factory=Lock)
    """FAISS's resources of a GPU serve one thread at a time."""

    def copied(self, vectors: Vectors, n: int, dimension: int) -> Copy:
        """Copy rows exactly if they fit, else as codes; raises `DeviceFull` if neither does."""
        room = self.room()
        if n * flat_bytes(dimension) <= room:
            return self._sheets(vectors, n, dimension)
        if n * compressed_bytes(dimension) <= room and dimension % _N_NUMBERS_A_CODE == 0:
            return self._codes(vectors, n, dimension)
        raise DeviceFull(
            f"{n} rows of {dimension} numbers need {n * flat_bytes(dimension) / 1e9:.1f} GB, or "
            f"{n * compressed_bytes(dimension) / 1e9:.1f} GB as codes; {room / 1e9:.1f} GB may be "
            "used: raise `index.device_memory_mb` or use a larger device"
        )

    def _sheets(self, vectors: Vectors, n: int, dimension: int) -> Copy:
        sheets = []
        for start in range(0, n, self.n_a_sheet):
            sheet = vectors(np.arange(start, min(start + self.n_a_sheet, n)))
            with self._lock:
                index = self.flat(dimension)
                index.add(sheet)
            sheets.append(index)
        return Sheets(sheets, self._lock)

    def _codes(self, vectors: Vectors, n: int, dimension: int) -> Copy:
        sample = vectors(np.arange(0, n, max(1, n // n_sampled(n))))
        with self._lock:
            index = self.compressed(dimension, n_lists(n))
            index.train(sample)
        for start in range(0, n, self.n_a_sheet):
            sheet = vectors(np.arange(start, min(start + self.n_a_sheet, n)))
            with self._lock:
                index.add(sheet)
        return Codes(index, n_lists(n), self._lock)


@dataclass(frozen=True, slots=True)
class Sheets:
    """Exact indexes of consecutive rows; all but the last are of one size."""

    sheets: list[Any]
    lock: Lock

    def nearest(self, direction: _Floats, bits: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
        """Return the `k` best and some more, since binary16 may swap neighbours."""
        k = min(k + max(32, k // 4), MAX_K)
        scores, rows, first = [], [], 0
        for sheet in self.sheets:
            own = bits[first // 8 : (first + sheet.ntotal + 7) // 8]
            n = count(own)
            if n:
                selector = _faiss.SearchParameters(sel=_faiss.IDSelectorBitmap(own))
                params = selector if n < sheet.ntotal else None
                found = _asked(sheet, self.lock, direction, min(k, n), params)
                scores.append(found[0])
                rows.append(found[1] + first)
            first += sheet.ntotal
        order = np.argsort(-np.concatenate(scores), kind="stable")[:k]
        return np.concatenate(rows)[order]


@dataclass(frozen=True, slots=True)
class Codes:
    """An index of lists and codes: it may miss some of the best, or find too few."""

    index: Any
    n_lists: int
    lock: Lock

    def nearest(self, direction: _Floats, bits: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
        """Return several times `k` rows, for the exact scores to choose from.

        The fewer rows are admitted, the more lists are read.
        """
        n = count(bits)
        k = min(_N_RESCORED * k, MAX_K, n)
        n_read = self.n_lists * _N_READ_A_WANTED * k // n
        n_probed = min(max(_N_PROBED, n_read), self.n_lists, MAX_K)
        selector = _faiss.IDSelectorBitmap(bits)
        params = _faiss.SearchParametersIVF(sel=selector, nprobe=n_probed)
        return _asked(self.index, self.lock, direction, k, params)[1]


def opened(wish: Wish, max_bytes: int = 0) -> Device | None:
    """Return the device that a setting asks for, after it was tested; None is the CPU.

    `auto` takes a GPU if there is one to be trusted, `cuda` insists: it raises
    `DeviceUnavailable` otherwise. Copies may take `max_bytes`, without it four fifths of what is
    free.
    """
    if wish == "cpu":
        return None
    try:
        device = _cuvs(max_bytes)
        check(device)
    except DeviceUnavailable as error:
        if wish == "cuda":
            raise
        level = logging.WARNING if "faiss-gpu-cuvs" in _installed() else logging.DEBUG
        _log.log(level, "Vectors are searched on the CPU: %s", error)
        return None
    return device


def has_cuvs() -> bool:
    """Return whether the FAISS that is installed was built with cuVS."""
    return "NVIDIA_CUVS" in _faiss.get_compile_options().split()


def free_bytes() -> int:
    """Return the memory that is free on the first GPU, 0 if there is none to be used."""
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    try:
        runtime = ctypes.CDLL("libcudart.so.13")  # FAISS has loaded it already
    except OSError:
        return 0
    failed = runtime.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total))
    return 0 if failed else free.value


def _cuvs(max_bytes: int) -> Device:
    """Return the first GPU; without one some calls of FAISS's end the process."""
    if len(_installed()) > 1:
        raise DeviceUnavailable(
            "faiss-cpu and faiss-gpu-cuvs are both installed, and each overwrote files of the "
            "other: uninstall both, then install faiss-gpu-cuvs alone (docs/how-to/gpu.md)."
        )
    if not has_cuvs():
        raise DeviceUnavailable(
            "The FAISS that is installed has no GPU code: install the extra `gpu` in an "
            "environment of its own (docs/how-to/gpu.md), or set `index.device` to `cpu`."
        )
    if _faiss.get_num_gpus() < 1 or not free_bytes():
        raise DeviceUnavailable(
            "No GPU answers: check `nvidia-smi` and that the driver supports CUDA 13, give the "
            "container a GPU, or set `index.device` to `cpu`."
        )
    resources = _faiss.StandardGpuResources()
    resources.setTempMemory(_TEMPORARY_BYTES)

    return FaissDevice(
        "GPU 0 (FAISS with cuVS)",
        partial(_room, max_bytes),
        partial(_flat, resources),
        partial(_compressed, resources),
    )


def _room(max_bytes: int) -> int:
    free = free_bytes()
    return min(max_bytes, free) if max_bytes else int(free * _SHARE_OF_FREE)


def _flat(resources: Any, dimension: int) -> Any:
    config = _faiss.GpuIndexFlatConfig()
    config.use_cuvs, config.useFloat16 = True, True
    return _faiss.GpuIndexFlatIP(resources, dimension, config)


def _compressed(resources: Any, dimension: int, n_lists: int) -> Any:
    config = _faiss.GpuIndexIVFPQConfig()
    config.use_cuvs, config.interleavedLayout = True, True
    n_codes, metric = dimension // _N_NUMBERS_A_CODE, _faiss.METRIC_INNER_PRODUCT
    return _faiss.GpuIndexIVFPQ(resources, dimension, n_lists, n_codes, 8, metric, config)


def _installed() -> set[str]:
    """Return which of the packages that are all called `faiss` are installed."""
    return {name for name in ("faiss-cpu", "faiss-gpu-cuvs") if any(distributions(name=name))}


def _asked(
    index: Any, lock: Lock, direction: _Floats, k: int, params: Any
) -> tuple[_Floats, NDArray[np.int64]]:
    """Return the scores and rows that were found."""
    with lock:
        scores, rows = index.search(direction[np.newaxis], k, params=params)
    is_found = (rows[0] >= 0) & (scores[0] > _NOTHING)
    return scores[0][is_found], rows[0][is_found]
