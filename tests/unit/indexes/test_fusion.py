"""Words count as far as the question deserves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.fusion import WEIGHTS, Candidates
from indexes.fusion import fused as fused_candidates

KIN = np.ones(3, np.bool_)
DENSE = np.array([0.6, 0.5, 0.4], np.float32)
ORDINARY = 12
"""As many words as make a question neither terse nor wordy."""


_Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
_Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def fused(dense: _Floats, lexical: _Floats, is_kin: _Bools, n_words: int) -> _Floats:
    found = Candidates(np.arange(len(dense)), dense, lexical, is_kin, n_words)
    return np.asarray(fused_candidates(found))


def floats(*values: float) -> _Floats:
    return np.array(values, np.float32)


def test_without_matching_words_the_cosines_stay() -> None:
    assert fused(DENSE, floats(0, 0, 0), KIN, ORDINARY) == pytest.approx(DENSE)


def test_cosines_closer_than_a_step_are_equal() -> None:
    scores = fused(floats(0.5004, 0.4996, 0.506), floats(0, 0, 0), KIN, ORDINARY)
    assert scores[0] == scores[1] < scores[2]


def test_the_best_match_adds_the_whole_weight() -> None:
    scores = fused(DENSE, floats(0, 3, 6), KIN, ORDINARY)
    assert scores == pytest.approx([0.6, 0.5 + WEIGHTS.words / 2, 0.4 + WEIGHTS.words])


def test_words_count_double_if_they_agree_with_the_vectors() -> None:
    scores = fused(DENSE, floats(6, 0, 6), KIN, ORDINARY)
    assert scores == pytest.approx([0.6 + 2 * WEIGHTS.words, 0.5, 0.4 + 2 * WEIGHTS.words])


@pytest.mark.parametrize(("few", "many"), [(1, 2), (2, 6), (6, ORDINARY)])
def test_each_word_of_a_shorter_question_counts_more(few: int, many: int) -> None:
    match = floats(0, 0, 6)
    assert fused(DENSE, match, KIN, few)[2] > fused(DENSE, match, KIN, many)[2]


def test_words_count_more_in_a_pasted_text() -> None:
    match = floats(0, 0, 6)
    long = fused(DENSE, match, KIN, int(4 * WEIGHTS.n_wordy))
    assert long[2] == pytest.approx(0.4 + 4**WEIGHTS.wordy * WEIGHTS.words)
    assert fused(DENSE, match, KIN, ORDINARY)[2] == pytest.approx(0.4 + WEIGHTS.words)


def test_among_passages_in_another_language_names_count_a_little() -> None:
    scores = fused(DENSE, floats(0, 3, 6), ~KIN, 1)
    assert scores == pytest.approx([0.6, 0.5 + WEIGHTS.strangers / 2, 0.4 + WEIGHTS.strangers])


def test_strangers_are_compared_with_each_other() -> None:
    """A chatty passage in the question's language does not take the name's weight away."""
    kin = np.array([False, True, False])
    scores = fused(DENSE, floats(0, 90, 6), kin, ORDINARY)
    alone = fused(DENSE, floats(0, 0, 6), kin, ORDINARY)
    own = WEIGHTS.words / 3
    assert scores[2] == pytest.approx(0.4 + WEIGHTS.strangers * 2 / 3 + own * 6 / 90)
    assert alone[2] == pytest.approx(0.4 + WEIGHTS.strangers * 2 / 3 + own)


@given(
    st.lists(
        st.tuples(st.floats(-1, 1, width=32), st.floats(0, 50, width=32), st.booleans()),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 500),
)
def test_better_on_both_sides_is_never_worse(
    candidates: list[tuple[float, float, bool]], n_words: int
) -> None:
    dense, lexical, kin = (np.array(column) for column in zip(*candidates, strict=True))
    scores = fused(dense.astype(np.float32), lexical.astype(np.float32), kin, n_words)
    assert np.isfinite(scores).all()
    for i, (d, w, a) in enumerate(candidates):
        for j, (e, x, b) in enumerate(candidates):
            if d >= e and w >= x and a == b:
                assert scores[i] >= scores[j] - 1e-5 * max(1.0, abs(float(scores[j])))
