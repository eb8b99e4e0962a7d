"""The database restarts, or its connections are cut, while people ask."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from assistant import wiring
from assistant.api.app import create_app
from assistant.settings import Settings
from assistant.store.database import Database
from assistant.store.embedded import EmbeddedServer
from assistant.wiring import Assistant
from tests.support.company import Company, assembled, events_of, served, signed_in
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import asked, events

INCOME = {"question": "What was the net income of 2025?"}


@contextmanager
def company_on(database: Database, folder: Path) -> Iterator[tuple[Assistant, httpx.Client]]:
    """A company with a document, behind a live server, and a person who may ask there."""
    company = Company(database)
    company.person("ana")
    company.document("report", "The net income of 2025 was 41 million reais.")
    assistant = assembled(Settings(data_dir=folder), database, ScriptedGenerator())
    with (
        served(create_app(assistant)) as url,
        closing(signed_in(url, database, "ana")) as client,
    ):
        assert asked(client, INCOME["question"])[-1][0] == "done"
        yield assistant, client


def cut(server: EmbeddedServer, name: str) -> None:
    """End every connection to a database."""
    engine = sa.create_engine(server.url("postgres"), poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )


def each_question_ended_once(database: Database, n_prompted: int) -> None:
    told = events_of(database)
    prompted = [event["data"]["query_id"] for event in told if event["type"] == "query.prompted"]
    assert len(prompted) == n_prompted
    ends = [
        event["data"]["query_id"]
        for event in told
        if event["type"] in ("query.finished", "query.aborted")
    ]
    assert len(ends) == len(set(ends))
    assert set(ends) <= set(prompted)


def test_connections_that_are_cut_between_two_questions_are_made_anew(
    database: Database, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    name = str(database.engine.url.database)
    with company_on(database, tmp_path) as (assistant, ana):
        for _ in range(3):
            cut(postgres, name)
            statuses = [ana.post("/v1/answers", json=INCOME).status_code for _ in range(2)]
            assert set(statuses) <= {200, 503}
            assert statuses[-1] == 200, "the second question finds new connections"
        assert assistant.audit.verify().ok


def test_connections_that_are_cut_while_an_answer_is_written_end_it_or_not_but_once(
    database: Database, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    name = str(database.engine.url.database)
    with company_on(database, tmp_path) as (assistant, ana):
        generator = assistant.generator
        assert isinstance(generator, ScriptedGenerator)
        generator.hold(0)
        with ana.stream("POST", "/v1/chat", json=INCOME) as stream:
            assert stream.status_code == 200
            cut(postgres, name)
            generator.release()
            last = list(events(stream))[-1]
        assert last[0] in ("done", "problem")
        if last[0] == "problem":
            assert last[1]["type"] == "urn:assistant:problem:database-unavailable"
        assert ana.post("/v1/answers", json=INCOME).status_code in {200, 503}
        assert asked(ana, INCOME["question"])[-1][0] == "done"
        each_question_ended_once(database, len(generator.prompts))
        assert assistant.audit.verify().ok


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """A database on a server that a test may kill, and its folder."""
    folder = tmp_path / "own"
    with wiring.database(Settings(data_dir=folder)) as database:
        yield database, folder


def test_a_server_that_is_killed_is_a_503_and_afterwards_all_is_well(
    own_server: tuple[Database, Path], tmp_path: Path
) -> None:
    database, folder = own_server
    with company_on(database, tmp_path) as (assistant, ana):
        pid = int((folder / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        os.kill(pid, signal.SIGKILL)
        for path in ("/v1/answers", "/v1/chat", "/v1/search"):
            refused = ana.post(path, json=INCOME)
            assert refused.status_code == 503, path
            assert refused.json()["type"] == "urn:assistant:problem:database-unavailable"
        assert ana.get("/readyz").status_code == 503
        assert ana.get("/healthz").status_code == 200
        with closing(EmbeddedServer(folder)):
            assert asked(ana, INCOME["question"])[-1][0] == "done"
            # The answer before may be up to three seconds old.
            for _ in range(100):
                if ana.get("/readyz").status_code == 200:
                    break
                time.sleep(0.1)
            else:
                pytest.fail("not ready again")
            generator = assistant.generator
            assert isinstance(generator, ScriptedGenerator)
            each_question_ended_once(database, len(generator.prompts))
            assert assistant.audit.verify().ok
