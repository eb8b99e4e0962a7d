from __future__ import annotations

from contextlib import ExitStack

import pytest

from assistant.api.problems import Overloaded
from assistant.api.slots import RETRY_S, Slots


def test_one_more_than_there_are_is_refused_and_told_when_to_come_back() -> None:
    slots = Slots(2)
    with ExitStack() as held:
        held.enter_context(slots.taken())
        held.enter_context(slots.taken())
        with pytest.raises(Overloaded, match=f"ask again in {RETRY_S} s") as refused, slots.taken():
            pytest.fail("a third slot")
        assert refused.value.retry_after_s == RETRY_S
        assert slots.n_taken == 2
    assert slots.n_taken == 0


def test_a_slot_comes_back_whatever_happens() -> None:
    slots = Slots(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), slots.taken():
            raise ZeroDivisionError
    assert slots.n_taken == 0
