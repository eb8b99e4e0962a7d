"""Words count as far as they reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.fusion import STRANGERS, WORDS, fused

KIN = np.ones(3, np.bool_)
DENSE = np.array([0.6, 0.5, 0.4], np.float32)


def floats(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_without_matching_words_the_cosines_stay() -> None:
    assert fused(DENSE, floats(0, 0, 0), 9.0, KIN).tolist() == DENSE.tolist()
    assert fused(DENSE, floats(0, 0, 0), 0.0, KIN).tolist() == DENSE.tolist()


def test_a_full_match_adds_the_whole_weight() -> None:
    assert fused(DENSE, floats(0, 3, 6), 6.0, KIN) == pytest.approx(
        [0.6, 0.5 + WORDS / 2, 0.4 + WORDS]
    )


def test_a_question_half_unknown_counts_a_quarter() -> None:
    scores = fused(DENSE, floats(0, 0, 6), 12.0, KIN)
    assert scores == pytest.approx([0.6, 0.5, 0.4 + WORDS / 4])


def test_words_that_are_everywhere_count_little() -> None:
    assert fused(DENSE, floats(0, 0, 0.4), 0.2, KIN) == pytest.approx([0.6, 0.5, 0.4 + WORDS / 100])


def test_one_repeated_word_can_not_drown_the_vectors() -> None:
    assert fused(DENSE, floats(0, 0, 90), 9.0, KIN)[2] == pytest.approx(0.4 + 4 * WORDS)


def test_words_count_less_among_passages_in_another_language() -> None:
    stranger = fused(DENSE, floats(0, 0, 6), 6.0, ~KIN)
    mixed = fused(DENSE, floats(0, 0, 6), 6.0, np.array([True, False, False]))
    assert stranger[2] == pytest.approx(0.4 + STRANGERS * WORDS)
    assert mixed[2] == pytest.approx(0.4 + (STRANGERS + (1 - STRANGERS) / 3) * WORDS)


@given(
    st.lists(
        st.tuples(st.floats(-1, 1, width=32), st.floats(0, 50, width=32), st.booleans()),
        min_size=1,
        max_size=20,
    ),
    st.floats(0, 100),
)
def test_better_on_both_sides_is_never_worse(
    candidates: list[tuple[float, float, bool]], ceiling: float
) -> None:
    dense, lexical, kin = (np.array(column) for column in zip(*candidates, strict=True))
    scores = fused(dense.astype(np.float32), lexical.astype(np.float32), ceiling, kin)
    assert np.isfinite(scores).all()
    for i, (d, w, _) in enumerate(candidates):
        for j, (e, x, _) in enumerate(candidates):
            if d >= e and w >= x:
                assert scores[i] >= scores[j] - 1e-5 * max(1.0, abs(float(scores[j])))
