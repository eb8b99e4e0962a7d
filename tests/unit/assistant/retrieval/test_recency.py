"""Which questions ask for the latest, and what that changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.retrieval.recency import Dated, asks_for_latest, newest_first

OLD = Dated("Travel policy", "Hotel nights are paid up to 120 euros a night.", date(2023, 1, 1))
NEW = Dated("Travel policy", "Hotel nights are paid up to 150 euros a night.", date(2025, 1, 1))
ELSE = Dated("Canteen", "The canteen opens at noon.", date(2026, 1, 1))
QUESTION = "What is the latest hotel limit?"


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        "Show me the most recent audit report",
        "Which version of the policy is current?",
        "Qual é a última versão da política de viagens?",
        "Qual o relatório mais recente?",
        "Qual é o limite atual do hotel?",
        "Que tabela de tarifas está vigente?",
    ],
)
def test_questions_for_the_latest(question: str) -> None:
    assert asks_for_latest(question)


@pytest.mark.parametrize(
    "question",
    [
        "What does the 2023 policy say?",
        "What was the latest policy of 2023?",
        "What is the fee of a current account?",
        "How do the current and the previous policy differ?",
        "Qual era a política anterior à atual?",
        "Quanto gastei nos últimos 12 meses?",
        "How long is the guarantee?",
    ],
)
def test_other_questions(question: str) -> None:
    assert not asks_for_latest(question)
    assert newest_first(question, [OLD, NEW]) == [0, 1]


def test_the_newest_of_alike_passages_comes_first() -> None:
    assert newest_first(QUESTION, [OLD, ELSE, NEW]) == [2, 1, 0]
    assert newest_first(QUESTION, [NEW, OLD, ELSE]) == [0, 1, 2]


def test_passages_without_a_day_keep_their_place() -> None:
    undated = Dated(OLD.title, OLD.text, None)
    assert newest_first(QUESTION, [undated, OLD, NEW]) == [0, 2, 1]


@given(
    st.lists(st.sampled_from([OLD, NEW, ELSE]), max_size=20),
    st.lists(st.none() | st.dates(), min_size=20, max_size=20),
)
def test_nothing_is_lost_and_nothing_strange_is_overtaken(
    passages: list[Dated], days: list[date | None]
) -> None:
    found = [replace(p, day=day) for p, day in zip(passages, days, strict=False)]
    order = newest_first(QUESTION, found)
    assert sorted(order) == list(range(len(found)))
    assert [found[i].title for i in order] == [passage.title for passage in found]
