"""SIGTERM in the middle of everything: an end within ten seconds, and nothing left open."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from assistant.audit.log import AuditLog
from assistant.models.embedder import SentenceEmbedder
from assistant.store.database import Database
from tests.faults.test_database_away import each_question_ended_once
from tests.support.company import Company, events_of, signed_in
from tests.support.openai_server import OpenAIServer, serving
from tests.support.site import STOP_S, Site, address_of, site_in, until

N_STREAMS = 3
NOTE = "The canteen opens at noon."


@pytest.fixture
def site(tmp_path: Path, database: Database, model_data_dir: Path) -> Site:
    return site_in(tmp_path, database, model_data_dir)


@pytest.fixture
def model() -> Iterator[OpenAIServer]:
    """A model that says one sentence, and then nothing for half a minute."""
    with serving(OpenAIServer(behaviour="slow", pieces=[f"{NOTE} [1]\nAnd more ", "."])) as server:
        yield server


def streaming(stack: ExitStack, ana: httpx.Client) -> Iterator[str]:
    """Ask, wait for the first sentence, and return what else will come."""
    body = {"question": "When does the canteen open?"}
    response = stack.enter_context(ana.stream("POST", "/v1/chat", json=body))
    assert response.status_code == 200
    lines = response.iter_lines()
    assert any(line == "event: delta" for line in lines), "the stream is under way"
    return lines


def test_a_server_with_open_streams_and_a_run_ends_in_time(
    site: Site, database: Database, model: OpenAIServer, bundled: SentenceEmbedder
) -> None:
    company = Company(database, bundled)
    company.person("ana")
    company.document("canteen", NOTE)
    run_id = site.source(n=50, pause_s=3600)
    variables = {
        "ASSISTANT_GENERATOR__KIND": "openai",
        "ASSISTANT_GENERATOR__URL": model.url,
    }
    with site.process("serve", "--only", "api", "--port", "0", **variables) as server:
        address = address_of(server)
        until(lambda: len(site.fetched()) >= 1)
        with ExitStack() as stack:
            ana = stack.enter_context(closing(signed_in(address, database, "ana")))
            streams = [streaming(stack, ana) for _ in range(N_STREAMS)]
            server.send_signal(signal.SIGTERM)
            try:
                assert server.wait(STOP_S) == 0
            except subprocess.TimeoutExpired:
                pytest.fail("it goes on")
            for lines in streams:
                said = "\n".join(lines)
                assert "urn:assistant:problem:stopping" in said, "and says why"
                assert "event: done" not in said
    given_back = site.run(run_id)
    assert (given_back.state, given_back.n_lost) == ("queued", 0)
    each_question_ended_once(database, N_STREAMS)
    kinds = [event["type"] for event in events_of(database)]
    assert kinds.count("query.aborted") == N_STREAMS
    found = AuditLog(database, site.data).verify()
    assert (found.ok, found.n_sealed) == (True, found.n_events), "and signed"
