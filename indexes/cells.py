"""Distinct combinations of access and facets, numbered.

Chunks are many, their combinations few: a filter is decided once per combination and then looked
up per row. Cell `NOWHERE` belongs to deleted rows; nobody is ever admitted to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexes.model import NOBODY, AccessFilter, Facets, MetadataFilter

NOWHERE = 0

_Key = tuple[int, str, str, str, str]


class Cells:
    """Numbers each combination of access id, collection, industry, language and media type."""

    def __init__(self) -> None:
        self._keys: list[_Key] = [(NOBODY, "", "", "", "")]
        self._numbers: dict[_Key, int] = {}

    def __len__(self) -> int:
        """Return how many cells there are, `NOWHERE` included."""
        return len(self._keys)

    def number(self, access_id: int, facets: Facets) -> int:
        """Return the combination's cell, a new one if it was never seen."""
        key = (access_id, facets.collection, facets.industry, facets.lang, facets.media_type)
        cell = self._numbers.get(key)
        if cell is None:
            cell = self._numbers[key] = len(self._keys)
            self._keys.append(key)
        return cell

    def with_access(self, cell: int, access_id: int) -> int:
        """Return the cell that differs from `cell` only in who may read it."""
        _, collection, industry, lang, media_type = self._keys[cell]
        return self.number(
            access_id,
            Facets(collection=collection, industry=industry, lang=lang, media_type=media_type),
        )

    def admitted(self, access: AccessFilter, metadata: MetadataFilter) -> NDArray[np.bool_]:
        """Return for every cell, `NOWHERE` among them, whether the filters admit it."""
        wanted = (
            metadata.collections,
            metadata.industries,
            metadata.langs,
            metadata.media_types,
        )
        return np.fromiter(
            (
                key[0] != NOBODY
                and key[0] in access.access_ids
                and all(
                    not names or name in names for name, names in zip(key[1:], wanted, strict=True)
                )
                for key in self._keys
            ),
            dtype=np.bool_,
            count=len(self._keys),
        )
