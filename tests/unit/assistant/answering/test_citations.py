from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.citations import RawSentence, SentenceStream

PIECES = st.lists(
    st.sampled_from(
        ["The fee is R$ 1.234,56", " O prazo", " Dr. Silva signs", ".", ". ", "! ", "\n", "\n- ",
         "[1]", " [2]", "[1, 3]", "[1][2]", "[2-4]", "[", "]", "[12", " ", "  ", "1. ", "e.g. ",
         "3.5 kg", "# ", ": "]
    ),
    max_size=30,
)  # fmt: skip


def parsed(parts: list[str]) -> list[RawSentence]:
    stream = SentenceStream()
    found = [sentence for part in parts for sentence in stream.feed(part)]
    return found + stream.close()


@given(PIECES, st.data())
def test_any_split_gives_the_same_sentences(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    bounds = [0, *cuts, len(text)]
    split = [text[a:b] for a, b in pairwise(bounds)]
    assert parsed(split) == parsed([text]) == parsed(list(text))


@given(st.text(alphabet="ab .[]1\n", max_size=60), st.integers(3_990, 4_010))
def test_endless_text_is_cut_alike(tail: str, length: int) -> None:
    text = "x" * length + tail
    assert parsed([text]) == parsed(list(text)) == parsed([text[:100], text[100:]])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One [1]. Two.[2] Three[1][3].", [("One.", (1,)), ("Two.", (2,)), ("Three.", (1, 3))]),
        ("One. [1] Two. [2]", [("One.", (1,)), ("Two.", (2,))]),
        ("One [1, 2]. Two [1-3]", [("One.", (1, 2)), ("Two", (1, 2, 3))]),
        ("- One [1]\n- Two [2]\n", [("One", (1,)), ("Two", (2,))]),
        ("1. Open it [1]\n2. Close it [1]", [("1. Open it", (1,)), ("2. Close it", (1,))]),
        ("A — 2024: 1,234; 2023: (1,100) [3]\n", [("A — 2024: 1,234; 2023: (1,100)", (3,))]),
        ("No marker. One [1]", [("No marker.", ()), ("One", (1,))]),
        ("Pays R$ 1.234,56 to Dr. Silva [2]. Done [2].",
         [("Pays R$ 1.234,56 to Dr. Silva.", (2,)), ("Done.", (2,))]),
        ("Broken [1", [("Broken [1", ())]),
        ("[1]", []),
        ("", []),
    ],
)  # fmt: skip
def test_sentences_and_markers(text: str, sentences: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(s.text, s.cited) for s in parsed([text])] == sentences


def test_a_sentence_comes_out_when_the_next_word_is_there() -> None:
    stream = SentenceStream()
    assert stream.feed("The limit is 30 days [1]. ") == []
    assert stream.feed("It ") == [RawSentence("The limit is 30 days.", (1,))]
    assert stream.feed("ends") == []
    assert stream.close() == [RawSentence("It ends", ())]


def test_the_marker_behind_the_stop_is_waited_for() -> None:
    stream = SentenceStream()
    found = [s for part in ("One.", " ", "[", "1", "]", " Two. ") for s in stream.feed(part)]
    assert found == [RawSentence("One.", (1,))]
