"""`assistant audit`: search, prove, export, the stand-alone verifier, and a separate sealer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.audit.event import SYSTEM, Event, QueryAccepted
from assistant.audit.log import AuditLog
from assistant.cli.audit import app
from assistant.errors import InvalidRequest, SettingsError
from assistant.store.database import Database


@pytest.fixture
def data(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    return tmp_path / "data"


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--data", str(data)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_an_export_is_verified_on_another_machine(data: Path, database: Database) -> None:
    log = AuditLog(database, data)
    for number in range(5):
        log.record(Event(SYSTEM, QueryAccepted(f"q{number}", "why?")))
    found = json.loads(run(data, "search", "--query", "q3", "--json"))
    assert [event["seq"] for event in found] == [3]
    assert "query.accepted" in run(data, "search", "--type", "query")
    assert json.loads(run(data, "prove", "2"))["event"]["seq"] == 2
    away = data.parent / "away"
    away.mkdir()
    run(data, "export", "--out", str(away / "log.jsonl"))
    with pytest.raises(InvalidRequest, match="there already"):
        run(data, "export", "--out", str(away / "log.jsonl"))
    (away / "key.pem").write_text(run(data, "key"))
    verify = [sys.executable, "-I", "verify.py", "key.pem", "log.jsonl"]
    (away / "verify.py").write_text(CliRunner().invoke(app, ["verifier"]).stdout)
    assert subprocess.run(verify, cwd=away, check=False).returncode == 0
    text = (away / "log.jsonl").read_text()
    (away / "log.jsonl").write_text(text.replace("accepted", "assorted", 1))
    done = subprocess.run(verify, cwd=away, capture_output=True, text=True, check=False)
    assert (done.returncode, "from event 0 on" in done.stdout) == (1, True)


def test_a_separate_sealer(data: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_AUDIT__SEALER", "separate")
    AuditLog(database, data, sealed_elsewhere=True).record(Event(SYSTEM, QueryAccepted("q", "?")))
    with pytest.raises(SettingsError, match="--keys"):
        run(data, "seal")
    assert "Sealed 1 events" in run(data, "seal", "--keys", str(data.parent / "vault"))
    assert not (data / "keys" / "audit.pem").exists()
    assert run(data, "key").startswith("-----BEGIN PUBLIC KEY-----")
    run(data, "verify")
