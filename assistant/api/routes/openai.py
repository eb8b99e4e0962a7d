"""Chat completions for OpenAI's clients, streamed or whole, under the caller's own rights.

Citations are `url_citation` annotations of the message, whose indices span the `[n]` marker; the
extension field `assistant` of the completion (of a stream's last chunk) has them in full.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from assistant.api import problems
from assistant.api.completion import Completion
from assistant.api.deps import Asker, StateOf
from assistant.api.exchange import Exchange
from assistant.api.history import N_TURNS
from assistant.api.schemas.openai import MODEL, ChatRequest, Model, ModelList
from assistant.domain import Question
from assistant.errors import NotFound

router = APIRouter(prefix="/v1", tags=["openai"])

Json = dict[str, Any]


async def opened(
    state: StateOf, caller: Asker, asked: ChatRequest
) -> AsyncIterator[tuple[ChatRequest, Exchange]]:
    """Give a request with its exchange to the route, closed when the response has ended."""
    if asked.model != MODEL:
        raise NotFound(f"There is no such model; use {MODEL!r}.")
    question = Question(
        text=asked.checked().question(), caller=caller, history=asked.turns()[-N_TURNS:]
    )
    with state.slots.taken():
        exchange = Exchange(state.assistant, question)
        try:
            await exchange.open()
            yield asked, exchange
        finally:
            await exchange.close()


@router.post("/chat/completions", response_class=JSONResponse)
async def complete(
    request: Request, opened: Annotated[tuple[ChatRequest, Exchange], Depends(opened)]
) -> Response:
    """Answer the last message with verified citations."""
    asked, exchange = opened
    completion = Completion()
    if asked.stream:
        with_usage = asked.stream_options is not None and asked.stream_options.include_usage
        chunks = completion.chunks(exchange, with_usage=with_usage)
        return EventSourceResponse(_wire(chunks, request.url.path))
    answer = await exchange.answer(request)
    return JSONResponse(completion.whole(answer, exchange.usage))


@router.get("/models")
def models(caller: Asker) -> ModelList:
    """List the one model there is."""
    del caller
    return ModelList()


@router.get("/models/{model_id}")
def model(caller: Asker, model_id: str) -> Model:
    """Return the one model there is."""
    del caller
    if model_id != MODEL:
        raise NotFound(f"There is no such model; use {MODEL!r}.")
    return Model()


async def _wire(chunks: AsyncIterator[Json], path: str) -> AsyncIterator[bytes]:
    """Write chunks as server-sent events; an error is the last one, else `[DONE]`."""
    async for name, body in problems.caught((("chunk", chunk) async for chunk in chunks), path):
        if name == "problem":
            yield format_sse_event(data_str=json.dumps(problems.openai_error(body)))
            return
        yield format_sse_event(data_str=json.dumps(body))
    yield format_sse_event(data_str="[DONE]")
