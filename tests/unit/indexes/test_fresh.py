"""New chunks are found by words before the inverted index commits them, with the same scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.fresh import Corpus, Fresh
from indexes.hybrid import HybridIndex
from indexes.lexical import Lexical
from indexes.model import AccessFilter, Entry, Query
from indexes.scribe import Text
from indexes.selection import Selection
from tests.unit.indexes.test_lexical import admitting

WORDS = [f"word{n}" for n in range(60)]
N = 2000


def texts(first: int, n: int, seed: int = 0) -> list[Text]:
    """Texts of all lengths, some beyond what tantivy keeps exactly."""
    rng = np.random.default_rng(seed)
    return [
        Text(serial, 1, 0, "en", " ".join(rng.choice(WORDS, int(rng.integers(1, 300)))))
        for serial in range(first, first + n)
    ]


def found(index: Lexical, text: str, selection: Selection) -> dict[int, float]:
    matches = index.search(text, "en", selection, N)
    return dict(zip(matches.serials.tolist(), matches.scores.tolist(), strict=True))


@pytest.fixture
def selection() -> Selection:
    chosen = admitting({1})
    chosen.n = N
    return chosen


def test_what_is_fresh_scores_as_if_committed(selection: Selection) -> None:
    index = Lexical()
    index.add(texts(0, N))
    index.commit()
    index.add([*texts(N, 15, seed=1), Text(N + 99, 1, 0, "en", "unheard word7 of")])
    assert not index.must_commit
    assert len(index) == N
    questions = ("word3 word17", "unheard", "word7 unheard", "nowhere")
    before = [found(index, text, selection) for text in questions]
    index.commit()
    after = [found(index, text, selection) for text in questions]
    for one, other in zip(before, after, strict=True):
        new = {serial: score for serial, score in other.items() if serial >= N}
        assert {s: score for s, score in one.items() if s >= N} == pytest.approx(new, rel=0.01)
    assert set(after[1]) == {N + 99}
    assert after[3] == {}


def test_what_is_fresh_holds_as_much_of_a_question(selection: Selection) -> None:
    index = Lexical()
    index.add(Text(t.serial, 1, 0, "en", t.text, t.text[:20]) for t in texts(0, N) if t.serial % 2)
    index.commit()
    new = [
        Text(N + 1, 1, 0, "en", "Pump word3 in 2024 word7", "Pump word3 in 2024"),
        Text(N + 2, 1, 0, "en", "word7"),
    ]
    index.add(new)
    asked = "word3 word7 in 2024"
    old = [1, 3, 5]
    both = [*old, *(text.serial for text in new)]

    def shares() -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        words = index.search(asked, "en", selection, N).words
        return list(index.shares(asked, words, np.array(both, np.int64)))

    before = shares()
    index.commit()
    for one, other in zip(before, shares(), strict=True):
        assert one == pytest.approx(other, abs=0.02)
    assert before[0][3] > before[0][4] > 0
    assert before[1][3] > before[1][4] == 0


def test_the_best_come_first_wherever_they_are(selection: Selection) -> None:
    index = Lexical()
    index.add(texts(0, N))
    index.commit()
    index.add([Text(N, 1, 0, "en", "word3 word17 " * 20)])
    matches = index.search("word3 word17", "en", selection, 10)
    assert matches.serials[0] == N
    assert (np.diff(matches.scores) <= 0).all()
    assert index.search_all("word3 word17", "en", 5).serials[0] == N


def test_many_new_chunks_ask_for_a_commit() -> None:
    index = Lexical()
    index.add(texts(0, N))
    assert index.must_commit
    index.commit()
    index.add(texts(N, 20))
    assert not index.must_commit
    assert index.n_pending == 20
    index.add(texts(N + 20, 1))
    assert index.must_commit
    index.commit()
    assert index.n_pending == 0
    assert len(index) == N + 21


def test_chunks_without_words_are_no_obstacle(selection: Selection) -> None:
    index = Lexical()
    index.add(Text(serial, 1, 0, "en", "") for serial in range(N))
    index.commit()
    index.add([Text(N, 1, 0, "en", "word3")])
    assert set(found(index, "word3", selection)) == {N}


def test_a_chunk_may_lack_terms() -> None:
    fresh = Fresh()
    fresh.add(1, {"text": []})
    serials, scores = fresh.scores({"a": 3}, Corpus(100, 10.0))
    assert len(serials) == len(scores) == 0


def entry(chunk_id: int, text: str, access_id: int = 1) -> Entry:
    vector = np.zeros(8, np.float32)
    vector[chunk_id % 8] = 1
    return Entry(chunk_id, f"document-{chunk_id}", access_id, text, vector)


def test_filters_and_changes_hold_for_what_is_fresh(tmp_path: Path) -> None:
    index = HybridIndex(8, tmp_path)
    index.add([entry(text.serial, text.text) for text in texts(0, N)])
    own = Query("unheard", np.eye(8, dtype=np.float32)[0], "en", AccessFilter(frozenset({1})))
    other = Query("unheard", own.vector, "en", AccessFilter(frozenset({2})))

    def seen(query: Query) -> list[int]:
        return [hit.chunk_id for hit in index.search_lexical(query, 10)]

    assert seen(own) == []
    index.add([entry(N, "unheard"), entry(N + 1, "unheard", 2)])
    assert index._lexical.n_pending == 2
    assert (seen(own), seen(other)) == ([N], [N + 1])
    index.set_access(f"document-{N}", 2)
    assert (seen(own), sorted(seen(other))) == ([], [N, N + 1])
    index.add([entry(N, "heard")])
    assert (seen(own), seen(other)) == ([], [N + 1])
    index.delete([f"document-{N + 1}"])
    assert (seen(own), seen(other)) == ([], [])
    index.add([entry(N + 2, "unheard")])
    index._lexical.commit()
    assert (seen(own), seen(other)) == ([N + 2], [])
    index.close()
