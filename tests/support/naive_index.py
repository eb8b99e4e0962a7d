"""An index too simple to be wrong, and small chunks and questions to compare others with it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.model import AccessFilter, Entry, Facets, Hit, MetadataFilter, Query

DIMENSION = 8


class NaiveIndex:
    """Keeps entries in a dict and looks at every one of them."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}

    def add(self, entries: list[Entry]) -> None:
        self.entries.update({entry.chunk_id: entry for entry in entries})

    def delete(self, document_ids: list[str]) -> None:
        for i in [i for i, e in self.entries.items() if e.document_id in document_ids]:
            del self.entries[i]

    def set_access(self, document_id: str, access_id: int) -> None:
        for i, entry in self.entries.items():
            if entry.document_id == document_id:
                self.entries[i] = replace(entry, access_id=access_id)

    def search(self, query: Query, k: int) -> list[Hit]:
        scored = [
            Hit(entry.chunk_id, float(entry.vector @ query.vector) + len(shared(query, entry)))
            for entry in self.permitted(query).values()
        ]
        return sorted(scored, key=lambda hit: -hit.score)[:k]

    def permitted(self, query: Query) -> dict[int, Entry]:
        return {
            i: entry
            for i, entry in self.entries.items()
            if entry.access_id != 0
            and entry.access_id in query.access.access_ids
            and fits(entry.facets, query.metadata)
        }

    def __len__(self) -> int:
        return len(self.entries)


def fits(facets: Facets, wanted: MetadataFilter) -> bool:
    if wanted.since and (facets.dated is None or facets.dated < wanted.since):
        return False
    if wanted.until and (facets.dated is None or facets.dated > wanted.until):
        return False
    pairs = (
        (wanted.collections, facets.collection),
        (wanted.industries, facets.industry),
        (wanted.langs, facets.lang),
        (wanted.media_types, facets.media_type),
    )
    return all(not names or name in names for names, name in pairs)


def shared(query: Query, entry: Entry) -> set[str]:
    """The words that a question and a chunk have in common."""
    return set(re.findall(r"\w+", query.text)) & set(re.findall(r"\w+", entry.text))


def unit(seed: int) -> NDArray[np.float32]:
    """A unit vector that binary16 can hold."""
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float16).astype(np.float32)


def entry(
    chunk_id: int, document_id: str = "d", access_id: int = 1, text: str = "k10", **facets: Any
) -> Entry:
    return Entry(chunk_id, document_id, access_id, text, unit(chunk_id), Facets(**facets))


def ask(*access_ids: int, text: str = "k10", metadata: MetadataFilter | None = None) -> Query:
    access = AccessFilter(frozenset(access_ids))
    return Query(text, unit(99), "en", access, metadata or MetadataFilter())


def ids(hits: list[Hit]) -> set[int]:
    return {hit.chunk_id for hit in hits}
