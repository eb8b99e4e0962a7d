"""The serial numbers of live chunks, by chunk id: 16 bytes each, where a dict takes a hundred."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_N_NEW = 4096
_NEW_SHARE = 16
_GONE = 0


class Serials:
    """A map from chunk ids to serial numbers, which are above 0.

    It is two columns in the order of the ids, and a dict of what was put since; these are merged
    when they have grown.
    """

    def __init__(self, chunk_ids: NDArray[np.int64], serials: NDArray[np.int64]) -> None:
        order = np.argsort(chunk_ids, kind="stable")
        self._ids, self._serials = chunk_ids[order], serials[order]
        self._new: dict[int, int] = {}
        self._last = self._largest()

    @classmethod
    def none(cls) -> Serials:
        """Return an empty map."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def get(self, chunk_id: int) -> int | None:
        """Return the serial number of a chunk, None if it isn't live."""
        serial = self._new.get(chunk_id)
        if serial is None and (at := self._place(chunk_id)) is not None:
            serial = int(self._serials[at])
        return serial or None

    def put(self, chunk_ids: Iterable[int], serials: Iterable[int]) -> None:
        """Add chunks; whatever they had before is forgotten."""
        self._new.update(zip(chunk_ids, serials, strict=True))
        if len(self._new) > max(_N_NEW, len(self._ids) // _NEW_SHARE):
            self._merge()

    def drop(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks."""
        for chunk_id in chunk_ids:
            self._new.pop(chunk_id, None)
            if (at := self._place(chunk_id)) is not None:
                self._serials[at] = _GONE

    def _place(self, chunk_id: int) -> int | None:
        if chunk_id > self._last:
            return None
        at = int(np.searchsorted(self._ids, chunk_id))
        return at if self._ids[at] == chunk_id else None

    def _largest(self) -> int:
        return int(self._ids[-1]) if len(self._ids) else -1

    def _merge(self) -> None:
        new = np.array(sorted(self._new), np.int64)
        serials = np.array([self._new[chunk_id] for chunk_id in new.tolist()], np.int64)
        is_kept = (self._serials != _GONE) & ~np.isin(self._ids, new, assume_unique=True)
        ids, kept = self._ids[is_kept], self._serials[is_kept]
        places = np.searchsorted(ids, new)
        self._ids = np.insert(ids, places, new)
        self._serials = np.insert(kept, places, serials)
        self._new, self._last = {}, self._largest()
