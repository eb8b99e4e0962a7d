"""The bundled model, converted once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.models import embedder


@pytest.fixture(scope="session")
def model_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def bundled(model_data_dir: Path) -> embedder.SentenceEmbedder:
    return embedder.load("bundled", model_data_dir, device="cpu", precision="float32")
