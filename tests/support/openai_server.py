"""A small server that speaks the OpenAI chat protocol over real HTTP, with the faults of real ones.

It records what it was sent, and notices when a client leaves in the middle of a stream.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

Behaviour = Literal[
    "normal",
    "slow",
    "silent",
    "garbage",
    "html",
    "drops",
    "breaks_off",
    "page",
    "no_salt",
    "no_key",
    "overloaded",
    "long",
]
_STATUS = {"no_key": 401, "overloaded": 429}


@dataclass
class OpenAIServer:
    """What the server does next, and what it saw; `pieces` are the tokens of every answer."""

    url: str = ""
    behaviour: Behaviour = "normal"
    pieces: list[str] = field(default_factory=lambda: ["The notice ", "period is ", "30 days [1]."])
    models: list[str] = field(default_factory=lambda: ["tiny"])
    raw: str = ""
    """What is sent as the first event's data, if anything."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    n_active: int = 0

    def app(self) -> FastAPI:
        """Return the ASGI application."""
        app = FastAPI()

        @app.get("/v1/models")
        async def models() -> Response:
            if self.behaviour == "html":
                return PlainTextResponse("<html>a proxy's page</html>")
            if self.behaviour == "silent":
                await asyncio.sleep(30)
            listed = [{"id": name, "object": "model"} for name in self.models]
            return JSONResponse({"object": "list", "data": listed})

        @app.post("/v1/chat/completions")
        async def complete(request: Request) -> Response:
            body = await request.json()
            self.requests.append(body)
            self.headers.append(dict(request.headers))
            if self.behaviour == "page":
                return PlainTextResponse("<html>a proxy's page</html>", media_type="text/html")
            return self._refusal(body) or StreamingResponse(
                self._stream(), media_type="text/event-stream"
            )

        return app

    def _refusal(self, body: dict[str, Any]) -> Response | None:
        message = ""
        if self.behaviour == "no_salt" and "cache_salt" in body:
            message = "Extra inputs are not permitted: cache_salt"
        if self.behaviour == "long":
            message = "This model's maximum context length is 4096 tokens."
        if self.behaviour in _STATUS:
            return _error(_STATUS[self.behaviour], self.behaviour)
        return _error(400, message) if message else None

    async def _stream(self) -> AsyncIterator[str]:
        self.n_active += 1
        finished = False
        try:
            if self.behaviour == "silent":
                await asyncio.sleep(30)
            if raw := "{this is no JSON" if self.behaviour == "garbage" else self.raw:
                yield f"data: {raw}\n\n"
            for n, piece in enumerate(self.pieces):
                if self.behaviour == "drops" and n == 1:
                    raise ConnectionResetError
                if self.behaviour == "breaks_off" and n == 1:
                    yield f"data: {json.dumps(_problem('<b>out of blocks</b>'))}\n\n"
                    break
                if self.behaviour == "slow" and n:
                    await asyncio.sleep(30)
                yield _event({"choices": [_choice(piece)]})
            usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
            yield _event({"choices": [_choice("", "stop")]})
            yield _event({"choices": [], "usage": usage})
            yield "data: [DONE]\n\n"
            finished = True
        finally:
            self.n_active -= 1
            if not finished:
                self.disconnected.set()


def _choice(text: str, reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}


def _event(values: dict[str, Any]) -> str:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "tiny", **values}
    # A sign of life, as proxies send it, and a character that ends no line of an event stream.
    data = json.dumps(chunk).replace("\\u2028", "\u2028")
    return f": ping\n\ndata: {data}\n\n"


def _problem(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid"}}


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse(_problem(message), status_code=status)


@contextmanager
def serving(server: OpenAIServer) -> Iterator[OpenAIServer]:
    """Run the server on a free loopback port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(server.app(), log_level="critical", lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    try:
        yield server
    finally:
        running.should_exit = True
        running.force_exit = True
        thread.join(timeout=10)
        listener.close()
