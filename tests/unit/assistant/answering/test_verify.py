from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.citations import RawSentence
from assistant.answering.verify import best_support, spans, verify
from assistant.domain import ChunkId, DocumentId, Passage, Sentence
from assistant.text.words import words

TEXT = (
    "The notice period is 30 days for employees. Managers give 60 days' notice. "
    "Contractors do not need to give notice.\n"
    "Amoxicillin — dose: 500 mg; interval: 8 hours"
)
PASSAGE = Passage(
    1,
    ChunkId(1),
    DocumentId("d"),
    1,
    "Notice periods 2025",
    "",
    TEXT,
    "",
    1.0,
    "en",
    heading=("HR",),
)
OTHER = replace(
    PASSAGE, n=2, chunk_id=ChunkId(2), title="Travel", heading=(),
    text="Trips above R$ 5.000 need the director's approval. Taxis are paid back within a week.",
)  # fmt: skip
PASSAGES = {1: PASSAGE, 2: OTHER}


def checked(text: str, *cited: int) -> Sentence:
    return verify(RawSentence(text, cited), PASSAGES)


FIRST = "The notice period is 30 days for employees."
ROW = "Amoxicillin — dose: 500 mg; interval: 8 hours"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (FIRST, FIRST),
        (ROW, ROW),
        ("the notice period is 30 days", "The notice period is 30 days"),
        ("Employees have a notice period of 30 days.", FIRST),
        ("In 2025 the notice period for managers is 60 days.", "Managers give 60 days' notice."),
        ("Contractors do not need to give notice.", "Contractors do not need to give notice."),
    ],
)
def test_verified_with_its_quote(text: str, quote: str) -> None:
    sentence = checked(text, 1)
    assert (sentence.verdict, sentence.reason) == ("verified", "")
    (citation,) = sentence.citations
    assert citation.quote == quote
    assert citation.quote == citation.passage.text[citation.start : citation.end]


@pytest.mark.parametrize(
    ("text", "cited", "verdict", "reason"),
    [
        ("The notice period is 30 days.", (), "no_citation", "no passage"),
        ("The notice period is 30 days.", (7,), "not_permitted", r"\[7\]"),
        ("The notice period is 45 days for employees.", (1,), "number_mismatch", "45 days"),
        ("Amoxicillin dose: 500 g, interval: 8 hours", (1,), "number_mismatch", "500 g"),
        ("Employees get a bonus at Christmas.", (1,), "unsupported", "does not say"),
        ("The notice period is 30 days for employees.", (2,), "unsupported", "does not say"),
        ("Contractors need to give notice.", (1,), "unsupported", "opposite"),
        ("Managers do not give 60 days' notice.", (1,), "unsupported", "opposite"),
        ("Yes.", (1,), "unsupported", "does not say"),
    ],
)
def test_withheld_with_a_reason(
    text: str, cited: tuple[int, ...], verdict: str, reason: str
) -> None:
    sentence = checked(text, *cited)
    assert sentence.verdict == verdict
    assert all(citation.verdict == verdict for citation in sentence.citations)
    assert re.search(reason, sentence.reason)


def test_words_meet_across_languages() -> None:
    portuguese = RawSentence("O aviso dos contratados: 30 dias.", (1,))
    english = replace(PASSAGE, text="Notice of contractors: 30 days. Managers: 60 days.")
    found = best_support(portuguese.text, english)
    assert found.quote == "Notice of contractors: 30 days."
    assert verify(portuguese, {1: english}).verdict == "verified"
    wrong = RawSentence("O aviso dos contratados: 45 dias.", (1,))
    assert verify(wrong, {1: english}).verdict == "number_mismatch"


def test_citations_that_do_not_support_are_dropped() -> None:
    sentence = checked("The notice period is 30 days for employees.", 2, 1, 9)
    assert [citation.n for citation in sentence.citations] == [1]


def test_two_passages_may_support_one_sentence_together() -> None:
    sentence = checked("Managers give 60 days' notice; taxis are paid back within a week.", 1, 2)
    assert (sentence.verdict, [c.n for c in sentence.citations]) == ("verified", [1, 2])


def test_the_embedder_decides_between_and_rescues_nothing_foreign() -> None:
    def similarity(text: str, others: Sequence[str]) -> Sequence[float]:
        return [0.95 if "Managers" in other else 0.70 for other in others]

    close = RawSentence("Managers must give notice two months before.", (1,))
    found = best_support(close.text, PASSAGE, similarity)
    assert "Managers" in found.quote
    assert verify(close, PASSAGES, "", lambda text, others: [0.70] * len(others)).verdict == (
        "unsupported"
    )
    foreign = RawSentence("Bananas ripen in the sun.", (1,))
    assert verify(foreign, PASSAGES, "", similarity).verdict == "unsupported"


@given(st.text(max_size=200), st.text(min_size=1, max_size=80))
def test_quotes_are_always_spans_of_their_passage(text: str, claim: str) -> None:
    passage = replace(PASSAGE, text=text)
    sentence = verify(RawSentence(claim, (1,)), {1: passage})
    for citation in sentence.citations:
        assert citation.quote == text[citation.start : citation.end]


@given(st.text(alphabet="abcde .\n", max_size=120))
def test_every_span_of_a_passage_verifies_verbatim(text: str) -> None:
    passage = replace(PASSAGE, text=text)
    for start, end in spans(text):
        sentence = verify(RawSentence(text[start:end].replace("\n", " "), (1,)), {1: passage})
        assert sentence.verdict == "verified" or len(words(text[start:end])) < 3


def test_a_passage_without_the_figure_is_not_cited_beside_one_that_has_it() -> None:
    older = replace(PASSAGE, n=2, chunk_id=ChunkId(2), text=TEXT.replace("30", "20"))
    sentence = verify(RawSentence(FIRST, (1, 2)), {1: PASSAGE, 2: older})
    assert [c.passage.n for c in sentence.citations] == [1]
