"""Exact search, and the language that is taken out of vectors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes.dense import Dense
from indexes.model import AccessFilter, MetadataFilter
from indexes.selection import Selection

EN, PT = 0, 1
Floats = NDArray[np.float32]


def directions(vectors: NDArray[np.float64]) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float16).astype(np.float32)


def corpus(n_en: int, n_pt: int, seed: int = 0) -> tuple[Floats, NDArray[np.int32]]:
    """Vectors of 6 topics, each language shifted far along its own axis."""
    rng = np.random.default_rng(seed)
    langs = np.array([EN] * n_en + [PT] * n_pt, np.int32)
    topics = np.eye(16)[4 + np.arange(n_en + n_pt) % 6]
    shift = 1.2 * np.eye(16)[langs]
    return directions(topics + shift + 0.05 * rng.normal(size=(n_en + n_pt, 16))), langs


def filled(vectors: Floats, langs: NDArray[np.int32]) -> Dense:
    dense = Dense(vectors.shape[1])
    dense.append(vectors, langs)
    return dense


def chosen(rows: NDArray[np.int64], n: int) -> Selection:
    mask = np.zeros(n, np.bool_)
    mask[rows] = True
    return Selection(AccessFilter(frozenset()), MetadataFilter(), mask, len(rows))


def test_search_equals_brute_force_over_any_rows() -> None:
    rng = np.random.default_rng(1)
    vectors = directions(rng.normal(size=(500, 16)))
    dense = filled(vectors, np.zeros(500, np.int32))
    for n in (1, 7, 499, 500):
        rows = np.sort(rng.permutation(500)[:n])
        raw = rng.normal(size=16).astype(np.float32)
        question = raw / np.linalg.norm(raw)
        found, scores = dense.search(question, None, chosen(rows, 500), 10)
        wanted = vectors[rows] @ question / np.linalg.norm(vectors[rows], axis=1)
        assert found.tolist() == rows[np.argsort(-wanted)][:10].tolist()
        assert scores == pytest.approx(np.sort(wanted)[::-1][:10], abs=1e-5)
        assert dense.scores(question, None, found) == pytest.approx(scores, abs=1e-5)


def test_no_rows_no_results() -> None:
    dense = filled(*corpus(3, 0))
    found, scores = dense.search(
        np.ones(16, np.float32), None, chosen(np.zeros(0, np.int64), 3), 10
    )
    assert len(found) == len(scores) == 0


def test_half_of_a_languages_mean_is_taken_out() -> None:
    vectors, langs = corpus(60, 80)
    dense = filled(vectors, langs)
    dense.recentre(langs, np.ones(140, np.bool_), 2)
    assert dense.mean(EN) == pytest.approx(vectors[langs == EN].mean(axis=0) / 2, abs=1e-5)
    assert dense.mean(PT) == pytest.approx(vectors[langs == PT].mean(axis=0) / 2, abs=1e-5)
    assert dense.mean(None) == pytest.approx(vectors.mean(axis=0) / 2, abs=1e-5)
    assert dense.mean(7) == pytest.approx(dense.mean(None))


def test_a_mean_of_few_rows_leans_on_all_rows() -> None:
    vectors, langs = corpus(100, 10)
    dense = filled(vectors, langs)
    dense.recentre(langs, np.ones(110, np.bool_), 2)
    own, overall = vectors[langs == PT].mean(axis=0), vectors.mean(axis=0)
    assert dense.mean(PT) == pytest.approx((0.2 * own + 0.8 * overall) / 2, abs=1e-5)


def test_dead_rows_do_not_shape_the_means() -> None:
    vectors, langs = corpus(120, 0)
    dense = filled(vectors, langs)
    live = np.arange(120) < 60
    dense.recentre(langs, live, 1)
    assert dense.mean(EN) == pytest.approx(vectors[:60].mean(axis=0) / 2, abs=1e-5)


def test_the_other_language_is_found_once_the_means_are_out() -> None:
    vectors, langs = corpus(90, 90)
    topic = 4 + np.arange(180) % 6
    is_answer = (topic == 4) & (langs == EN)
    kept = np.flatnonzero(is_answer | (topic != 4))
    vectors, langs = vectors[kept], langs[kept]
    answers = set(np.flatnonzero(is_answer[kept]).tolist())
    question = directions(np.eye(16)[[4]] + 1.2 * np.eye(16)[[PT]])[0]
    dense = filled(vectors, langs)
    everything = chosen(np.arange(len(kept)), len(kept))
    before, _ = dense.search(question, PT, everything, 10)
    dense.recentre(langs, np.ones(len(kept), np.bool_), 2)
    after, _ = dense.search(question, PT, everything, 10)
    assert not answers & set(before.tolist())
    assert set(after.tolist()) <= answers


def test_recentring_again_and_again_loses_nothing() -> None:
    vectors, langs = corpus(90, 70)
    dense = filled(vectors[:100], langs[:100])
    for n in (100, 120, 140, 160):
        dense.append(vectors[len(dense) : n], langs[len(dense) : n])
        dense.recentre(langs[:n], np.ones(n, np.bool_), 2)
    fresh = filled(vectors, langs)
    fresh.recentre(langs, np.ones(160, np.bool_), 2)
    question = vectors[3]
    assert dense.scores(question, EN, np.arange(160)) == pytest.approx(
        fresh.scores(question, EN, np.arange(160)), abs=1e-5
    )


def test_kept_rows_move_up() -> None:
    vectors, langs = corpus(40, 40)
    dense = filled(vectors, langs)
    dense.recentre(langs, np.ones(80, np.bool_), 2)
    kept = np.arange(1, 80, 2)
    before = dense.scores(vectors[5], EN, kept)
    fold = dense.folded(np.isin(np.arange(80), kept))
    dense.append(vectors[:3], langs[:3])
    assert dense.adopt(fold).tolist() == [*kept.tolist(), 80, 81, 82]
    assert len(dense) == 43
    assert dense.scores(vectors[5], EN, np.arange(40)) == pytest.approx(before, abs=1e-5)
    assert dense.vectors(np.array([0, 39, 42])) == pytest.approx(vectors[[1, 79, 2]])


@pytest.mark.parametrize(
    ("counts", "drifted"),
    [([100, 40], False), ([125, 40], False), ([126, 40], True), ([100, 29], True), ([100], True)],
)
def test_means_are_stale_when_a_language_grew_or_shrank_by_a_quarter(
    counts: list[int], drifted: bool
) -> None:
    vectors, langs = corpus(100, 40)
    dense = filled(vectors, langs)
    dense.recentre(langs, np.ones(140, np.bool_), 2)
    assert dense.has_drifted(np.array(counts)) is drifted
    assert dense.has_drifted(np.array([*counts, *[0] * (2 - len(counts)), 1]))


def test_one_row_can_be_found() -> None:
    vectors, langs = corpus(1, 0)
    dense = filled(vectors, langs)
    dense.recentre(langs, np.ones(1, np.bool_), 1)
    found, scores = dense.search(vectors[0], EN, chosen(np.arange(1), 1), 5)
    assert found.tolist() == [0]
    assert scores[0] == pytest.approx(1)
