"""What a question's words are worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.words import Word, coverage, naming

N = 1000
COUNTS = st.integers(0, N)
WORDS = st.lists(
    st.builds(
        lambda term, texts, titles: Word({term: texts}, {term: min(texts, titles)}),
        st.text(min_size=1),
        COUNTS,
        COUNTS,
    ),
    max_size=20,
)


def test_a_name_is_what_titles_hold() -> None:
    assert Word({"kestrel": 10}, {"kestrel": 5}).is_name
    assert not Word({"pump": 10}, {"pump": 4}).is_name
    assert not Word({"unknown": 0}, {"unknown": 0}).is_name
    assert Word({"bombas": 0, "bomb": 9}, {"bombas": 0, "bomb": 9}).is_name


def test_rare_words_are_worth_most() -> None:
    rare, common = coverage([Word({"a": 2}, {"a": 0}), Word({"b": 500}, {"b": 0})], N)
    assert rare.gain > common.gain
    assert rare.gain + common.gain == pytest.approx(1)


def test_a_word_is_worth_as_much_as_its_rarest_reading() -> None:
    alone = coverage([Word({"a": 2}, {"a": 0}), Word({"b": 9}, {"b": 0})], N)
    both = coverage([Word({"a": 2, "as": 700}, {"a": 0, "as": 0}), Word({"b": 9}, {"b": 0})], N)
    assert [clue.term for clue in both] == ["a", "as", "b"]
    assert [clue.gain for clue in both] == [alone[0].gain, alone[0].gain, alone[1].gain]


def test_a_name_that_all_titles_hold_is_worth_little() -> None:
    everywhere, rare = ({"a": n} for n in (N, 3))
    assert naming([Word(everywhere, everywhere)], {}, N)[0].gain < 0.01
    assert naming([Word(rare, rare)], {}, N)[0].gain > 0.8


def test_periods_are_named_too() -> None:
    assert [clue.term for clue in naming([], {"2022q3": 4, "q3": 0}, N)] == ["2022q3"]


def test_of_a_pasted_text_the_rarest_words_count() -> None:
    words = [Word({f"w{n}": n}, {}) for n in range(1, 200)]
    clues = coverage(words, N)
    assert [clue.term for clue in clues] == [f"w{n}" for n in range(1, len(clues) + 1)]
    assert len(clues) < len(words)
    assert sum(clue.gain for clue in clues) < 1


@given(WORDS, st.dictionaries(st.text(), COUNTS, max_size=3))
def test_shares_stay_shares(words: list[Word], periods: dict[str, int]) -> None:
    for clues in (coverage(words, N), naming(words, periods, N)):
        assert all(clue.gain >= 0 for clue in clues)
        assert sum(clue.gain for clue in clues) <= 1 + 1e-9
