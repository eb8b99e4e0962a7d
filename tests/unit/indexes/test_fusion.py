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


def fused(
    dense: _Floats,
    lexical: _Floats,
    is_kin: _Bools,
    n_words: int,
    coverage: _Floats | None = None,
    named: _Floats | None = None,
) -> _Floats:
    nothing = np.zeros(len(dense), np.float32)
    found = Candidates(
        chunk_ids=np.arange(len(dense)),
        dense=dense,
        lexical=lexical,
        coverage=nothing if coverage is None else coverage,
        named=nothing if named is None else named,
        is_kin=is_kin,
        n_words=n_words,
    )
    return np.asarray(fused_candidates(found))


def floats(*values: float) -> _Floats:
    return np.array(values, np.float32)


def test_without_matching_words_the_cosines_stay() -> None:
    assert fused(DENSE, floats(0, 0, 0), KIN, ORDINARY) == pytest.approx(DENSE)


def test_cosines_closer_than_a_step_are_equal() -> None:
    near = WEIGHTS.step / 10
    scores = fused(floats(0.5 + near, 0.5 - near, 0.5 + WEIGHTS.step), floats(0, 0, 0), KIN, 12)
    assert scores[0] == scores[1] < scores[2]


def test_a_point_of_bm25_adds_the_weight() -> None:
    scores = fused(DENSE, floats(0, 3, 6), KIN, ORDINARY)
    assert scores == pytest.approx([0.6, 0.5 + 3 * WEIGHTS.words, 0.4 + 6 * WEIGHTS.words])


def test_words_count_double_if_they_agree_with_the_vectors() -> None:
    scores = fused(DENSE, floats(6, 0, 6), KIN, ORDINARY)
    assert scores == pytest.approx([0.6 + 12 * WEIGHTS.words, 0.5, 0.4 + 12 * WEIGHTS.words])


def test_each_word_of_a_terse_question_counts_more() -> None:
    match = floats(0, 0, 6)
    ranks = [fused(DENSE, match, KIN, n)[2] for n in (1, 2, ORDINARY)]
    assert ranks[0] > ranks[1] > ranks[2]


def test_a_passage_that_holds_more_of_the_question_goes_first() -> None:
    scores = fused(DENSE, floats(6, 6, 6), KIN, ORDINARY, coverage=floats(0, 0.5, 1))
    more = WEIGHTS.coverage / 2
    assert np.diff(scores) == pytest.approx([more - 0.1, more - 0.1], abs=1e-6)


def test_the_named_product_counts_in_every_language_and_without_words() -> None:
    for kin in (KIN, ~KIN):
        scores = fused(DENSE, floats(0, 0, 0), kin, ORDINARY, named=floats(0, 0, 1))
        assert scores == pytest.approx([0.6, 0.5, 0.4 + WEIGHTS.entity])


def test_among_passages_in_another_language_names_count_a_little() -> None:
    scores = fused(DENSE, floats(0, 3, 6), ~KIN, 1)
    assert scores == pytest.approx([0.6, 0.5 + WEIGHTS.strangers / 2, 0.4 + WEIGHTS.strangers])


def test_strangers_are_compared_with_each_other() -> None:
    """A chatty passage in the question's language does not take the name's weight away."""
    kin = np.array([False, True, False])
    scores = fused(DENSE, floats(0, 90, 6), kin, ORDINARY)
    alone = fused(DENSE, floats(0, 0, 6), kin, ORDINARY)
    gain = WEIGHTS.strangers * 2 / 3 + 6 * WEIGHTS.words / 3
    assert scores[2] == alone[2] == pytest.approx(0.4 + gain)


def test_strangers_that_hold_more_of_the_question_gain_half() -> None:
    scores = fused(DENSE, floats(6, 6, 6), ~KIN, ORDINARY, coverage=floats(0, 0, 1))
    gain = WEIGHTS.strangers + WEIGHTS.coverage / 2
    assert scores[2] == pytest.approx(0.4 + gain)


@given(
    st.lists(
        st.tuples(
            st.floats(-1, 1, width=32),
            st.floats(0, 50, width=32),
            st.floats(0, 1, width=32),
            st.floats(0, 1, width=32),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 500),
)
def test_better_on_all_sides_is_never_worse(
    candidates: list[tuple[float, float, float, float, bool]], n_words: int
) -> None:
    *sides, kin = (np.array(column) for column in zip(*candidates, strict=True))
    dense, lexical, coverage, named = (side.astype(np.float32) for side in sides)
    scores = fused(dense, lexical, kin, n_words, coverage, named)
    assert np.isfinite(scores).all()
    for i, (*mine, own) in enumerate(candidates):
        for j, (*other, its) in enumerate(candidates):
            if own == its and all(m >= o for m, o in zip(mine, other, strict=True)):
                assert scores[i] >= scores[j] - 1e-5 * max(1.0, abs(float(scores[j])))
