"""More questions at once than a process answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from assistant.api.app import create_app
from assistant.settings import ServeSettings, Settings
from assistant.store.database import Database
from tests.support.company import Company, assembled, events_of, served, signed_in
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import asked, events

INCOME = {"question": "What was the net income of 2025?"}
CHAT = {"model": "assistant", "messages": [{"role": "user", "content": INCOME["question"]}]}


@pytest.fixture
def ana(company: Company, generator: ScriptedGenerator, tmp_path: Path) -> Iterator[httpx.Client]:
    """A person at a server that gives two answers at once."""
    serve = ServeSettings.model_validate({"answers_at_once": 2})
    settings = Settings(data_dir=tmp_path, serve=serve)
    with (
        served(create_app(assembled(settings, company.database, generator))) as url,
        closing(signed_in(url, company.database, "ana")) as client,
    ):
        yield client


def test_one_too_many_is_told_to_wait_and_the_slots_come_back(
    ana: httpx.Client, database: Database, generator: ScriptedGenerator
) -> None:
    generator.hold(1)
    with ExitStack() as open_streams:
        streams = [
            open_streams.enter_context(ana.stream("POST", "/v1/chat", json=INCOME))
            for _ in range(2)
        ]
        for path, body in (("/v1/chat", INCOME), ("/v1/answers", INCOME)):
            refused = ana.post(path, json=body)
            assert refused.status_code == 429
            assert refused.json()["type"] == "urn:assistant:problem:overloaded"
            assert 1 <= int(refused.headers["Retry-After"]) <= 10
        refused = ana.post("/v1/chat/completions", json=CHAT)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"]
        assert ana.get("/v1/me").status_code == 200, "only answers are limited"
        assert len(generator.prompts) == 2
        generator.release()
        for stream in streams:
            assert list(events(stream))[-1][0] == "done"
    assert asked(ana, INCOME["question"])[-1][0] == "done"
    kinds = [event["type"] for event in events_of(database)]
    assert kinds.count("query.prompted") == kinds.count("query.finished") == 3


def test_clients_that_leave_free_their_slots(
    ana: httpx.Client, generator: ScriptedGenerator
) -> None:
    generator.hold(0)
    for n_left in range(6):
        for _ in range(500):
            with ana.stream("POST", "/v1/chat", json=INCOME) as left:
                if left.status_code == 200:
                    break
            time.sleep(0.01)
        else:
            pytest.fail(f"no slot after {n_left} clients have left")
    generator.release()
    for _ in range(500):
        if (answer := ana.post("/v1/answers", json=INCOME)).status_code == 200:
            break
        time.sleep(0.01)
    assert answer.json()["citations"]
    assert len(generator.prompts) == 7
