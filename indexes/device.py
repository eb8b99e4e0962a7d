"""A device that searches a copy of vectors: what it owes, and the proof before it is trusted.

The copy only proposes rows. Whoever asks scores them exactly, so a score means the same wherever
it was searched; and what a caller may read is in the mask of each question alone, never in the
copy, so deletions and changes of access need no word to the device.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexes.model import SearchIndexError
from indexes.selection import Selection

_Floats = NDArray[np.float32]
Vectors = Callable[[NDArray[np.int64]], _Floats]
"""Returns the unit vectors of ascending rows, float32 of shape (rows, dimension)."""
Key = tuple[object, object]
"""What a copy was made of; compared by identity."""

MAX_K = 1024
"""More rows are never asked of a device."""
_N_TESTED = 4_096
_WIDTH_TESTED = 64
_K_TESTED = 10
_TOLERANCE = 0.01

_log = logging.getLogger(__name__)


class DeviceUnavailable(SearchIndexError):
    """The device that was asked for is not there, or must not be trusted."""


class DeviceFull(SearchIndexError):
    """The vectors don't fit into the memory that may be used."""


class Copy(Protocol):
    """Vectors on a device; several threads may ask."""

    def nearest(self, direction: _Floats, bits: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
        """Return the admitted rows whose products with a unit vector are largest, in any order.

        A set bit admits a row, each byte's lowest is its first row's; some rows are admitted, and
        bits beyond the last row are 0. These are the `k` best as far as
        the device's precision tells, perhaps more; fewer only if the copy is not exact. Raises
        `RuntimeError` or `MemoryError`.
        """


class Device(Protocol):
    """Makes copies."""

    @property
    def name(self) -> str:
        """Return what to call it in a log."""

    def copied(self, vectors: Vectors, n: int, dimension: int) -> Copy:
        """Copy rows 0 to `n`; raises `DeviceFull`, `RuntimeError` or `MemoryError`."""


class Mirror:
    """One copy and what it was made of; without a device there never is one.

    An outdated copy is not searched. Several threads may ask; one at a time may `refresh`.
    """

    def __init__(self, device: Device | None = None) -> None:
        self._device = device
        self._held: tuple[Key, Copy | None] = ((None, None), None)

    def is_due(self, key: Key) -> bool:
        """Return whether a copy of this has not been tried yet."""
        return self._device is not None and not _is_same(self._held[0], key)

    def holds(self, key: Key) -> bool:
        """Return whether there is a copy of this to be searched."""
        held, copy = self._held
        return self._device is not None and copy is not None and _is_same(held, key)

    def refresh(self, key: Key, vectors: Vectors, n: int, dimension: int) -> None:
        """Replace the copy; where that fails there is none, and a warning says why."""
        device = self._device
        if device is None:
            return
        self._held = (key, None)  # first of all, so that its memory is free
        try:
            copy = device.copied(vectors, n, dimension)
        except (DeviceFull, RuntimeError, MemoryError) as error:
            _log.warning("%s: %s The CPU searches.", device.name, _sentence(error))
            return
        self._held = (key, copy)

    def nearest(
        self, key: Key, n: int, direction: _Floats, selection: Selection, k: int
    ) -> NDArray[np.int32] | None:
        """Return rows that hold the `k` best that are selected; None sends to the CPU.

        They are of the first `n` and ascend, each compared with the mask once more. A device
        that breaks a filter is never asked again, one that fails is not before the next copy.
        """
        device, (held, copy) = self._device, self._held
        if device is None or copy is None or k > MAX_K or not _is_same(held, key):
            return None
        bits = selection.bits(n)
        n_admitted = count(bits)
        if not n_admitted:
            return np.zeros(0, np.int32)
        try:
            rows = np.unique(copy.nearest(direction, bits, k))
        except (RuntimeError, MemoryError) as error:
            self._drop(device, f"{_sentence(error)} The CPU searches until the next copy.")
            return None
        if len(rows) and (rows[0] < 0 or rows[-1] >= n or not selection.mask[rows].all()):
            self._device = None
            self._drop(device, "The filter forbids a row of it: the CPU searches from now on.")
            return None
        return rows.astype(np.int32) if len(rows) >= min(k, n_admitted) else None

    def _drop(self, device: Device, reason: str) -> None:
        self._held = (self._held[0], None)
        _log.warning("%s: %s", device.name, reason)


def count(bits: NDArray[np.uint8]) -> int:
    """Return how many bits are set."""
    n = len(bits) // 8 * 8
    return int(np.bitwise_count(bits[:n].view(np.uint64)).sum() + np.bitwise_count(bits[n:]).sum())


def check(device: Device) -> None:
    """Ask filtered questions whose answers are known.

    Raises `DeviceUnavailable` at the first forbidden, missing or wrong row: several indexes of
    FAISS on a GPU take a filter and ignore it.
    """
    vectors = np.random.default_rng(7).standard_normal((_N_TESTED, _WIDTH_TESTED))
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    try:
        copy = device.copied(lambda rows: units[rows], _N_TESTED, _WIDTH_TESTED)
        for name, asked, mask in _trials(units):
            bits = np.packbits(mask, bitorder="little")
            found = copy.nearest(asked, bits, _K_TESTED)
            if reason := _wrong(found, units @ asked, mask):
                raise DeviceUnavailable(
                    f"{device.name} must not be trusted: asked for {name}, it returned {reason}. "
                    "Search on the CPU, or install the FAISS build that the project pins."
                )
    except (DeviceFull, RuntimeError, MemoryError) as error:
        raise DeviceUnavailable(
            f"{device.name} failed a test with {_N_TESTED} rows: {_sentence(error)} Search on the "
            "CPU, or free the device's memory."
        ) from error


def _trials(units: _Floats) -> Iterator[tuple[str, _Floats, NDArray[np.bool_]]]:
    for row in (0, 1_000, len(units) - 1):
        asked = units[row]
        order = np.argsort(-(units @ asked))
        for name, admitted in (
            ("all rows", order),
            ("all but the best hundred", order[100:]),
            ("the farthest fifty", order[-50:]),
            ("every 64th row", np.arange(0, len(units), 64)),
            ("one row", order[700:701]),
            ("the last three rows", np.arange(len(units) - 3, len(units))),
        ):
            mask = np.zeros(len(units), np.bool_)
            mask[admitted] = True
            yield name, asked, mask


def _wrong(found: NDArray[np.int64], scores: _Floats, mask: NDArray[np.bool_]) -> str:
    """Return what is wrong with an answer, empty if nothing is."""
    if not ((found >= 0) & (found < len(mask))).all():
        return "rows that don't exist"
    if not mask[found].all():
        return f"{np.count_nonzero(~mask[found])} forbidden rows"
    k = min(_K_TESTED, int(np.count_nonzero(mask)))
    if len(np.unique(found)) < k:
        return f"{len(np.unique(found))} rows instead of {k}"
    bar = np.sort(scores[mask])[-k] - _TOLERANCE
    return "others than the best" if np.count_nonzero(scores[found] >= bar) < k else ""


def _is_same(one: Key, other: Key) -> bool:
    return one[0] is other[0] and one[1] is other[1]


def _sentence(error: Exception) -> str:
    """Return the end of an error's text, where FAISS says what happened, as one sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[-300:].rstrip(".") + "."
