"""What only the hybrid index promises: threads, compaction, refusals, languages."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes import hybrid, lists
from indexes.hybrid import HybridIndex
from indexes.lexical import Lexical
from indexes.model import AccessFilter, Entry, Facets, Query

DIMENSION = 16
Floats = NDArray[np.float32]


def unit(seed: int) -> Floats:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def entry(chunk_id: int, document_id: str, access_id: int = 1, text: str = "pump") -> Entry:
    return Entry(chunk_id, document_id, access_id, text, unit(chunk_id), Facets(lang="en"))


def ask(*access_ids: int, text: str = "pump") -> Query:
    return Query(text, unit(1), "en", AccessFilter(frozenset(access_ids)))


@pytest.fixture
def index() -> HybridIndex:
    return HybridIndex(DIMENSION)


@pytest.mark.parametrize("text", ['"', "a:b", "[1 TO", "NOT", "(", "\ud800", "", "x" * 100_000])
def test_hostile_questions_only_search(index: HybridIndex, text: str) -> None:
    index.add([entry(i, "d") for i in range(5)] + [entry(9, "secret", 2)])
    hits = index.search(ask(1, text=text), 10)
    assert {hit.chunk_id for hit in hits} == {0, 1, 2, 3, 4}


def test_hits_carry_both_scores(index: HybridIndex) -> None:
    index.add([entry(1, "d"), entry(2, "d", text="valve")])
    by_id = {hit.chunk_id: hit for hit in index.search(ask(1), 10)}
    lexical = index.search_lexical(ask(1), 10)
    dense = {hit.chunk_id: hit.dense for hit in index.search_dense(ask(1), 10)}
    assert [hit.chunk_id for hit in lexical] == [1]
    assert by_id[1].lexical == lexical[0].lexical == lexical[0].score
    assert by_id[2].lexical is None
    assert {i: hit.dense for i, hit in by_id.items()} == pytest.approx(dense)


def test_a_leak_in_the_word_index_is_stopped_by_the_columns(
    index: HybridIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add([entry(1, "d"), entry(2, "secret", 2)])
    monkeypatch.setattr(Lexical, "_filters", lambda self, selection: [])
    assert [hit.chunk_id for hit in index.search_lexical(ask(1), 10)] == [1]
    assert [hit.chunk_id for hit in index.search(ask(1), 10)] == [1]


@pytest.mark.parametrize("k", [0, -1])
def test_asking_for_nothing_brings_nothing(index: HybridIndex, k: int) -> None:
    index.add([entry(1, "d"), entry(2, "d")])
    assert index.search(ask(1), k) == []
    assert index.search_dense(ask(1), k) == []
    assert index.search_lexical(ask(1), k) == []


def test_compaction_changes_no_answer(index: HybridIndex) -> None:
    index.add([entry(i, f"d{i % 10}", 1 + i % 2) for i in range(400)])
    index.delete([f"d{n}" for n in range(2)])
    before = index.search_dense(ask(1, 2), 400)
    index.delete([f"d{n}" for n in range(2, 7)])
    index.add([entry(1000, "d9")])
    after = index.search_dense(ask(1, 2), 400)
    left = {i for i in range(400) if i % 10 >= 7} | {1000}
    assert {hit.chunk_id for hit in before} == {i for i in range(400) if i % 10 >= 2}
    assert {hit.chunk_id for hit in after} == left
    assert {hit.chunk_id for hit in index.search_lexical(ask(1, 2), 400)} == left
    index.set_access("d8", 5)
    assert {hit.chunk_id % 10 for hit in index.search(ask(5), 400)} == {8}
    index.delete(["d7", "d8", "d9"])
    assert index.search(ask(1, 2, 5), 10) == []


def test_revoking_and_deleting_need_no_commit(
    index: HybridIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add([entry(i, f"d{i}") for i in range(20)])
    index.add([entry(100 + i, f"secret{i}", 2) for i in range(20)])
    assert len(index.search_lexical(ask(1), 100)) == 20
    monkeypatch.delattr(Lexical, "commit")
    index.delete(["d0", "d1"])
    index.set_access("d2", 2)
    index.set_access("secret0", 1)
    for search in (index.search, index.search_lexical, index.search_dense):
        assert {hit.chunk_id for hit in search(ask(1), 100)} == {*range(3, 20), 100}
        assert len(search(ask(1), 7)) == 7


def test_folding_while_others_change_loses_nothing(
    index: HybridIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "N_WITHOUT", 50)
    monkeypatch.setattr(hybrid, "N_WITHOUT", 50)
    index.add([entry(i, f"d{i % 10}") for i in range(400)])
    assert index.is_fold_due

    def change() -> None:
        for n in range(10):
            index.delete([f"d{n % 3}"])
            index.set_access(f"d{3 + n % 2}", 1 + n % 2)
            index.add([entry(1000 + 20 * n + i, f"new{n}") for i in range(20)])

    with ThreadPoolExecutor(3) as pool:
        for task in [pool.submit(f) for f in (index.fold, change, index.fold)]:
            task.result()
    index.fold()
    assert not index.is_fold_due
    wanted = {i for i in range(400) if i % 10 in (3, 5, 6, 7, 8, 9)} | set(range(1000, 1200))
    assert len(index) == 400 - 120 + 200
    for search in (index.search, index.search_dense, index.search_lexical):
        assert {hit.chunk_id for hit in search(ask(1), 1000)} == wanted


def test_an_index_in_a_folder_answers_the_same(tmp_path: Path, index: HybridIndex) -> None:
    on_disk = HybridIndex(DIMENSION, tmp_path)
    for one in (index, on_disk):
        one.add([entry(i, "d", text=f"pump {i}") for i in range(30)])
    query = ask(1, text="pump 7")
    assert on_disk.search(query, 30) == index.search(query, 30)
    on_disk.close()


def test_portuguese_questions_reach_english_passages_in_a_mixed_index(index: HybridIndex) -> None:
    rng = np.random.default_rng(0)

    def vector(topic: int, lang: int) -> Floats:
        raw = 1.2 * np.eye(DIMENSION)[lang] + np.eye(DIMENSION)[topic]
        raw += 0.02 * rng.normal(size=DIMENSION)
        return np.asarray(raw / np.linalg.norm(raw), np.float32)

    en = [Entry(i, "e", 1, "pump", vector(4 + i % 5, 0), Facets(lang="en")) for i in range(100)]
    pt = [
        Entry(i, "p", 1, "bomba", vector(5 + i % 8, 1), Facets(lang="pt")) for i in range(100, 200)
    ]
    index.add(en + pt)
    question = Query("o quê?", vector(4, 1), "pt", AccessFilter(frozenset({1})))
    raw = sorted(en + pt, key=lambda e: -float(e.vector @ question.vector))[:10]
    found = [hit.chunk_id for hit in index.search(question, 10)]
    assert all(e.facets.lang == "pt" for e in raw)
    assert all(i < 100 and i % 5 == 0 for i in found)


def test_searching_while_others_change_never_leaks(index: HybridIndex) -> None:
    index.add([entry(i, f"d{i % 5}") for i in range(50)])
    index.add([entry(100 + i, "secret", 2) for i in range(20)])

    def read() -> None:
        for _ in range(40):
            assert all(hit.chunk_id < 100 for hit in index.search(ask(1), 100))

    def revoke(name: str) -> Callable[[], None]:
        def run() -> None:
            ids = {i for i in range(50) if f"d{i % 5}" == name}
            for _ in range(15):
                index.set_access(name, 2)
                assert not ids & {hit.chunk_id for hit in index.search(ask(1), 100)}
                index.set_access(name, 1)
                assert ids <= {hit.chunk_id for hit in index.search(ask(1), 100)}

        return run

    def replace() -> None:
        for n in range(15):
            index.delete(["d4"])
            assert not {hit.chunk_id for hit in index.search(ask(1), 100)} & set(range(4, 50, 5))
            index.add([entry(i, "d4", text=f"pump {n}") for i in range(4, 50, 5)])

    with ThreadPoolExecutor(5) as pool:
        for task in [pool.submit(f) for f in (read, read, revoke("d0"), revoke("d1"), replace)]:
            task.result()
    assert len(index) == 70


def manual(chunk_id: int, access_id: int, title: str, text: str) -> Entry:
    """A section whose vector is every other section's: only its words tell it apart."""
    whole = f"{title}\n{text}"
    return Entry(chunk_id, title, access_id, whole, unit(1), Facets(lang="en"), title)


def test_the_named_device_goes_first_whatever_others_say_of_it(index: HybridIndex) -> None:
    index.add([manual(i, 1, f"Device {i} manual", "Replace the filter.") for i in range(20, 30)])
    index.add([manual(1, 1, "Kestrel manual 3T22", "Replace the filter.")])
    index.add([manual(2, 1, "News", "The filter of Kestrel, filter, filter.")])
    asked = ask(1, text="Replace which filter of the Kestrel?")
    assert index.search(asked, 1)[0].chunk_id == 1
    dated = ask(1, text="Which manual is of the third quarter of 2022?")
    assert index.search(dated, 1)[0].chunk_id == 1


def test_a_name_brings_nothing_that_may_not_be_read(index: HybridIndex) -> None:
    index.add([manual(1, 2, "Kestrel manual", "Replace the filter.")])
    index.add([manual(i, 1, f"Device {i} manual", "Replace the filter.") for i in range(20, 30)])
    hits = index.search(ask(1, text="Kestrel filter"), 20)
    assert sorted(hit.chunk_id for hit in hits) == list(range(20, 30))
    assert len({hit.score for hit in hits}) == 1
