"""How often a login may be tried."""

from __future__ import annotations

import threading

import pytest

from assistant.api import throttle
from assistant.api.problems import TooManyRequests
from assistant.api.throttle import SignInThrottle


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_tries_come_back_one_by_one_as_they_leave_the_window() -> None:
    clock = Clock()
    guard = SignInThrottle(3, 60, clock)
    for _ in range(3):
        guard.attempt("ana")
        clock.now += 10
    with pytest.raises(TooManyRequests) as refused:
        guard.attempt("ana")
    assert refused.value.retry_after_s == 30
    clock.now += 30
    guard.attempt("ana")
    with pytest.raises(TooManyRequests):
        guard.attempt("ana")


def test_a_success_starts_anew_and_others_are_not_concerned() -> None:
    guard = SignInThrottle(2)
    guard.attempt("ana")
    guard.attempt(" ANA ")
    guard.attempt("bruno")
    with pytest.raises(TooManyRequests):
        guard.attempt("ana")
    guard.succeeded("Ana")
    guard.attempt("ana")


def test_tries_at_the_same_time_do_not_all_pass() -> None:
    guard = SignInThrottle(5)
    passed: list[int] = []

    def attempt(number: int) -> None:
        try:
            guard.attempt("ana")
        except TooManyRequests:
            return
        passed.append(number)

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 5


def test_it_remembers_a_limited_number_of_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_LOGINS", 3)
    guard = SignInThrottle(1)
    for login in "abcd":
        guard.attempt(login)
    guard.attempt("a")
    with pytest.raises(TooManyRequests):
        guard.attempt("d")
