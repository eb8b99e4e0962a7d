"""A real vLLM server behind the API: streamed, stopped, cut off by the deadline, verified."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from assistant.api.app import create_app
from assistant.models.generator import OpenAIGenerator
from assistant.settings import GeneratorSettings, Settings
from assistant.store.database import Database
from tests.support.company import Company, assembled, events_of, served, signed_in
from tests.support.streams import asked, events
from tests.vllm.server import VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

QUESTION = "How long is the notice period for suppliers?"
ENDLESS = "Escreva uma longa história sobre os fornecedores, com todos os detalhes."
"""The small model repeats itself in Portuguese until it is stopped."""

NOTICE = "The notice period for suppliers is 30 days. Employees give notice of 60 days."


@contextmanager
def chat(
    vllm: VllmServer, database: Database, data_dir: Path, **values: object
) -> Iterator[httpx.Client]:
    """A signed-in client of an API whose answers vLLM writes."""
    company = Company(database)
    company.person("ana", "purchasing")
    company.document("notice-periods", NOTICE, allow=["group:purchasing"])
    settings = {"kind": "openai", "url": vllm.url, "max_tokens": 48, "deadline_s": 300, **values}
    generator = OpenAIGenerator(GeneratorSettings.model_validate(settings))
    assistant = assembled(Settings(data_dir=data_dir), database, generator)
    with (
        served(create_app(assistant)) as url,
        closing(signed_in(url, database, "ana")) as client,
    ):
        client.timeout = httpx.Timeout(300)
        yield client


def wait_until_idle(vllm: VllmServer) -> None:
    deadline = time.monotonic() + 60
    while vllm.n_running() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert vllm.n_running() == 0


def test_chat_streams_and_shows_only_what_verifies(
    vllm: VllmServer, database: Database, tmp_path: Path
) -> None:
    with chat(vllm, database, tmp_path) as client:
        told = asked(client, QUESTION)
    names = [name for name, _ in told]
    assert names[-1] == "done"
    usage = next(data for name, data in told if name == "usage")
    answer = told[-1][1]
    n_tokens, first_s = usage["n_completion_tokens"], usage["first_token_s"]
    print(f"\n/v1/chat on vLLM: first token after {first_s:.2f} s, {n_tokens} tokens", end=" ")
    print(f"in {answer['seconds']:.2f} s; {len(answer['withheld'])} sentences withheld")
    assert n_tokens > 3
    assert answer["abstained"] == (not answer["sentences"])
    for citation in answer["citations"]:
        assert citation["quote"] in NOTICE
    written = len(answer["sentences"]) + len(answer["withheld"])
    assert written >= 1
    assert names.count("delta") == len(answer["sentences"])
    assert names.count("verdict") == len(answer["withheld"])
    types = [event["type"] for event in events_of(database)]
    assert types.index("query.prompted") < types.index("query.finished")


def test_leaving_in_the_middle_frees_the_slot(
    vllm: VllmServer, database: Database, tmp_path: Path
) -> None:
    with chat(vllm, database, tmp_path, max_tokens=3_000) as client:
        with client.stream("POST", "/v1/chat", json={"question": ENDLESS}) as response:
            told = events(response)  # dropping the iterator would close the connection
            for name, data in told:
                if name == "status" and data["step"] == "answering":
                    break
            n_running, until = 0, time.monotonic() + 60
            while not n_running and time.monotonic() < until:
                n_running = vllm.n_running()
            assert n_running == 1
        wait_until_idle(vllm)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            types = [event["type"] for event in events_of(database)]
            if "query.aborted" in types:
                break
            time.sleep(0.1)
    assert "query.aborted" in types
    assert "query.finished" not in types


def test_the_deadline_ends_the_stream_with_a_problem(
    vllm: VllmServer, database: Database, tmp_path: Path
) -> None:
    long = {"max_tokens": 3_000, "deadline_s": 2.0}
    with chat(vllm, database, tmp_path, **long) as client:
        name, problem = asked(client, ENDLESS)[-1]
    assert name == "problem"
    assert problem["type"] == "urn:assistant:problem:deadline-exceeded"
    assert problem["status"] == 504
    wait_until_idle(vllm)
