"""The plain values that every index speaks: entries, hits, filters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NOBODY = 0
"""The access id that no caller may ever hold: deleted and unreadable chunks carry it."""


def primary_lang(tag: str) -> str:
    """Return the language of a BCP 47 tag, lower case: `pt-BR` is `pt`."""
    return tag.split("-", 1)[0].lower()


class SearchIndexError(Exception):
    """An index could not be used; the message says what happened and what to do next."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What a caller can filter by besides access; empty strings and None mean unknown."""

    collection: str = ""
    industry: str = ""
    lang: str = ""
    media_type: str = ""
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk to index. `vector` is float32 of the index's dimension, unit length.

    `title` is what its document and the headings above it are called, which `text` begins with.
    """

    chunk_id: int
    document_id: str
    access_id: int
    text: str
    vector: NDArray[np.float32]
    facets: Facets = Facets()
    title: str = ""


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """The distinct ACLs a caller may read, as of a policy epoch.

    `principals_sha256` names the principal set (cache keys, `cache_salt`). Nobody's filter has
    no `access_ids`; `NOBODY` is never among them. What is in `closed_collections` is not
    theirs whatever its ACL.
    """

    access_ids: frozenset[int]
    epoch: int = 0
    principals_sha256: str = ""
    closed_collections: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if NOBODY in self.access_ids:
            raise ValueError("access id 0 belongs to nobody and can't be granted")


@dataclass(frozen=True, slots=True)
class MetadataFilter:
    """Restricts a search by facets; an empty set restricts nothing. Dates are inclusive."""

    collections: frozenset[str] = frozenset()
    industries: frozenset[str] = frozenset()
    langs: frozenset[str] = frozenset()
    media_types: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched: text for BM25, a unit vector for the dense index, the text's language."""

    text: str
    vector: NDArray[np.float32]
    lang: str = ""
    access: AccessFilter = field(default_factory=lambda: AccessFilter(frozenset()))
    metadata: MetadataFilter = MetadataFilter()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found; higher scores are better.

    `dense` is a cosine, comparable between questions; `lexical` a BM25 score, which is not.
    """

    chunk_id: int
    score: float
    dense: float | None = None
    lexical: float | None = None


class Index(Protocol):
    """The contract of every index: the conformance suite in tests/ runs over each."""

    def add(self, entries: list[Entry]) -> None:
        """Index chunks; an entry whose `chunk_id` is known replaces it."""

    def delete(self, document_ids: list[str]) -> None:
        """Make every chunk of the documents invisible before returning."""

    def set_access(self, document_id: str, access_id: int) -> None:
        """Change who may read a document's chunks before returning."""

    def search(self, query: Query, k: int) -> list[Hit]:
        """Return the `k` best chunks that the filters admit, never fewer while there are some."""

    def __len__(self) -> int:
        """Return the number of live chunks."""
