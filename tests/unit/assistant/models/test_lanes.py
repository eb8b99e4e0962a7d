"""Lanes: all work is done, a little of it at a time, and failures come out."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from assistant.models.embedder import by_length
from assistant.models.lanes import Lanes


def test_each_piece_comes_back_with_what_was_made_of_it() -> None:
    lanes = Lanes(2, lambda: None)
    assert dict(lanes.run(lambda n: n * n, range(20))) == {n: n * n for n in range(20)}
    assert list(lanes.run(lambda n: n, [])) == []


def test_pieces_are_taken_no_faster_than_they_are_done() -> None:
    taken = 0

    def pieces() -> Iterator[int]:
        nonlocal taken
        for number in range(10):
            taken += 1
            yield number

    for done, _ in enumerate(Lanes(3, lambda: None).run(lambda n: n, pieces()), 1):
        assert taken <= done + 3


def test_lanes_work_side_by_side_and_are_set_up_once() -> None:
    entered: list[int] = []
    meeting = threading.Barrier(2, timeout=60)
    lanes = Lanes(2, lambda: entered.append(threading.get_ident()))
    met = [found for _, found in lanes.run(lambda _: meeting.wait(), range(8))]
    assert len(met) == 8
    assert len(set(entered)) == len(entered) == 2


def test_others_wait_for_one_piece_not_for_all() -> None:
    lanes = Lanes(1, lambda: None)
    order: list[str] = []
    much = lanes.run(order.append, (str(n) for n in range(5)))
    next(much)
    list(lanes.run(order.append, ["question"]))
    list(much)
    assert order == ["0", "question", "1", "2", "3", "4"]


def test_a_failure_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        list(Lanes(2, lambda: None).run(lambda n: 1 // n, [1, 0, 1]))


def test_few_texts_are_shared_by_the_lanes() -> None:
    assert list(by_length([3, 9, 5, 7], 1_000, 2)) == [[1, 3], [2, 0]]
    assert list(by_length([3], 1_000, 2)) == [[0]]
