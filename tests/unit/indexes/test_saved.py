from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from indexes.hybrid import HybridIndex
from indexes.manifest import Facts
from indexes.model import AccessFilter, Entry, Facets, Hit, Query, SearchIndexError
from indexes.saved import contents, documents, n_rows, n_with_words, restored, state_of
from indexes.snapshot import Snapshots, State

DIMENSION = 8
WORDS = {
    "en": ["ship", "pump", "valve", "report", "income"],
    "pt": ["navio", "bomba", "relatório", "lucro"],
}


def entries(rng: np.random.Generator, first: int, n: int) -> list[Entry]:
    made = []
    for chunk_id in range(first, first + n):
        lang = "en" if rng.random() < 0.6 else "pt"
        vector = rng.standard_normal(DIMENSION).astype(np.float32)
        made.append(
            Entry(
                chunk_id,
                f"document-{chunk_id // 3}",
                int(rng.integers(1, 4)),
                " ".join(rng.choice(WORDS[lang], 4)) + f" {chunk_id}",
                vector / np.linalg.norm(vector),
                Facets(collection="acme", lang=lang),
            )
        )
    return made


def changed(index: HybridIndex, seed: int) -> None:
    rng = np.random.default_rng(seed)
    index.add(entries(rng, seed * 20, 60))
    index.delete([f"document-{i}" for i in rng.integers(0, seed * 7 + 20, 6)])
    for i in rng.integers(0, seed * 7 + 20, 6):
        index.set_access(f"document-{i}", int(rng.integers(1, 4)))


def questions() -> list[Query]:
    rng = np.random.default_rng(7)
    asked = []
    for access in (frozenset({1}), frozenset({1, 2, 3}), frozenset({9})):
        for text, lang in (("pump report", "en"), ("lucro do navio", "pt"), ("31", "")):
            vector = rng.standard_normal(DIMENSION).astype(np.float32)
            unit = vector / np.linalg.norm(vector)
            asked.append(Query(text, unit, lang, AccessFilter(access)))
    return asked


def answers(index: HybridIndex) -> list[list[Hit]]:
    return [index.search(query, 10) for query in questions()]


def assert_same(one: HybridIndex, other: HybridIndex) -> None:
    """Compare what is found, not the scores by words.

    Those count deleted chunks until tantivy has merged its segments, at a time of its own.
    """
    for query in questions():
        near, by_words = (
            [{hit.chunk_id: hit.score for hit in found} for found in pair]
            for pair in (
                [index.search_dense(query, 10) for index in (one, other)],
                [index.search_lexical(query, 1000) for index in (one, other)],
            )
        )
        assert near[0] == pytest.approx(near[1], abs=1e-5)
        assert by_words[0].keys() == by_words[1].keys()


def saved(index: HybridIndex, folder: Path) -> Snapshots:
    snapshots = Snapshots(folder / "index")
    with state_of(index, folder) as state:
        snapshots.publish(state, Facts(1, "model@1", DIMENSION, *n_rows(index)))
    return snapshots


def work(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def test_a_restored_index_answers_and_goes_on_as_the_saved_one(tmp_path: Path) -> None:
    index = HybridIndex(DIMENSION, work(tmp_path, "words"))
    for seed in range(6):
        changed(index, seed)
        answers(index)
    back = restored(saved(index, tmp_path).open().state, work(tmp_path, "again"))
    assert_same(back, index)
    assert len(back) == len(index)
    assert n_rows(back) == n_rows(index)
    assert documents(back) == documents(index)
    for seed in range(6, 12):
        changed(index, seed)
        changed(back, seed)
        assert len(back) == len(index)
        assert documents(back) == documents(index)
        assert_same(back, index)
    again = restored(saved(back, tmp_path).open().state, work(tmp_path, "third"))
    assert_same(again, back)
    for used in (index, back, again):
        used.close()


def test_later_changes_leave_a_snapshot_alone(tmp_path: Path) -> None:
    index = HybridIndex(DIMENSION, work(tmp_path, "words"))
    changed(index, 1)
    before = answers(index)
    snapshots = saved(index, tmp_path)
    back = restored(snapshots.open().state, work(tmp_path, "again"))
    for seed in range(2, 30):
        changed(back, seed)
        answers(back)
    back.close()
    again = restored(snapshots.open().state, work(tmp_path, "third"))
    assert answers(again) == before
    again.close()


def test_an_empty_index_comes_back(tmp_path: Path) -> None:
    index = HybridIndex(DIMENSION, work(tmp_path, "words"))
    back = restored(saved(index, tmp_path).open().state, work(tmp_path, "again"))
    assert len(back) == 0
    assert documents(back) == {}
    changed(back, 1)
    changed(index, 1)
    assert answers(back) == answers(index)


def test_an_index_in_memory_cannot_be_saved(tmp_path: Path) -> None:
    with (
        pytest.raises(SearchIndexError, match="give it a folder"),
        state_of(HybridIndex(DIMENSION), tmp_path),
    ):
        pass


def test_an_incomplete_state_is_told(tmp_path: Path) -> None:
    index = HybridIndex(DIMENSION, work(tmp_path, "words"))
    changed(index, 1)
    with state_of(index, tmp_path) as state:
        files = work(tmp_path, "files")
        for name, path in state.files.items():
            shutil.copyfile(path, files / name)
        kept = {name: files / name for name in state.files}
    arrays = {name: array for name, array in state.arrays.items() if name != "days"}
    with pytest.raises(SearchIndexError, match="lacks 'days'"):
        restored(State(arrays, state.tables, kept), work(tmp_path, "again"))


def test_chunks_without_words_are_counted() -> None:
    index = HybridIndex(DIMENSION)
    changed(index, 1)
    chunk_ids, _ = contents(index)
    assert n_with_words(index, chunk_ids) == len(chunk_ids)
    lost = [index._rows.serial_of(chunk_id) for chunk_id in chunk_ids[:3].tolist()]
    index._lexical.delete([serial for serial in lost if serial is not None])
    assert n_with_words(index, chunk_ids) == len(chunk_ids) - 3
    assert n_with_words(index, chunk_ids[:0]) == 0
