"""Distinct combinations of access and facets, numbered.

Chunks are many, their combinations few: a filter is decided once per combination and then looked
up per row. Cell `NOWHERE` belongs to deleted rows; nobody is ever admitted to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.model import NOBODY, AccessFilter, Facets, MetadataFilter

NOWHERE = 0

_Key = tuple[int, str, str, str, str]


class Cells:
    """Numbers each combination of access id, collection, industry, language and media type."""

    def __init__(self, keys: Sequence[Sequence[Any]] = ()) -> None:
        """Start from what `keys` returned; else with `NOWHERE` alone."""
        self._keys: list[_Key] = [_key(*key) for key in keys] or [(NOBODY, "", "", "", "")]
        self._numbers = {key: cell for cell, key in enumerate(self._keys) if cell != NOWHERE}

    def __len__(self) -> int:
        """Return how many cells there are, `NOWHERE` included."""
        return len(self._keys)

    @property
    def keys(self) -> list[_Key]:
        """The combinations in the order of their numbers: access id first."""
        return list(self._keys)

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

    def admitted(
        self, access: AccessFilter, metadata: MetadataFilter, start: int = 0
    ) -> NDArray[np.bool_]:
        """Return for every cell from `start` on, whether the filters admit it."""
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
                and key[1] not in access.closed_collections
                and all(
                    not names or name in names for name, names in zip(key[1:], wanted, strict=True)
                )
                for key in self._keys[start:]
            ),
            dtype=np.bool_,
            count=len(self._keys) - start,
        )


def _key(access_id: int, collection: str, industry: str, lang: str, media_type: str) -> _Key:
    return int(access_id), collection, industry, lang, media_type
