"""`assistant erase` and `assistant hold`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli.main import app
from assistant.errors import InvalidRequest, OnHold
from assistant.store.database import Database
from tests.support.company import Company


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--data", str(data)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_a_hold_forbids_an_erasure_and_a_certificate_ends_one(
    database: Database, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    company = Company(database)
    company.document("ward", "Zoraide Quixadá came on Monday.")
    erase = ("erase", "--subject", "zoraide quixada")
    listed = json.loads(run(tmp_path, *erase, "--dry-run", "--json"))
    assert len(listed["documents"]) == 1
    run(tmp_path, "hold", "create", "subject", "Zoraide Quixadá", "--reason", "case 7")
    with pytest.raises(OnHold):
        run(tmp_path, *erase)
    (hold,) = json.loads(run(tmp_path, "hold", "list", "--json"))
    assert (hold["reason"], hold["released_at"]) == ("case 7", None)
    run(tmp_path, "hold", "release", hold["id"])
    file = tmp_path / "certificate.json"
    assert "1 documents" in run(tmp_path, *erase, "--out", str(file))
    certificate = json.loads(file.read_text())["certificate"]
    assert certificate["documents"] == listed["documents"]
    types = [e["type"] for e in json.loads(run(tmp_path, "audit", "search", "--json"))]
    assert types[:4] == [
        "erasure.done",
        "erasure.started",
        "hold.changed",
        "hold.changed",
    ]
    (hold,) = json.loads(run(tmp_path, "hold", "list", "--json"))
    assert (hold["value"], hold["reason"]) == ("erased", "")


def test_wrong_uses_are_refused(
    database: Database, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    for arguments in (
        ("erase",),
        ("hold", "create", "subject", "--reason", "x"),
        ("hold", "create", "everything", "something", "--reason", "x"),
        ("hold", "create", "subject", "somebody"),
    ):
        with pytest.raises(InvalidRequest):
            run(tmp_path, *arguments)
    assert run(tmp_path, "erase", "--resume") == ""
