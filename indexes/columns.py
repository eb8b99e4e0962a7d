"""Chunks as columns: how an index takes a whole corpus at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.cells import Cells
from indexes.model import Facets, primary_lang
from indexes.selection import UNDATED

Vectors = Iterable[tuple[NDArray[np.int64], NDArray[np.uint16]]]
"""Chunk ids with their vectors, the bits of binary16 of shape (ids, dimension), in any order."""

Texts = Iterable[tuple[int, str, str]]
"""Chunk ids with the titles above them and the texts to search by words, in any order."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A document: who may read its chunks, and the facets that they share (not the language)."""

    document_id: str
    access_id: int
    facets: Facets


@dataclass(frozen=True, slots=True)
class Grouping:
    """A grouping learnt earlier: chunk `chunk_ids[i]` lies in list `numbers[i]`.

    `directions` is float32 of shape (lists, dimension), `chunk_ids` ascending; `n_trained` says of
    how many chunks the lists were learnt.
    """

    directions: NDArray[np.float32]
    n_trained: int
    chunk_ids: NDArray[np.int64]
    numbers: NDArray[np.int32]

    def numbers_of(self, chunk_ids: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the lists of chunks, -1 for one that is in none."""
        if not len(self.chunk_ids):
            return np.full(len(chunk_ids), -1, np.int32)
        at = np.minimum(np.searchsorted(self.chunk_ids, chunk_ids), len(self.chunk_ids) - 1)
        found = np.where(self.chunk_ids[at] == chunk_ids, self.numbers[at], -1)
        return found.astype(np.int32)


@dataclass(frozen=True, slots=True)
class Columns:
    """Chunks without their vectors and texts: place `i` of each column belongs to one chunk.

    `owners` and `langs` are positions in `origins` and in `tags`, the languages.
    """

    chunk_ids: NDArray[np.int64]
    owners: NDArray[np.int32]
    langs: NDArray[np.int32]
    origins: Sequence[Origin]
    tags: Sequence[str] = field(default_factory=list)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `Rows.restored` makes rows of, in this order, with serials from 1 on."""
        n = len(self.chunk_ids)
        days = [_day(origin.facets) for origin in self.origins]
        sizes = np.bincount(self.owners, minlength=len(self.origins))
        names = [origin.document_id.encode() for origin in self.origins]
        return {
            "serials": np.arange(1, n + 1),
            "chunk_ids": self.chunk_ids,
            "cells": self._cells()[1],
            "langs": self._codes()[1][self.langs],
            "days": np.array(days, np.int32)[self.owners],
            "order": np.arange(n, dtype=np.int32),
            "document_ids": np.array(names, np.bytes_)[sizes > 0],
            "document_sizes": sizes[sizes > 0],
            "document_serials": np.argsort(self.owners, kind="stable") + 1,
        }

    def tables(self) -> dict[str, Any]:
        """Return what else `Rows.restored` needs."""
        return {
            "keys": self._cells()[0].keys,
            "langs": self._codes()[0],
            "next_serial": len(self.chunk_ids) + 1,
        }

    def _cells(self) -> tuple[Cells, NDArray[np.int32]]:
        """Return the cells there are, and each chunk's."""
        kinds: dict[tuple[object, ...], int] = {}
        firsts: list[Origin] = []
        kind_of = []
        for origin in self.origins:
            facets = origin.facets
            key = (origin.access_id, facets.collection, facets.industry, facets.media_type)
            kind = kinds.setdefault(key, len(kinds))
            if kind == len(firsts):
                firsts.append(origin)
            kind_of.append(kind)
        n_tags = len(self.tags)
        pairs = np.array(kind_of, np.int64)[self.owners] * n_tags + self.langs
        distinct, places = np.unique(pairs, return_inverse=True)
        cells = Cells()
        numbers = []
        for pair in distinct.tolist():
            origin = firsts[pair // n_tags]
            facets = Facets(
                origin.facets.collection,
                origin.facets.industry,
                self.tags[pair % n_tags],
                origin.facets.media_type,
            )
            numbers.append(cells.number(origin.access_id, facets))
        return cells, np.array(numbers, np.int32)[places.reshape(-1)]

    def _codes(self) -> tuple[dict[str, int], NDArray[np.int32]]:
        """Return the code of each primary language, and that of each tag."""
        codes: dict[str, int] = {}
        own = [codes.setdefault(primary_lang(tag), len(codes)) for tag in self.tags]
        return codes, np.array(own, np.int32)


def _day(facets: Facets) -> int:
    return facets.dated.toordinal() if facets.dated else UNDATED
