"""Asking: the answer as a stream of events, or whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from assistant.api import problems
from assistant.api.deps import Asker, StateOf
from assistant.api.exchange import Exchange, answer_body, exchange, named
from assistant.api.schemas.questions import AnswerBody, Ask

router = APIRouter(tags=["chat"])

STREAM = """The events of the stream, each with JSON `data`: `status` (step, detail), `writing`
(n_characters: the model is at a sentence that is not verified yet), `citation` (before the first
delta that uses its number), `delta` (text, citations: one verified sentence), `verdict` (a
withheld sentence), `usage`, and last `done` (the whole answer) or `problem`
(RFC 9457). What prevents an answer before the generator starts is an HTTP status instead."""


async def opened(state: StateOf, caller: Asker, ask: Ask) -> AsyncIterator[Exchange]:
    """Give a question's exchange to a route and close it when the response has ended."""
    with state.slots.taken():
        begun = await asyncio.to_thread(exchange, state.assistant, caller, ask)
        try:
            await begun.open()
            yield begun
        finally:
            await begun.close()


Opened = Annotated[Exchange, Depends(opened)]


@router.post(
    "/v1/chat", response_class=EventSourceResponse, responses={200: {"description": STREAM}}
)
async def chat(request: Request, opened: Opened) -> AsyncIterator[ServerSentEvent]:
    """Answer a question with verified citations, sentence by sentence."""
    async for name, data in problems.caught(named(opened), request.url.path):
        yield ServerSentEvent(event=name, data=data)


@router.post("/v1/answers", response_model=AnswerBody)
async def answers(request: Request, opened: Opened) -> dict[str, Any]:
    """Answer a question with verified citations."""
    return answer_body(await opened.answer(request), opened.question)
