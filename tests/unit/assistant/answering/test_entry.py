"""Askers who leave at the moments in which the audit log is being written."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import pytest

from assistant.answering.entry import LEFT, Entry
from assistant.answering.record import Record
from assistant.domain import Answer, Question
from assistant.errors import AuditUnavailable

ANSWER = cast("Answer", object())


class SlowRecord:
    """Remembers what is written; a step that is held waits for `go`, in its thread."""

    def __init__(self, held: str = "", fails: str = "") -> None:
        self.written: list[str] = []
        self.held, self.fails = held, fails
        self.reached, self.go = threading.Event(), threading.Event()

    def prompted(self, *_: object) -> str:
        self._write("prompted")
        return "q1"

    def finished(self, query_id: str, *_: object) -> Answer:
        self._write(f"finished {query_id}")
        return ANSWER

    def aborted(self, query_id: str, _: object, reason: str) -> None:
        self._write(f"aborted {query_id} {reason}")

    def _write(self, what: str) -> None:
        if self.held and what.startswith(self.held):
            self.reached.set()
            assert self.go.wait(10)
        if self.fails and what.startswith(self.fails):
            raise AuditUnavailable()
        self.written.append(what)


async def story(record: SlowRecord) -> None:
    """What an answer does with its entry."""
    unused: Any = None
    entry = Entry(cast("Record", record), cast("Question", unused))
    await entry.begin(unused, unused, "model")
    try:
        await entry.finish(ANSWER)
    except asyncio.CancelledError:
        await asyncio.shield(entry.abort(LEFT))
        raise
    except AuditUnavailable as error:
        await entry.abort(error.slug)
        raise


async def left_at(record: SlowRecord) -> None:
    """Leave when the held step is reached, let it go on, and wait until all is written."""
    asking = asyncio.create_task(story(record))
    await asyncio.to_thread(record.reached.wait, 10)
    asking.cancel()
    await asyncio.sleep(0)
    asking.cancel()  # as often as the server likes
    record.go.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    while others := asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}:
        await asyncio.wait(others)


def test_an_answer_is_begun_and_finished() -> None:
    record = SlowRecord()
    asyncio.run(story(record))
    assert record.written == ["prompted", "finished q1"]


def test_who_leaves_while_the_beginning_is_written_is_recorded_to_have_left() -> None:
    record = SlowRecord(held="prompted")
    asyncio.run(left_at(record))
    assert record.written == ["prompted", f"aborted q1 {LEFT}"]


def test_who_leaves_while_the_end_is_written_has_their_answer() -> None:
    record = SlowRecord(held="finished")
    asyncio.run(left_at(record))
    assert record.written == ["prompted", "finished q1"]


def test_nothing_is_ended_that_was_not_begun() -> None:
    record = SlowRecord(held="prompted", fails="prompted")
    asyncio.run(left_at(record))
    assert record.written == []


def test_an_end_that_can_not_be_written_is_an_abort() -> None:
    record = SlowRecord(fails="finished")
    with pytest.raises(AuditUnavailable):
        asyncio.run(story(record))
    assert record.written == ["prompted", "aborted q1 audit-unavailable"]
