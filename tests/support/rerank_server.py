"""A small server with vLLM's `/v1/rerank` over real HTTP, and the faults of real ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from assistant.text.words import content_words
from tests.support.company import served

Behaviour = Literal[
    "normal", "silent", "html", "no_key", "broken", "short", "outside", "nan", "trickles"
]


@dataclass
class RerankServer:
    """What the server does next, and what it saw; scores are shares of the question's words."""

    url: str = ""
    behaviour: Behaviour = "normal"
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> FastAPI:
        """Return the ASGI application."""
        app = FastAPI()

        @app.get("/v1/models")
        async def models() -> Response:
            return JSONResponse({"object": "list", "data": [{"id": "judge", "object": "model"}]})

        @app.post("/v1/rerank")
        async def rerank(request: Request) -> Response:
            body = await request.json()
            self.requests.append(body)
            self.headers.append(dict(request.headers))
            if self.behaviour == "silent":
                await asyncio.sleep(2)
            if self.behaviour == "html":
                return PlainTextResponse("<html>a proxy's page</html>")
            if self.behaviour in {"no_key", "broken"}:
                status = 401 if self.behaviour == "no_key" else 500
                return JSONResponse({"error": {"message": self.behaviour}}, status)
            said = _json(self._results(body))
            if self.behaviour == "trickles":
                return StreamingResponse(_trickled(said), media_type="application/json")
            return Response(said, media_type="application/json")

        return app

    def _results(self, body: dict[str, Any]) -> list[tuple[int, str, str]]:
        asked = set(content_words(body["query"]))
        found = []
        for index, text in enumerate(body["documents"]):
            share = len(asked & set(content_words(text))) / max(1, len(asked))
            found.append((index, text, "NaN" if self.behaviour == "nan" else repr(share)))
        found.sort(key=lambda result: result[2], reverse=True)
        if self.behaviour == "short":
            found.pop()
        if self.behaviour == "outside":
            found[0] = (len(found), *found[0][1:])
        return found[: body["top_n"]]


async def _trickled(said: str) -> AsyncIterator[str]:
    """Yield the characters so slowly that a timeout for each would never be reached."""
    for character in said:
        await asyncio.sleep(0.05)
        yield character


def _json(results: list[tuple[int, str, str]]) -> str:
    """Write the answer as vLLM does, best first; JSON proper has no NaN, servers have."""
    listed = ",".join(
        f'{{"index":{index},"document":{json.dumps({"text": text})},"relevance_score":{score}}}'
        for index, text, score in results
    )
    return f'{{"id":"rerank-1","model":"judge","usage":{{"total_tokens":9}},"results":[{listed}]}}'


@contextmanager
def rerank_server() -> Iterator[RerankServer]:
    """Serve on a free port of the loopback."""
    server = RerankServer()
    with served(server.app()) as url:
        server.url = f"{url}/v1"
        yield server
