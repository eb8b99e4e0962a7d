"""`assistant backup`: key, create, and restore with its checks."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from assistant.cli.backup import app
from assistant.errors import Conflict, SettingsError
from assistant.models.embedder import SentenceEmbedder
from assistant.store.database import Database
from assistant.store.embedded import EmbeddedServer
from tests.conftest import _admin
from tests.support.company import Company


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--data", str(data)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_a_backup_is_made_and_restored_with_log_and_index_verified(
    database: Database,
    bundled: SentenceEmbedder,
    postgres: EmbeddedServer,
    postgres_url: str,
    model_data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company(database, bundled)
    company.person("ana")
    company.document("report", "The net income of 2025 was 41 million.", "It rose by a tenth.")
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    old, new, file = tmp_path / "old", tmp_path / "new", str(tmp_path / "one.backup")
    with pytest.raises(SettingsError, match="backup key"):
        run(old, "create", file)
    identity = str(tmp_path / "identity.pem")
    run(old, "key", identity)
    made = json.loads(run(old, "create", file, "--json"))
    assert made["keys"] == str(tmp_path / "assistant.keys")
    with pytest.raises(Conflict):
        run(new, "restore", file, "--identity", identity)
    name = f"restored_{uuid4().hex}"
    _admin(postgres, f"CREATE DATABASE {name}")
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres.url(name))
    new.mkdir(exist_ok=True)
    (new / "models").symlink_to(model_data_dir / "models")
    try:
        done = run(new, "restore", file, "--identity", identity, "--verify", "--json")
        found = json.loads(done)
        assert (found["verified_events"], found["verified_passages"]) == (1, 2)
        assert found["lost_events"] == 0
    finally:
        _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")
