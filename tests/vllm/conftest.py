"""One vLLM server for all tests of this folder; `make test-vllm` installs it first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vllm.install import MODEL, VENV
from tests.vllm.server import VllmServer, vllm_server


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    python = VENV / "bin" / "python"
    if not python.exists() or not (MODEL / "config.json").exists():
        pytest.fail("vLLM is not installed here: run `make test-vllm`")
    with vllm_server(python, MODEL, tmp_path_factory.mktemp("vllm") / "log.txt") as server:
        yield server
