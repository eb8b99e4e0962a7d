"""A model server of the OpenAI protocol that writes at a set pace and tells what it overheard.

    python -m benchmarks.paced --port N [--rate TOKENS_PER_SECOND] [--tokens N]

It quotes the passages of its prompt, with their numbers. In every other answer it adds a sentence
of a prompt that somebody else sent: a server whose cache mixes up its callers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

MODEL = "paced"

_PASSAGE = re.compile(r"<<\w+ \[(\d+)\] ([0-9a-f]{32})>>\n[^\n]*\n(.*?)\n<<\2>>", re.DOTALL)
_END = re.compile(r"(?<=\.)\s+")
_PIECE = re.compile(r"\S+\s*")


@dataclass
class Model:
    """The model; `overheard` are sentences of the prompts so far, by the salt of the sender."""

    rate: float
    n_tokens: int
    n_asked: int = 0
    overheard: list[tuple[str, str]] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def answer(self, prompt: str, salt: str) -> list[str]:
        """Return the pieces of an answer to a prompt."""
        self.n_asked += 1
        passages = [(n, text.strip()) for n, _, text in _PASSAGE.findall(prompt)]
        lines = [f"{said} [{n}]" for n, text in passages for said in _END.split(text)]
        foreign = [text for sender, text in self.overheard if sender != salt]
        if foreign and self.n_asked % 2:
            lines.insert(self.rng.randrange(len(lines) + 1), f"{self.rng.choice(foreign)} [1]")
        self.overheard = [*self.overheard, *((salt, text) for _, text in passages)][-200:]
        return _PIECE.findall("\n".join(lines))[: self.n_tokens]

    async def stream(self, pieces: list[str]) -> AsyncIterator[str]:
        """Yield the events of an answer, each when it is due."""
        clock = asyncio.get_running_loop().time
        began = clock()
        for n, piece in enumerate(pieces):
            await asyncio.sleep(max(0.0, began + n / self.rate - clock()))
            yield _event([_choice(piece)])
        usage = {"prompt_tokens": 700, "completion_tokens": len(pieces), "total_tokens": 0}
        yield _event([_choice("", "stop")])
        yield _event([], usage=usage)
        yield "data: [DONE]\n\n"


def app(model: Model) -> FastAPI:
    """Return the server."""
    served = FastAPI()

    @served.get("/v1/models")
    async def models() -> JSONResponse:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    @served.post("/v1/chat/completions")
    async def complete(request: Request) -> StreamingResponse:
        body = await request.json()
        pieces = model.answer(str(body["messages"][-1]["content"]), str(body.get("cache_salt")))
        return StreamingResponse(model.stream(pieces), media_type="text/event-stream")

    return served


def _choice(text: str, reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}


def _event(choices: list[dict[str, Any]], **more: Any) -> str:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n"


def main() -> None:
    """Serve on the loopback until told to stop."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--tokens", type=int, default=120)
    asked = parser.parse_args()
    served = app(Model(asked.rate, asked.tokens))
    uvicorn.run(served, host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
