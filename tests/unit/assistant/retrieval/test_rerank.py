"""How a reranker's order and the search's become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.errors import ModelUnavailable
from assistant.retrieval.rerank import PAUSE_S, Reranking, Text, blended


class LongestFirst:
    """Finds the longest text the best; reads English."""

    name = "longest"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.is_down = False

    def reads(self, lang: str) -> bool:
        return lang == "en"

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        if self.is_down:
            raise ModelUnavailable("down")
        return np.array([len(text) for text in texts], np.float32)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def english(*texts: str) -> list[Text]:
    return [Text(text, "en") for text in texts]


def test_both_orders_count() -> None:
    assert blended([1, 2, 3]) == [0, 2, 1]
    assert blended([3, 2, 1]) == [0, 1, 2]
    assert blended([1, 3, 2, 0]) == [1, 0, 2, 3]
    assert blended([]) == []


@given(st.lists(st.floats(-50, 50), max_size=30))
def test_nothing_is_lost_and_agreement_is_kept(scores: list[float]) -> None:
    order = blended(scores)
    assert sorted(order) == list(range(len(scores)))
    assert blended(sorted(scores, reverse=True)) == list(range(len(scores)))
    for better in range(len(scores)):
        for worse in range(better + 1, len(scores)):
            if scores[better] >= scores[worse]:
                assert order.index(better) < order.index(worse)


def test_only_the_first_few_change_places() -> None:
    judge = LongestFirst()
    found = english("a", "bb", "ccc", "dddd")
    assert Reranking(judge, 2).order("q", "en", found) == [0, 1, 2, 3]
    assert judge.asked == [["a", "bb"]]
    assert Reranking(judge, 3).order("q", "en-GB", found) == [0, 2, 1, 3]


def test_a_language_that_the_model_can_t_read_keeps_its_places() -> None:
    judge = LongestFirst()
    found = [Text("ccc", "pt"), *english("a", "bb", "cccc"), Text("d" * 9, "pt")]
    assert Reranking(judge).order("q", "en", found) == [0, 1, 3, 2, 4]
    assert judge.asked == [["a", "bb", "cccc"]]
    assert Reranking(judge).order("pergunta", "pt", found) == [0, 1, 2, 3, 4]
    assert Reranking(judge).order("?", "", found) == [0, 1, 2, 3, 4]
    assert Reranking(judge).order("q", "en", found[:2]) == [0, 1]
    assert len(judge.asked) == 1


def test_a_reranker_that_fails_is_left_out_and_left_alone_for_a_while(
    capsys: pytest.CaptureFixture[str],
) -> None:
    judge, clock = LongestFirst(), Clock()
    reranking = Reranking(judge, clock=clock)
    found = english("a", "bb", "ccc")
    judge.is_down = True
    assert reranking.order("the question", "en", found) == [0, 1, 2]
    assert (reranking.n_failures, reranking.n_skipped) == (1, 0)
    judge.is_down = False
    clock.now = PAUSE_S - 1
    assert reranking.order("the question", "en", found) == [0, 1, 2]
    assert (len(judge.asked), reranking.n_skipped) == (1, 1)
    clock.now = PAUSE_S
    assert reranking.order("the question", "en", found) == [0, 2, 1]
    printed = "".join(capsys.readouterr())
    assert "the question" not in printed
