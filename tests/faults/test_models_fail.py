"""Model servers that are down, slow, or talk nonsense: nothing bad is stored or said."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from assistant import wiring
from assistant.api.app import create_app
from assistant.errors import ModelUnavailable
from assistant.models.reply import MAX_BYTES
from assistant.models.served import ServedEmbedder
from assistant.settings import Settings
from assistant.store import heads, sources
from assistant.store.database import Database
from assistant.store.document import vector_of
from assistant.wiring import Assistant
from tests.faults.test_database_away import each_question_ended_once
from tests.support import embedding_server, openai_server
from tests.support.company import Company, events_of, served, signed_in
from tests.support.embedding_server import EmbeddingServer
from tests.support.hashing import HashingEmbedder
from tests.support.openai_server import Behaviour, OpenAIServer
from tests.support.rerank_server import Behaviour as RerankBehaviour
from tests.support.rerank_server import RerankServer, rerank_server
from tests.support.streams import events

DEADLINE_S = 1.0
QUESTION = {"question": "When does the canteen open?"}
NOTE = "The canteen opens at noon."
OTHERS = ("The canteen of the north closes at three.", "The library opens at nine.")


@dataclass
class Stage:
    """An assistant all of whose models are servers, and somebody who asks it."""

    database: Database
    embedder: EmbeddingServer
    reranker: RerankServer
    model: OpenAIServer
    settings: Settings
    assistant: Assistant
    ana: httpx.Client
    stop_model: Callable[[], None]

    def ends(self) -> list[str]:
        """Return how the questions that had begun have ended, each once."""
        told = [event for event in events_of(self.database) if event["type"].startswith("query.")]
        begun = [event for event in told if event["type"] == "query.prompted"]
        each_question_ended_once(self.database, len(begun))
        kinds = ("query.finished", "query.aborted")
        ended = [event for event in told if event["type"] in kinds]
        assert len(ended) == len(begun), "every question has an end"
        return [event["data"].get("reason", "") for event in ended]


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        embedder = stack.enter_context(embedding_server.serving(EmbeddingServer()))
        reranker = stack.enter_context(rerank_server())
        running = stack.enter_context(ExitStack())
        model = running.enter_context(
            openai_server.serving(OpenAIServer(pieces=["The canteen opens ", "at noon [1].", "\n"]))
        )
        settings = Settings.model_validate(
            {
                "data_dir": tmp_path,
                "database": {"url": database.engine.url.render_as_string(hide_password=False)},
                "models": {
                    "embedder": embedder.url,
                    "revision": "1",
                    "timeout_s": DEADLINE_S,
                    "reranker": reranker.url,
                    "reranker_timeout_s": DEADLINE_S / 2,
                },
                "generator": {"kind": "openai", "url": model.url, "deadline_s": DEADLINE_S},
            }
        )
        served_model = ServedEmbedder(settings.models)
        company = Company(database, served_model)
        company.person("ana")
        company.document("canteen", NOTE)
        for n, text in enumerate(OTHERS):
            company.document(f"other-{n}", text)
        assistant = wiring.assembled(settings, database, served_model)
        stack.callback(assistant.retriever.close)
        url = stack.enter_context(served(create_app(assistant)))
        ana = stack.enter_context(closing(signed_in(url, database, "ana")))
        yield Stage(database, embedder, reranker, model, settings, assistant, ana, running.close)


def vectors(*each: list[float], indices: tuple[int, ...] | None = None) -> tuple[int, str]:
    """Write down what the server will say, NaN too, which JSON proper hasn't."""
    numbers = indices or tuple(range(len(each)))
    data = [{"index": i, "embedding": v} for i, v in zip(numbers, each, strict=True)]
    return 200, json.dumps({"data": data})


GOOD = [0.1] * HashingEmbedder.dimension
NONSENSE: dict[str, tuple[int, Any]] = {
    "broken": (500, "boom"),
    "a proxy's page": (200, "<html>Sign in</html>"),
    "no JSON": (200, '{"data": ['),
    "NaN": vectors([math.nan, *GOOD[1:]], GOOD),
    "infinite": vectors([math.inf, *GOOD[1:]], GOOD),
    "nothing but zeros": vectors([0.0] * len(GOOD), GOOD),
    "one too few": vectors(GOOD),
    "another length": vectors(GOOD[1:], GOOD[1:]),
    "both the first": vectors(GOOD, GOOD, indices=(0, 0)),
    "of others": vectors(GOOD, GOOD, indices=(1, 2)),
    "without end": (200, "[" * (MAX_BYTES + 1)),
}


def content(database: Database) -> tuple[int, list[tuple[Any, ...]], list[bytes]]:
    """Return the newest change, the documents and their vectors."""
    with database.begin() as conn:
        head = heads.feed_head(conn)
        documents = conn.execute(
            sa.text("SELECT external_id, version_no, content_sha256 FROM documents ORDER BY 1")
        )
        stored = conn.execute(sa.text("SELECT embedding FROM chunks ORDER BY id"))
        return head, [tuple(row) for row in documents], [bytes(row[0]) for row in stored]


def test_a_sync_publishes_no_vector_that_is_none(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / ".access.toml").write_text('allow = ["everyone"]\n')
    for n in range(2):
        (folder / f"note-{n}.md").write_text(f"# Note {n}\n\nLine {n} costs {n * 111}.\n")
    with stage.database.begin() as conn:
        source = sources.put_source(conn, "papers", "files", {"path": str(folder)})

    def synced() -> int:
        run = wiring.sync_run(stage.settings, stage.database, stage.assistant.embedder, source)
        return asyncio.run(run.run()).counts.added

    before = content(stage.database)
    for name, nonsense in NONSENSE.items():
        stage.embedder.replies = [nonsense]
        with pytest.raises(ModelUnavailable, match="The embedding server"):
            synced()
        assert content(stage.database) == before, name
        assert stage.embedder.replies == [], name
    stage.embedder.replies = [(0, "")] * 3
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        synced()
    stage.embedder.trickles = True
    with pytest.raises(ModelUnavailable, match="did not answer within 1 s"):
        synced()
    assert content(stage.database) == before
    stage.embedder.trickles = False
    assert synced() == 2
    norms = [float(np.linalg.norm(vector_of(raw))) for raw in content(stage.database)[2]]
    assert norms == pytest.approx([1.0] * (len(before[2]) + 2), abs=1e-3)


def test_a_question_that_can_not_be_embedded_is_refused_before_anything_is_read(
    stage: Stage,
) -> None:
    for name in ("broken", "NaN", "another length", "without end"):
        stage.embedder.replies = [NONSENSE[name]]
        for path in ("/v1/answers", "/v1/chat"):
            stage.embedder.replies = [NONSENSE[name]]
            refused = stage.ana.post(path, json=QUESTION)
            assert refused.status_code == 503, name
            assert refused.json()["type"] == "urn:assistant:problem:model-unavailable"
    stage.embedder.trickles = True
    assert stage.ana.post("/v1/answers", json=QUESTION).status_code == 503
    stage.embedder.trickles = False
    assert (stage.ends(), stage.model.requests) == ([], [])
    assert NOTE in stage.ana.post("/v1/answers", json=QUESTION).json()["answer"]


RERANK_FAULTS: tuple[RerankBehaviour, ...] = (
    "silent",
    "trickles",
    "html",
    "no_key",
    "broken",
    "short",
    "outside",
    "nan",
)


@pytest.mark.parametrize("behaviour", RERANK_FAULTS)
def test_a_reranker_that_fails_is_done_without(stage: Stage, behaviour: RerankBehaviour) -> None:
    stage.reranker.behaviour = behaviour
    for _ in range(2):
        answer = stage.ana.post("/v1/answers", json=QUESTION).json()
        assert NOTE in answer["answer"]
        assert answer["citations"]
    assert len(stage.reranker.requests) == 1, "left alone after that"
    assert stage.ends() == ["", ""]


MODEL_FAULTS: dict[Behaviour, str] = {
    "silent": "deadline-exceeded",
    "slow": "deadline-exceeded",
    "garbage": "model-unavailable",
    "drops": "model-unavailable",
    "no_key": "model-unavailable",
    "overloaded": "model-unavailable",
    "long": "model-unavailable",
}


def test_a_model_that_fails_ends_its_answer_once_and_says_why(stage: Stage) -> None:
    for behaviour, slug in MODEL_FAULTS.items():
        stage.model.behaviour = behaviour
        with stage.ana.stream("POST", "/v1/chat", json=QUESTION) as stream:
            assert stream.status_code == 200
            told = list(events(stream))
        assert told[-1][0] == "problem", behaviour
        assert told[-1][1]["type"] == f"urn:assistant:problem:{slug}", behaviour
        assert str(stage.model.url) not in json.dumps(told), "nothing of the inside"
        whole = stage.ana.post("/v1/answers", json=QUESTION)
        assert whole.json()["type"] == f"urn:assistant:problem:{slug}", behaviour
        assert stage.ends()[-2:] == [slug, slug], behaviour
    stage.model.behaviour = "normal"
    assert stage.ana.get("/v1/conversations").json()["conversations"] == []
    assert NOTE in stage.ana.post("/v1/answers", json=QUESTION).json()["answer"]
    assert stage.ends()[-1] == ""
    assert stage.assistant.audit.verify().ok


def test_a_model_that_talks_nonsense_is_not_believed(stage: Stage) -> None:
    for pieces in (
        ["\x00\ud83d", "\u202e", "[1][2][3]"],
        ["]" * 5000],
        ["NaN ", "[NaN]. ", "null [1]."],
        ["The canteen opens at nine [1]."],
        ["The canteen opens at noon [99]."],
        [""],
    ):
        stage.model.pieces = pieces
        answer = stage.ana.post("/v1/answers", json=QUESTION).json()
        assert answer["abstained"] is True, pieces
        assert answer["citations"] == [], pieces
    stage.model.pieces = ["noise "] * 50_000
    endless = stage.ana.post("/v1/answers", json=QUESTION)
    assert endless.status_code in {200, 504}
    assert "noise noise" not in endless.text
    stage.ends()


def test_a_model_that_is_gone_is_named_by_readiness_and_by_no_answer(stage: Stage) -> None:
    stage.stop_model()
    refused = stage.ana.post("/v1/answers", json=QUESTION)
    assert refused.status_code == 503
    assert stage.model.url not in refused.text
    ready = stage.ana.get("/readyz")
    assert ready.status_code == 503
    assert stage.ends() == ["model-unavailable"]
