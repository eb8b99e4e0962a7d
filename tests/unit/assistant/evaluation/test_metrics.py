"""The measures against ir-measures, and containment by example."""

from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from assistant.evaluation import metrics

DOCUMENTS = [f"d{i}" for i in range(30)]


@given(
    st.permutations(DOCUMENTS),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(1, 3), min_size=1, max_size=12),
    st.integers(1, 30),
)
def test_rankings_are_measured_as_ir_measures_does(
    ranked: list[str], judged: dict[str, int], depth: int
) -> None:
    ranked = ranked[:depth]
    qrels = [ir_measures.Qrel("q", document, grade) for document, grade in judged.items()]
    run = [ir_measures.ScoredDoc("q", d, float(-rank)) for rank, d in enumerate(ranked)]
    theirs = ir_measures.calc_aggregate([nDCG @ 10, RR @ 10, R @ 10], qrels, run)
    grades = {document: float(grade) for document, grade in judged.items()}
    assert metrics.ndcg(ranked, grades) == pytest.approx(theirs[nDCG @ 10])
    assert metrics.reciprocal_rank(ranked, judged) == pytest.approx(theirs[RR @ 10])
    capped = theirs[R @ 10] * len(judged) / min(len(judged), 10)
    assert metrics.recall(ranked, judged) == pytest.approx(capped)


def test_nothing_found_or_nothing_to_find_is_zero() -> None:
    assert metrics.ndcg([], {"a": 1.0}) == metrics.ndcg(["a"], {}) == 0
    assert metrics.recall([], {"a"}) == metrics.recall(["a"], set()) == 0
    assert metrics.reciprocal_rank(["b"] * 10 + ["a"], {"a"}) == 0
    assert metrics.mean([]) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Net income was R$ 1,234.5 million.", "r$ 1.234,50 MILLION"),
        ("O prazo é de 30 dias.", "30 dias"),
        ("A devolução é aceita.", "devolucao"),
        ("In all 40,215 units", "40.215 units"),
        ("a total of 1 234 567,80 reais".replace("1 234 567", "1\u00a0234\u00a0567"), "1234567.8"),
        ("Yes, it does.", "yes"),
    ],
)
def test_an_answer_is_found_in_other_words_case_and_numbers(text: str, answer: str) -> None:
    assert metrics.contains_answer(text, ["something else entirely", answer])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The yesterday paper", "yes"),
        ("130 dias", "30 dias"),
        ("1.5 million", "15 million"),
        ("anything", ""),
        ("", "anything"),
    ],
)
def test_a_part_of_a_word_or_another_number_is_no_answer(text: str, answer: str) -> None:
    assert not metrics.contains_answer(text, [answer])
