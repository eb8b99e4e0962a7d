"""`assistant index`: a shadow is built, verified, made current, taken back, and compacted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from assistant.access.identity import caller_with_login
from assistant.cli.index import app
from assistant.errors import IndexUnusable
from assistant.models.embedder import SentenceEmbedder
from assistant.settings import DatabaseSettings, ModelSettings, Settings
from assistant.store.database import Database
from assistant.wiring import assembled, embedder
from tests.support.company import Company

Run = Callable[..., str]


@pytest.fixture
def company(database: Database, bundled: SentenceEmbedder) -> Company:
    company = Company(database, bundled)
    company.person("ana")
    company.document("report", "The net income of 2025 was 41 million.", "It rose by a tenth.")
    company.document("canteen", "The canteen opens at noon.")
    return company


@pytest.fixture
def data(
    tmp_path: Path, postgres_url: str, model_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(model_data_dir / "models")
    return tmp_path / "data"


@pytest.fixture
def run(data: Path) -> Run:
    def invoke(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--data", str(data)])
        if done.exception is not None:
            raise done.exception
        return done.stdout

    return invoke


def generations(run: Run) -> dict[str, dict[str, Any]]:
    return {row["role"]: row for row in json.loads(run("status", "--json"))["generations"]}


def current_folder(data: Path) -> Path:
    return data / "index" / str(json.loads((data / "index" / "roles").read_bytes())["current"])


def test_a_generation_from_build_to_rollback(run: Run, company: Company, data: Path) -> None:
    assert "newest change" in run("status")
    assert generations(run) == {}
    with pytest.raises(IndexUnusable, match="no current generation"):
        run("verify")
    assert "3 passages" in run("build")
    assert list(generations(run)) == ["shadow"]
    assert "current" in run("swap")
    assert "equals the database: 3 passages" in run("verify")
    company.document("menu", "Soup on Mondays.")
    company.delete("canteen")
    found = json.loads(run("verify", "--json"))
    assert (found["ok"], found["n"], found["n_sampled"]) == (True, 3, 3)
    run("compact")
    roles = generations(run)
    assert (roles["current"]["generation"], roles["current"]["passages"]) == (4, 3)
    assert roles["current"]["dead_share"] == 0
    assert roles["previous"]["generation"] == 2
    assert "Generation 2" in run("rollback")
    assert "just now" in run("status")
    (current_folder(data) / "days.npy").write_bytes(b"")
    with pytest.raises(IndexUnusable, match=r"days\.npy"):
        run("verify")


def test_a_swap_refuses_what_differs_from_the_database(
    run: Run, company: Company, database: Database
) -> None:
    run("build")
    with database.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE chunks SET embedding = decode(repeat('003c', 384), 'hex')")
        conn.exec_driver_sql("DELETE FROM chunks WHERE id = (SELECT min(id) FROM chunks)")
    with pytest.raises(IndexUnusable, match="1 too many, 0 with other access, 2 of 2"):
        run("swap")
    assert "current" not in generations(run)


@pytest.fixture
def other_model(tmp_path: Path, model_data_dir: Path) -> Path:
    """The bundled model with other weights."""
    (source,) = (path.parent for path in model_data_dir.rglob("model.safetensors"))
    folder = tmp_path / "other-e5"
    shutil.copytree(source, folder)
    tensors = load_file(folder / "model.safetensors")
    name = max(tensors, key=lambda key: tensors[key].size)
    tensors[name] = tensors[name][:, ::-1].copy()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_another_model_is_prepared_beside_the_one_in_use(
    run: Run, company: Company, data: Path, other_model: Path, database: Database
) -> None:
    run("build")
    run("swap")
    before = generations(run)["current"]["embedder"]
    assert "3 embedded now" in run("build", "--embedder", str(other_model))
    assert "0 embedded now" in run("build", "--embedder", str(other_model))
    assert "equals the database" in run("verify", "shadow")
    assert run("swap").count("other-e5@") == 1
    roles = generations(run)
    assert roles["current"]["embedder"].startswith("other-e5@")
    assert roles["previous"]["embedder"] == before
    assert "equals the database" in run("verify", "previous")
    with database.begin() as conn:
        ana = caller_with_login(conn, "ana")
    for model, name in ((str(other_model), "other-e5"), ("bundled", before)):
        settings = Settings(
            data_dir=data,
            models=ModelSettings.model_validate({"embedder": model}),
            database=DatabaseSettings(url=None),
        )
        made = assembled(settings, database, embedder(settings))
        found = made.retriever.retrieve("When does the canteen open?", ana, k=3)
        assert len(found.passages) == 3
        assert made.embedder.name.startswith(name)
        made.retriever.close()
    run("rollback")
    assert generations(run)["current"]["embedder"] == before
