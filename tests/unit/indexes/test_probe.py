"""Many admitted rows: lists are read until hardly any better row can be left."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes.dense import Dense
from indexes.model import AccessFilter, MetadataFilter
from indexes.selection import Selection

N, N_TOPICS, DIMENSION, K = 60_000, 120, 32, 10
Floats = NDArray[np.float32]


def unit(vectors: NDArray[np.float64]) -> Floats:
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(rows.astype(np.float16), np.float32)


class Corpus:
    """Topics of documents of five chunks, in an index whose rows are in lists."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.topics = np.repeat(rng.integers(0, N_TOPICS, N // 5), 5)
        topics, documents = rng.normal(size=(N_TOPICS, DIMENSION)), rng.normal(size=(N // 5, 32))
        raw = topics[self.topics] + 0.7 * np.repeat(documents, 5, axis=0)
        self.vectors = unit(raw + 0.5 * rng.normal(size=(N, DIMENSION)))
        asked = self.vectors[rng.choice(N, 60)] + 0.1 * rng.normal(size=(60, DIMENSION))
        self.questions = unit(asked)
        self.dense = Dense(DIMENSION)
        langs, live = np.zeros(N, np.int32), np.ones(N, np.bool_)
        self.dense.append(self.vectors, langs)
        self.dense.recentre(langs, live, 1)
        self.order = self.dense.adopt(self.dense.folded(live))

    def search(self, allowed: NDArray[np.bool_], k: int = K) -> float:
        """Check what is found among the allowed chunks; return the mean recall."""
        mask = allowed[self.order]
        selection = Selection(AccessFilter(frozenset()), MetadataFilter(), mask, int(mask.sum()))
        wanted = min(k, len(selection))
        n_right = 0
        for question in self.questions:
            rows, scores = self.dense.search(question, 0, selection, k)
            assert mask[rows].all()
            assert len(set(rows.tolist())) == len(rows) == wanted
            assert (np.diff(scores) <= 0).all()
            exact = self.dense.scores(question, 0, np.flatnonzero(mask))
            assert scores == pytest.approx(self.dense.scores(question, 0, rows))
            n_right += int((scores >= np.sort(exact)[-wanted]).sum())
        return n_right / (len(self.questions) * max(1, wanted))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


@pytest.fixture
def probing(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """The corpus, so that lists are probed however few rows are admitted."""
    monkeypatch.setattr(corpus.dense, "n_exact", 0)
    return corpus


@pytest.mark.parametrize("share", [1.0, 0.3, 0.1, 0.02])
@pytest.mark.parametrize("kind", ["chunks", "topics"])
def test_whatever_may_be_read_the_best_of_it_are_found(
    probing: Corpus, share: float, kind: str
) -> None:
    if kind == "topics":
        allowed = probing.topics < max(1, share * N_TOPICS)
    else:
        allowed = np.random.default_rng(1).random(N) < share
    assert probing.search(allowed) > 0.97


@pytest.mark.parametrize("n", [1, 9, 10, 11, 300])
def test_few_readable_rows_are_all_found(probing: Corpus, n: int) -> None:
    allowed = np.zeros(N, np.bool_)
    allowed[np.random.default_rng(n).permutation(N)[:n]] = True
    assert probing.search(allowed, 12) == 1


def test_up_to_a_number_of_rows_the_search_is_exact(corpus: Corpus) -> None:
    assert 5_000 <= corpus.dense.n_exact <= 50_000
    allowed = np.zeros(N, np.bool_)
    allowed[np.random.default_rng(3).permutation(N)[:5_000]] = True
    assert corpus.search(allowed) == 1


def test_rows_added_later_are_searched_with_the_lists(corpus: Corpus) -> None:
    own = Dense.restored(DIMENSION, corpus.dense.arrays())
    question = unit(np.random.default_rng(9).normal(size=(1, DIMENSION)))
    own.append(question, np.zeros(1, np.int32))
    everything = Selection(
        AccessFilter(frozenset()), MetadataFilter(), np.ones(N + 1, np.bool_), N + 1
    )
    rows, scores = own.search(question[0], 0, everything, 1)
    assert rows.tolist() == [N]
    assert scores == pytest.approx([1], abs=1e-3)


def test_lists_are_kept_until_the_rows_have_doubled(corpus: Corpus) -> None:
    own = Dense.restored(DIMENSION, corpus.dense.arrays())
    assert not own.is_fold_due(0)
    rng = np.random.default_rng(2)
    more = unit(rng.normal(size=(15_000, DIMENSION)))
    own.append(more, np.zeros(len(more), np.int32))
    assert own.is_fold_due(0)
    live = rng.random(len(own)) < 0.9
    before = own.vectors(np.arange(len(own)))
    order = own.adopt(own.folded(live))
    assert sorted(order.tolist()) == np.flatnonzero(live).tolist()
    assert (own.vectors(np.arange(len(own))) == before[order]).all()
    assert not own.is_fold_due(0)
