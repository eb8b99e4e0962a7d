"""One question on its way to its answer, as the routes follow it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, cast

from fastapi import Request

from assistant.answering.transcript import answer_json, citation_json, withheld_json
from assistant.api import history
from assistant.api.schemas.questions import Ask
from assistant.domain import (
    Answer,
    AnswerEvent,
    Caller,
    Delta,
    Done,
    Question,
    Sentence,
    Status,
    Turn,
    Usage,
    Withheld,
    Writing,
)
from assistant.errors import AssistantError, NotFound
from assistant.store import conversations
from assistant.wiring import Assistant

Json = dict[str, Any]

N_TITLE = 80


class ClientLeft(AssistantError):
    """The client closed the connection before the answer was complete."""

    slug = "client-left"
    status = 499


class Exchange:
    """A question and the events of its answer; `close` it whatever happens.

    `open` runs it up to the moment before the generator starts, so that what prevents an answer
    is raised there. Closing stops the generator, records that, and takes back a conversation
    that this question had begun and that never got its answer.
    """

    def __init__(self, assistant: Assistant, question: Question, *, is_new: bool = False) -> None:
        self.question = question
        self._assistant = assistant
        self._is_new = is_new
        self._is_done = False
        self.usage: Usage | None = None
        self._events = assistant.answerer.answer(question)
        self._first: deque[AnswerEvent] = deque()

    async def open(self) -> None:
        """Search, read and record the prompt; raises `AssistantError`."""
        async for event in self._events:
            self._first.append(event)
            if not isinstance(event, Status) or event.step == "answering":
                return

    async def events(self) -> AsyncIterator[AnswerEvent]:
        """Yield what happens, from the beginning."""
        while self._first:
            yield self._seen(self._first.popleft())
        async for event in self._events:
            yield self._seen(event)

    async def answer(self, request: Request) -> Answer:
        """Return the whole answer; raises `ClientLeft` once nobody waits for it."""
        collecting = asyncio.create_task(self._collected())
        leaving = asyncio.create_task(_left(request))
        try:
            await asyncio.wait({collecting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not collecting.done():
                raise ClientLeft()
            return collecting.result()
        finally:
            for task in (collecting, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, AssistantError):
                    await task

    async def close(self) -> None:
        """Stop what still runs."""
        await self._events.aclose()  # type: ignore[attr-defined]
        if self._is_new and not self._is_done:
            await asyncio.to_thread(self._take_back)

    async def _collected(self) -> Answer:
        async for event in self.events():
            if isinstance(event, Done):
                return event.answer
        raise AssistantError("The answer ended without a result; ask again.")

    def _seen(self, event: AnswerEvent) -> AnswerEvent:
        if isinstance(event, Usage):
            self.usage = event
        self._is_done = self._is_done or isinstance(event, Done)
        return event

    def _take_back(self) -> None:
        with suppress(NotFound), self._assistant.database.begin() as conn:
            conversations.delete_conversation(
                conn, self.question.caller.person_id, cast("str", self.question.conversation_id)
            )


def exchange(assistant: Assistant, caller: Caller, ask: Ask) -> Exchange:
    """Prepare a question within its conversation, or in a new one.

    Raises `NotFound` for a foreign conversation and a missing one alike.
    """
    conversation_id = ask.conversation_id
    with assistant.database.begin() as conn:
        if conversation_id is None:
            turns: tuple[Turn, ...] = ()
            title = " ".join(ask.question.split())[:N_TITLE]
            started = conversations.start_conversation(conn, caller.person_id, title)
        else:
            max_age_s = assistant.settings.sync.acl_max_age_s
            turns = history.turns(conn, caller, conversation_id, max_age_s)
            started = conversation_id
    question = Question(
        text=ask.question,
        caller=caller,
        history=turns,
        metadata=ask.filters.as_metadata(),
        conversation_id=started,
        lang=ask.lang,
    )
    return Exchange(assistant, question, is_new=conversation_id is None)


def answer_body(answer: Answer, question: Question) -> Json:
    """Return an answer as clients receive it."""
    return {
        "id": answer.message_id,
        "conversation_id": question.conversation_id,
        **answer_json(answer, question.text),
        "withheld": [_withheld(sentence) for sentence in answer.withheld],
    }


async def named(exchange: Exchange) -> AsyncIterator[tuple[str, Json]]:
    """Yield the events of the stream by name; a citation comes before the sentence that uses it."""
    shown: set[int] = set()
    async for event in exchange.events():
        if isinstance(event, Delta):
            for citation in event.sentence.citations:
                if citation.n not in shown:
                    shown.add(citation.n)
                    yield "citation", citation_json(citation)
        yield _named(event, exchange.question)


def _named(event: AnswerEvent, question: Question) -> tuple[str, Json]:
    match event:
        case Status(step, detail):
            return "status", {"step": step, "detail": detail}
        case Writing(n_characters):
            return "writing", {"n_characters": n_characters}
        case Delta(sentence):
            return "delta", {
                "text": sentence.text,
                "citations": [citation.n for citation in sentence.citations],
            }
        case Withheld(sentence):
            return "verdict", _withheld(sentence)
        case Usage(generator, n_prompt_tokens, n_completion_tokens, first_token_s):
            return "usage", {
                "generator": generator,
                "n_prompt_tokens": n_prompt_tokens,
                "n_completion_tokens": n_completion_tokens,
                "first_token_s": first_token_s,
            }
        case Done(answer):
            return "done", answer_body(answer, question)


def _withheld(sentence: Sentence) -> Json:
    """Describe a withheld sentence; what it took from a passage that was revoked stays out."""
    body = withheld_json(sentence)
    return {**body, "text": ""} if sentence.verdict == "not_permitted" else body


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
