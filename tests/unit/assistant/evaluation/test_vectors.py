"""The cache of embeddings between evaluations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.evaluation import vectors
from assistant.evaluation.vectors import CachedEmbedder

if TYPE_CHECKING:
    import pytest

    from tests.unit.assistant.evaluation.conftest import WordEmbedder


def ignore(done: int, total: int) -> None:
    assert 0 <= done <= total


def test_a_text_is_embedded_once(tmp_path: Path, word_embedder: WordEmbedder) -> None:
    texts = ["one", "two two", "one", "three words here"]
    first = CachedEmbedder(word_embedder, tmp_path).documents(texts, ignore)
    assert word_embedder.n_embedded == 3
    np.testing.assert_array_equal(first, word_embedder.embed_documents(texts))
    word_embedder.n_embedded = 0
    again = CachedEmbedder(word_embedder, tmp_path)
    np.testing.assert_array_equal(again.documents(texts[::-1], ignore), first[::-1])
    assert word_embedder.n_embedded == 0
    assert again.queries(["one"], ignore).shape == (1, again.dimension)
    assert word_embedder.n_embedded == 1
    assert again.documents([], ignore).shape == (0, 64)


def test_an_interrupted_run_keeps_what_it_embedded(
    tmp_path: Path, word_embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "N_AT_ONCE", 2)
    texts = [f"text number {n}" for n in range(5)]
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise KeyboardInterrupt

    try:
        CachedEmbedder(word_embedder, tmp_path).documents(texts, stop)
    except KeyboardInterrupt:
        assert seen == [(0, 5), (2, 5), (4, 5)]
    CachedEmbedder(word_embedder, tmp_path).documents(texts, ignore)
    assert word_embedder.n_embedded == 5
    assert not list(tmp_path.rglob("*.half"))
