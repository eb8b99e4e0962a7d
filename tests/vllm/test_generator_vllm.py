"""Our generator against a real vLLM server: what a fake can't show."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import httpx
import pytest

from assistant.answering.citations import SentenceStream
from assistant.answering.prompt import build
from assistant.answering.verify import verify
from assistant.domain import ChunkId, DocumentId, Passage, Sentence
from assistant.errors import DeadlineExceeded
from assistant.models.generator import OpenAIGenerator
from assistant.ports import Prompt, Token
from assistant.settings import GeneratorSettings
from tests.vllm.server import MODEL_NAME, VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

PASSAGE = Passage(
    1, ChunkId(1), DocumentId("d"), 1, "Notice periods", "",
    "The notice period for suppliers is 30 days. Employees give 60 days' notice.", "", 1.0, "en",
)  # fmt: skip


def prompt(question: str = "How long is the notice period for suppliers?") -> Prompt:
    return build(question, "en", [PASSAGE], "principals-of-ana")


def endless_prompt() -> Prompt:
    """Return what makes the small model repeat itself until it is stopped (temperature 0)."""
    question = "Escreva uma longa história sobre os fornecedores, com todos os detalhes."
    return build(question, "pt", [PASSAGE], "principals-of-ana", nonce="0" * 32)


def generator(vllm: VllmServer, **values: object) -> OpenAIGenerator:
    return OpenAIGenerator(
        GeneratorSettings.model_validate(
            {"kind": "openai", "url": vllm.url, "max_tokens": 48, "deadline_s": 300, **values}
        )
    )


async def tokens_of(writer: OpenAIGenerator, asked: Prompt) -> tuple[list[Token], list[float]]:
    tokens, times = [], [time.perf_counter()]
    async for token in writer.generate(asked):
        tokens.append(token)
        times.append(time.perf_counter())
    return tokens, times


def wait_until_idle(vllm: VllmServer) -> None:
    deadline = time.monotonic() + 60
    while vllm.n_running() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert vllm.n_running() == 0


def test_streams_tokens_with_usage(vllm: VllmServer) -> None:
    writer = generator(vllm)
    asyncio.run(writer.check())
    asyncio.run(tokens_of(writer, prompt()))  # the first request compiles
    tokens, times = asyncio.run(tokens_of(writer, prompt("How much notice do employees give?")))
    assert writer.name == MODEL_NAME
    assert len([token for token in tokens if token.text]) > 3
    n_tokens = tokens[-1].n_completion_tokens
    assert n_tokens
    assert (tokens[-1].n_prompt_tokens or 0) > 100
    speed = (n_tokens - 1) / (times[-1] - times[1])
    print(f"\nvLLM: first token after {times[1] - times[0]:.2f} s, {speed:.1f} tokens/s")


def test_stopping_in_the_middle_frees_the_slot(vllm: VllmServer) -> None:
    writer = generator(vllm, max_tokens=3_000)
    running = []

    async def first_tokens() -> None:
        async with aclosing(writer.generate(endless_prompt())) as tokens:  # type: ignore[type-var]
            async for _ in tokens:
                running.append(await asyncio.to_thread(vllm.n_running))
                if running[-1]:
                    return

    asyncio.run(first_tokens())
    assert running[-1] == 1
    wait_until_idle(vllm)


def test_deadline_stops_the_server_too(vllm: VllmServer) -> None:
    writer = generator(vllm, max_tokens=3_000, deadline_s=2.0, model=MODEL_NAME)
    with pytest.raises(DeadlineExceeded):
        asyncio.run(tokens_of(writer, endless_prompt()))
    wait_until_idle(vllm)


def test_cache_salt_is_sent_and_understood(vllm: VllmServer) -> None:
    """vLLM refuses an empty salt, so it does read the field; ours is accepted."""
    body = {
        "model": MODEL_NAME,
        "max_tokens": 1,
        "cache_salt": "",
        "messages": [{"role": "user", "content": "hi"}],
    }
    refused = httpx.post(f"{vllm.url}/chat/completions", json=body, timeout=300, trust_env=False)
    assert refused.status_code == 400
    assert "cache_salt" in refused.text
    tokens, _ = asyncio.run(tokens_of(generator(vllm, max_tokens=16), prompt()))
    assert tokens


def test_unsupported_sentences_are_withheld(vllm: VllmServer) -> None:
    """The small model never cites: whatever it writes, nothing unverified may pass."""
    questions = ("How long is the notice period for suppliers?", "Who invented the telephone?")
    passages = {1: PASSAGE}

    async def sentences(question: str) -> list[Sentence]:
        stream = SentenceStream()
        raw = []
        async for token in generator(vllm).generate(prompt(question)):
            raw += stream.feed(token.text)
        return [verify(sentence, passages) for sentence in raw + stream.close()]

    written = [s for question in questions for s in asyncio.run(sentences(question))]
    assert written
    for sentence in written:
        print(f"\n{sentence.verdict}: {sentence.text} {sentence.reason}")
        if sentence.verdict == "verified":
            assert sentence.citations[0].quote in PASSAGE.text
    assert any(sentence.verdict != "verified" for sentence in written)
