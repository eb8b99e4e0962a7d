"""Every index against one contract, and ours against one that is too simple to be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from indexes.hybrid import HybridIndex
from indexes.model import AccessFilter, Entry, Facets, Hit, Index, MetadataFilter, Query

DIMENSION = 8
CODES = ("k10", "k20", "m30", "x77", "2023")
LANGS = ("en", "pt", "")
MANY = 1000


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
    return set(re.findall(r"\w+", query.text)) & set(re.findall(r"\w+", entry.text))


def unit(seed: int) -> NDArray[np.float32]:
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


@pytest.fixture(
    params=[NaiveIndex, lambda: HybridIndex(DIMENSION)], ids=["NaiveIndex", "HybridIndex"]
)
def index(request: pytest.FixtureRequest) -> Index:
    make: Callable[[], Index] = request.param
    return make()


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert index.search(ask(1), 10) == []
    assert len(index) == 0


def test_only_permitted_chunks_are_found(index: Index) -> None:
    index.add([entry(1, access_id=1), entry(2, access_id=2), entry(3, access_id=0)])
    assert ids(index.search(ask(1), 10)) == {1}
    assert ids(index.search(ask(1, 2), 10)) == {1, 2}
    assert index.search(ask(), 10) == []
    assert len(index) == 3


def test_results_are_never_too_few(index: Index) -> None:
    index.add([entry(i, access_id=1 + i % 7, text="m30") for i in range(300)])
    permitted = {i for i in range(300) if i % 7 == 3}
    assert ids(index.search(ask(4, text="nothing of it"), 300)) == permitted
    assert len(index.search(ask(4), 5)) == 5


def test_an_entry_replaces_the_one_with_its_chunk_id(index: Index) -> None:
    index.add([entry(1, "old", access_id=1)])
    index.add([entry(1, "new", access_id=2)])
    assert index.search(ask(1), 10) == []
    assert ids(index.search(ask(2), 10)) == {1}
    index.delete(["old"])
    assert ids(index.search(ask(2), 10)) == {1}


def test_the_last_of_two_entries_with_one_chunk_id_counts(index: Index) -> None:
    index.add([entry(1, access_id=1), entry(1, access_id=2)])
    assert index.search(ask(1), 10) == []
    assert ids(index.search(ask(2), 10)) == {1}
    assert len(index) == 1


def test_a_deleted_document_is_gone_and_may_come_back(index: Index) -> None:
    index.add([entry(1, "a"), entry(2, "b")])
    assert ids(index.search(ask(1), 10)) == {1, 2}
    index.delete(["a", "never seen"])
    assert ids(index.search(ask(1), 10)) == {2}
    index.add([entry(3, "a")])
    assert ids(index.search(ask(1), 10)) == {2, 3}
    index.delete(["a", "b"])
    assert index.search(ask(1), 10) == []


def test_access_changes_both_ways_and_keeps_facets(index: Index) -> None:
    index.add([entry(1, "a", collection="bank"), entry(2, "b", collection="bank")])
    bank = MetadataFilter(collections=frozenset({"bank"}))
    index.set_access("a", 2)
    assert ids(index.search(ask(1, metadata=bank), 10)) == {2}
    index.set_access("a", 0)
    assert index.search(ask(2, metadata=bank), 10) == []
    index.set_access("a", 1)
    assert ids(index.search(ask(1, metadata=bank), 10)) == {1, 2}
    index.set_access("never seen", 1)


def test_facets_restrict(index: Index) -> None:
    index.add(
        [
            entry(1, collection="bank", industry="finance", lang="en", media_type="text/html"),
            entry(2, collection="shop", industry="retail", lang="pt", media_type="text/csv"),
        ]
    )
    for wanted in (
        MetadataFilter(collections=frozenset({"shop", "other"})),
        MetadataFilter(industries=frozenset({"retail"})),
        MetadataFilter(langs=frozenset({"pt"})),
        MetadataFilter(media_types=frozenset({"text/csv"})),
    ):
        assert ids(index.search(ask(1, metadata=wanted), 10)) == {2}
    both = MetadataFilter(collections=frozenset({"shop"}), industries=frozenset({"finance"}))
    assert index.search(ask(1, metadata=both), 10) == []


def test_dates_are_inclusive_and_unknown_dates_never_fit(index: Index) -> None:
    first, last = date(2025, 1, 1), date(2025, 12, 31)
    index.add(
        [
            replace(entry(1), facets=Facets(dated=first)),
            replace(entry(2), facets=Facets(dated=last)),
            entry(3),
        ]
    )
    assert ids(index.search(ask(1, metadata=MetadataFilter(since=last)), 10)) == {2}
    assert ids(index.search(ask(1, metadata=MetadataFilter(until=first)), 10)) == {1}
    assert ids(index.search(ask(1, metadata=MetadataFilter(since=first, until=last)), 10)) == {1, 2}
    assert ids(index.search(ask(1), 10)) == {1, 2, 3}


def test_hits_come_best_first_and_once(index: Index) -> None:
    index.add([entry(i, text="k10 m30") for i in range(20)])
    hits = index.search(ask(1), 20)
    assert len(ids(hits)) == 20
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


subsets = st.frozensets
metadata_filters = st.builds(
    MetadataFilter,
    collections=subsets(st.sampled_from(["bank", "shop"]), max_size=1),
    langs=subsets(st.sampled_from(LANGS), max_size=2),
    since=st.none() | st.just(date(2025, 1, 2)),
    until=st.none() | st.just(date(2025, 1, 3)),
)
entries = st.builds(
    Entry,
    chunk_id=st.integers(0, 25),
    document_id=st.sampled_from("abcdef"),
    access_id=st.integers(0, 3),
    text=st.lists(st.sampled_from(CODES), min_size=1, max_size=6).map(" ".join),
    vector=st.integers(0, 10_000).map(unit),
    facets=st.builds(
        Facets,
        collection=st.sampled_from(["bank", "shop", ""]),
        lang=st.sampled_from(LANGS),
        dated=st.none() | st.dates(date(2025, 1, 1), date(2025, 1, 4)),
    ),
)
queries = st.builds(
    Query,
    text=st.lists(st.sampled_from([*CODES, "the", "não"]), max_size=4).map(" ".join),
    vector=st.integers(0, 10_000).map(unit),
    lang=st.sampled_from([*LANGS, "de"]),
    access=st.builds(AccessFilter, subsets(st.integers(1, 4))),
    metadata=metadata_filters,
)


class AgainstNaive(RuleBasedStateMachine):
    """Whatever happened before, both know the same chunks and the hybrid index hides the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.naive = NaiveIndex()
        self.index = HybridIndex(DIMENSION)

    @rule(batch=st.lists(entries, min_size=1, max_size=12))
    def add(self, batch: list[Entry]) -> None:
        self.naive.add(batch)
        self.index.add(batch)

    @rule(documents=st.lists(st.sampled_from("abcdefg"), max_size=2))
    def delete(self, documents: list[str]) -> None:
        self.naive.delete(documents)
        self.index.delete(documents)

    @rule(document=st.sampled_from("abcdefg"), access_id=st.integers(0, 3))
    def set_access(self, document: str, access_id: int) -> None:
        self.naive.set_access(document, access_id)
        self.index.set_access(document, access_id)

    @rule(query=queries, k=st.integers(1, 30))
    def search(self, query: Query, k: int) -> None:
        permitted = self.naive.permitted(query)
        hits = self.index.search(query, k)
        assert len(hits) == len(ids(hits)) == min(k, len(permitted))
        assert ids(hits) <= permitted.keys()

    @precondition(lambda self: len(self.naive) > 0)
    @rule(query=queries, k=st.integers(1, 30))
    def search_dense(self, query: Query, k: int) -> None:
        hits = self.index.search_dense(query, k)
        question = self.centred(query.vector, query.lang)
        wanted = {
            i: float(self.centred(entry.vector, entry.facets.lang) @ question)
            for i, entry in self.naive.permitted(query).items()
        }
        best = sorted(wanted.values(), reverse=True)[:k]
        assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)
        assert [hit.score for hit in hits] == pytest.approx(
            [wanted[hit.chunk_id] for hit in hits], abs=1e-5
        )

    @rule(query=queries)
    def search_lexical(self, query: Query) -> None:
        wanted = {i for i, e in self.naive.permitted(query).items() if shared(query, e)}
        assert ids(self.index.search_lexical(query, MANY)) == wanted

    @invariant()
    def both_have_the_same_size(self) -> None:
        assert len(self.index) == len(self.naive)

    def centred(self, vector: NDArray[np.float32], lang: str) -> NDArray[np.float32]:
        rest = vector - self.index.taken_out(lang)
        return np.asarray(rest / np.linalg.norm(rest), np.float32)


AgainstNaive.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAgainstNaive = AgainstNaive.TestCase
