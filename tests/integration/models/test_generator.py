from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from assistant.domain import ChunkId, DocumentId, Passage
from assistant.errors import DeadlineExceeded, ModelUnavailable
from assistant.models.generator import OpenAIGenerator
from assistant.ports import Prompt, Token
from assistant.settings import GeneratorSettings
from tests.support.openai_server import Behaviour, OpenAIServer, serving

PASSAGE = Passage(
    1, ChunkId(1), DocumentId("d"), 1, "Notice", "", "The notice period is 30 days.", "", 1.0, "en"
)
PROMPT = Prompt("How long?", "en", (PASSAGE,), "Rules", "Passages", "sha", "salt-of-ana")
ALLOWED_FIELDS = {
    "model", "messages", "stream", "stream_options", "temperature", "max_tokens", "cache_salt",
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving(OpenAIServer()) as running:
        yield running


def settings(server: OpenAIServer, **values: object) -> GeneratorSettings:
    return GeneratorSettings.model_validate({"kind": "openai", "url": server.url, **values})


async def collected(generator: OpenAIGenerator) -> list[Token]:
    return [token async for token in generator.generate(PROMPT)]


def run(server: OpenAIServer, **values: object) -> list[Token]:
    return asyncio.run(collected(OpenAIGenerator(settings(server, **values))))


def test_streams_pieces_and_usage(server: OpenAIServer) -> None:
    tokens = run(server)
    assert [t.text for t in tokens if t.text] == server.pieces
    assert (tokens[-1].n_prompt_tokens, tokens[-1].n_completion_tokens) == (7, 3)


def test_pieces_come_as_they_were_sent(server: OpenAIServer) -> None:
    server.pieces = ["Não\u2028se ", "\x85pagam\n", "férias 🏖 [1]."]
    assert [t.text for t in run(server) if t.text] == server.pieces


def test_sends_allowed_fields_only(server: OpenAIServer) -> None:
    run(server, api_key=SecretStr("s3cret"), max_tokens=99)
    (body,) = server.requests
    assert set(body) == ALLOWED_FIELDS
    assert body["cache_salt"] == "salt-of-ana"
    assert body["max_tokens"] == 99
    assert body["model"] == "tiny"
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert [m["content"] for m in body["messages"]] == ["Rules", "Passages"]
    assert server.headers[0]["authorization"] == "Bearer s3cret"


def test_salt_can_be_switched_off(server: OpenAIServer) -> None:
    server.behaviour = "no_salt"
    with pytest.raises(ModelUnavailable, match=r"generator\.cache_salt = false"):
        run(server)
    assert run(server, cache_salt=False)[0].text == server.pieces[0]
    assert "cache_salt" not in server.requests[-1]


def test_name_is_discovered(server: OpenAIServer) -> None:
    generator = OpenAIGenerator(settings(server))
    assert generator.name == "openai"
    asyncio.run(collected(generator))
    assert generator.name == "tiny"
    assert OpenAIGenerator(settings(server, model="big")).name == "big"


@pytest.mark.parametrize("behaviour", ["slow", "silent"])
def test_deadline(server: OpenAIServer, behaviour: Behaviour) -> None:
    server.behaviour = behaviour
    with pytest.raises(DeadlineExceeded, match=r"generator\.deadline_s"):
        run(server, deadline_s=0.5, model="tiny")
    assert server.disconnected.wait(10)
    assert server.n_active == 0


def test_leaving_closes_the_stream(server: OpenAIServer) -> None:
    server.behaviour = "slow"

    async def first_only() -> str:
        generator = OpenAIGenerator(settings(server))
        async with aclosing(generator.generate(PROMPT)) as tokens:  # type: ignore[type-var]
            return (await anext(aiter(tokens))).text

    assert asyncio.run(first_only()) == server.pieces[0]
    assert server.disconnected.wait(10)
    assert server.n_active == 0


def test_cancelling_the_task_closes_the_stream(server: OpenAIServer) -> None:
    server.behaviour = "slow"

    async def cancelled() -> None:
        generator = OpenAIGenerator(settings(server))
        got_one = asyncio.Event()

        async def consume(tokens: AsyncIterator[Token]) -> None:
            async for _ in tokens:
                got_one.set()

        task = asyncio.create_task(consume(generator.generate(PROMPT)))
        await got_one.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.disconnected.wait, 10)

    asyncio.run(cancelled())
    assert server.disconnected.is_set()


@pytest.mark.parametrize(
    ("behaviour", "next_step"),
    [
        ("garbage", "OpenAI-compatible"),
        ("drops", r"generator\.url"),
        ("breaks_off", "broke off .* server's log"),
        ("page", "OpenAI-compatible"),
        ("no_key", r"generator\.api_key"),
        ("overloaded", "try again later"),
        ("long", r"retrieval\.n_passages"),
    ],
)
def test_faults_say_what_to_do(server: OpenAIServer, behaviour: Behaviour, next_step: str) -> None:
    server.behaviour = behaviour
    with pytest.raises(ModelUnavailable, match=next_step):
        run(server)


@pytest.mark.parametrize(
    "raw",
    [
        "5",
        "null",
        '"text"',
        "{}",
        '{"choices": null}',
        '{"choices": ["text"]}',
        '{"choices": [{"delta": "text"}]}',
        '{"choices": [{"delta": {"content": ["text"]}}]}',
        '{"choices": [], "usage": 5}',
        '{"choices": [], "usage": {"prompt_tokens": Infinity, "completion_tokens": 1}}',
        "[" * 100_000,
    ],
    ids=range(11),
)
def test_what_is_no_chat_completion_is_refused(server: OpenAIServer, raw: str) -> None:
    server.raw = raw
    with pytest.raises(ModelUnavailable, match="sent what is no chat completion"):
        run(server)


def test_a_piece_without_a_delta_is_passed_over(server: OpenAIServer) -> None:
    server.raw = '{"choices": [{"index": 0, "delta": null}]}'
    assert [t.text for t in run(server) if t.text] == server.pieces


def test_the_words_of_a_server_in_trouble_reach_nobody(server: OpenAIServer) -> None:
    server.behaviour = "breaks_off"
    with pytest.raises(ModelUnavailable) as refused:
        run(server)
    assert "out of blocks" not in str(refused.value)


@pytest.mark.parametrize("behaviour", ["drops", "breaks_off"])
def test_a_drop_in_the_middle_keeps_what_came(server: OpenAIServer, behaviour: Behaviour) -> None:
    server.behaviour = behaviour

    seen: list[str] = []

    async def read() -> None:
        async for token in OpenAIGenerator(settings(server)).generate(PROMPT):
            seen.append(token.text)

    with pytest.raises(ModelUnavailable):
        asyncio.run(read())
    assert seen == server.pieces[:1]


def test_nobody_listens() -> None:
    generator = OpenAIGenerator(
        GeneratorSettings.model_validate({"kind": "openai", "url": "http://127.0.0.1:9/v1"})
    )
    with pytest.raises(ModelUnavailable, match=r"generator\.url"):
        asyncio.run(generator.check())
    with pytest.raises(ModelUnavailable, match=r"generator\.url"):
        asyncio.run(collected(generator))


def test_check(server: OpenAIServer) -> None:
    asyncio.run(OpenAIGenerator(settings(server)).check())
    asyncio.run(OpenAIGenerator(settings(server, model="tiny")).check())
    with pytest.raises(ModelUnavailable, match=r"does not serve huge; .* tiny"):
        asyncio.run(OpenAIGenerator(settings(server, model="huge")).check())
    server.models = []
    with pytest.raises(ModelUnavailable, match="lists no model"):
        asyncio.run(OpenAIGenerator(settings(server)).check())
    server.behaviour = "html"
    with pytest.raises(ModelUnavailable, match="OpenAI-compatible"):
        asyncio.run(OpenAIGenerator(settings(server)).check())
