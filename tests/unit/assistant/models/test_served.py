"""The served embedder against a real small HTTP server."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import wiring
from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import served
from assistant.models.served import ServedEmbedder
from assistant.settings import ModelSettings, Settings
from tests.support.embedding_server import EmbeddingServer, serving
from tests.support.hashing import HashingEmbedder

TEXTS = ["Notice periods", "a", "The canteen opens at noon. " * 30, "Soup"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    monkeypatch.setattr(served, "_PAUSES_S", (0.0, 0.0))
    with serving(EmbeddingServer()) as running:
        yield running


def embedder(server: EmbeddingServer, **values: object) -> ServedEmbedder:
    settings = {"embedder": server.url, "revision": "r1", **values}
    return ServedEmbedder(ModelSettings.model_validate(settings))


@pytest.mark.parametrize("speaks_base64", [True, False])
def test_vectors_are_of_unit_length_in_the_order_of_the_texts(
    server: EmbeddingServer, speaks_base64: bool
) -> None:
    server.speaks_base64 = speaks_base64
    model = embedder(server)
    found = model.embed_documents(TEXTS)
    assert found.dtype == np.float32
    assert found == pytest.approx(HashingEmbedder().embed_documents(TEXTS), abs=1e-6)
    assert model.embed_queries(TEXTS) == pytest.approx(found)
    assert model.dimension == HashingEmbedder.dimension == found.shape[1]
    assert model.embed_documents([]).shape == (0, model.dimension)


def test_the_name_says_model_revision_and_prompts(server: EmbeddingServer) -> None:
    assert embedder(server).name == "tiny@r1"
    assert embedder(server, revision="r2").name == "tiny@r2"
    server.models = ["tiny", "other"]
    assert embedder(server, served_name="other").name == "other@r1"
    names = {embedder(server, query_prompt=prompt).name for prompt in ("", "q: ", "ask: ")}
    assert len(names) == 3


def test_prompts_go_before_the_texts(server: EmbeddingServer) -> None:
    model = embedder(server, query_prompt="q: ", document_prompt="d: ")
    model.embed_queries(["one"])
    model.embed_documents(["two"])
    assert [request["input"] for request in server.requests[-2:]] == [["q: one"], ["d: two"]]


def test_models_of_the_e5_family_get_their_prompts(server: EmbeddingServer) -> None:
    server.models = ["intfloat/multilingual-e5-large"]
    embedder(server).embed_queries(["one"])
    assert server.requests[-1]["input"] == ["query: one"]
    server.models = ["intfloat/multilingual-e5-large-instruct"]
    embedder(server).embed_queries(["one"])
    assert server.requests[-1]["input"] == ["one"]


def test_large_jobs_are_sent_in_batches(server: EmbeddingServer) -> None:
    model = embedder(server, batch_tokens=512)
    del server.requests[:]
    model.embed_documents(["word " * 300] * 3 + ["w"] * 300)
    sizes = [len(request["input"]) for request in server.requests]
    assert sizes == [1, 1, 1, 128, 128, 44]


def test_truncation_is_asked_for_where_the_server_knows_it(server: EmbeddingServer) -> None:
    embedder(server)
    assert server.requests[-1]["truncate_prompt_tokens"] == 512
    server.knows_truncation = False
    model = embedder(server)
    model.embed_queries(["one"])
    assert all("truncate_prompt_tokens" not in request for request in server.requests[1:])


def test_the_key_is_sent(server: EmbeddingServer) -> None:
    embedder(server, api_key="s3cret")
    assert set(server.keys) == {"Bearer s3cret"}


def test_what_passes_is_tried_again(server: EmbeddingServer) -> None:
    model = embedder(server)
    server.replies = [(503, "starting"), (429, "busy")]
    assert len(model.embed_queries(["one"])) == 1
    assert server.replies == []


SOME = {"index": 0, "embedding": [0.1] * HashingEmbedder.dimension}


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([(503, "starting")] * 3, "status 503; check the server's log"),
        ([(429, "busy")] * 3, "is overloaded"),
        ([(401, "")], "refused the key; check `models.api_key`"),
        ([(404, "")], "check `models.embedder`"),
        ([(500, "boom")], "status 500; check"),
        ([(200, "<html>a proxy's page</html>")], "no embeddings"),
        ([(200, {"data": [{"index": 0, "embedding": "*"}]})], "no embeddings"),
        ([(200, {"data": [SOME, SOME]})], "sent 2 vectors for 1 texts"),
        ([(200, {"data": [{"index": 0, "embedding": [1.0]}]})], "of 1 numbers, before of"),
        ([(200, {"data": [SOME | {"embedding": [0.0] * 256}]})], "no numbers"),
    ],
)
def test_faults_say_what_to_do_next(
    server: EmbeddingServer, replies: list[tuple[int, object]], reason: str
) -> None:
    model = embedder(server)
    server.replies = list(replies)
    with pytest.raises(ModelUnavailable, match=reason) as caught:
        model.embed_queries(["one"])
    assert not any(
        isinstance(said, str) and said and said in str(caught.value) for _, said in replies
    )
    assert len(model.embed_queries(["one"])) == 1


def test_two_vectors_of_one_text_are_none_of_the_other(server: EmbeddingServer) -> None:
    model = embedder(server)
    server.replies = [(200, {"data": [SOME, SOME]})]
    with pytest.raises(ModelUnavailable, match="which vector is whose"):
        model.embed_queries(["one", "two"])


def test_a_server_without_models_is_refused(server: EmbeddingServer) -> None:
    server.models = []
    with pytest.raises(ModelUnavailable, match="lists no model"):
        embedder(server)


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_PAUSES_S", (0.0, 0.0))
    gone = EmbeddingServer(url="http://127.0.0.1:1/v1")
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:1/v1 can't be reached"):
        embedder(gone)


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        start = time.monotonic()
        with pytest.raises(ModelUnavailable, match=r"within 0\.2 s"):
            embedder(EmbeddingServer(url=url), timeout_s=0.2)
        assert time.monotonic() > start


def test_without_a_revision_vectors_could_mix(server: EmbeddingServer) -> None:
    with pytest.raises(SettingsError, match=r"models\.revision"):
        embedder(server, revision="")


def test_an_address_chooses_the_server(server: EmbeddingServer, tmp_path: Path) -> None:
    models = ModelSettings.model_validate({"embedder": server.url, "revision": "r1"})
    assert models.is_served
    assert wiring.embedder(Settings(data_dir=tmp_path, models=models)).name == "tiny@r1"
