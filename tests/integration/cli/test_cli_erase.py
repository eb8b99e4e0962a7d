"""`assistant erase`, `hold`, `retention` and `user`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli.main import app
from assistant.errors import InvalidRequest, NotFound, OnHold, Unauthenticated
from assistant.store import people, subject_keys
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


def test_what_was_erased_is_released_and_what_is_old_is_forgotten(
    database: Database, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    Company(database).document("ward", "Zoraide Quixadá came on Monday.")
    done = json.loads(run(tmp_path, "erase", "--subject", "zoraide quixada", "--json"))
    erasure_id = done["certificate"]["erasure_id"]
    assert "1 items may come back" in run(tmp_path, "erase", "--release", erasure_id)
    with pytest.raises(NotFound):
        run(tmp_path, "erase", "--release", "nothing")
    with database.begin() as conn:
        subject_keys.seal(conn, "somebody", datetime(2019, 5, 1, tzinfo=UTC), "Why?")
    planned = json.loads(run(tmp_path, "retention", "run", "--dry-run", "--json"))
    assert (planned["n_keys"], planned["months"], planned["dry_run"]) == (1, ["2019-05"], True)
    run(tmp_path, "hold", "create", "everything", "--reason", "order of the court")
    assert "keeps all" in run(tmp_path, "retention", "run")
    (hold,) = json.loads(run(tmp_path, "hold", "list", "--json"))
    run(tmp_path, "hold", "release", hold["id"])
    assert "1 keys of 2019-05 to 2019-05" in run(tmp_path, "retention", "run")
    assert json.loads(run(tmp_path, "retention", "run", "--json"))["n_keys"] == 0
    assert json.loads(run(tmp_path, "audit", "verify", "--json"))["ok"]


def test_people_are_looked_after(
    database: Database, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    first = run(tmp_path, "user", "add", "eva").rpartition(" ")[2].strip()
    assert "admin, employee" in run(
        tmp_path, "user", "roles", "eva", "--role", "admin", "--role", "employee"
    )
    with pytest.raises(InvalidRequest, match="at once"):
        run(tmp_path, "user", "roles", "eva", "--role", "admin", "--role", "auditor")
    second = run(tmp_path, "user", "password", "eva").rpartition(" ")[2].strip()
    run(tmp_path, "user", "disable", "eva")
    run(tmp_path, "user", "enable", "eva")
    with database.begin() as conn:
        assert people.sign_in(conn, "eva", second, 60)
        with pytest.raises(Unauthenticated):
            people.sign_in(conn, "eva", first, 60)


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
