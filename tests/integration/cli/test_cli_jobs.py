"""Sync jobs from the command line, over a database: scheduled, steered, looked back at."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant.audit.log import AuditLog
from assistant.cli import console, sync
from assistant.errors import AssistantError, InvalidRequest, NotFound, SyncError
from assistant.ingest import jobs
from assistant.ingest.task import Task
from assistant.store import jobs as queue
from assistant.store import runs, sources
from assistant.store.database import Database
from tests.support.company import events_of

import_module("assistant.cli.main")  # It adds the commands of steering.
COMMANDS = sync.app


class Desk:
    """A source `notes` of a folder, and the commands over it."""

    def __init__(self, data: Path, folder: Path, database: Database) -> None:
        self.data, self.folder, self.database = data, folder, database

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(COMMANDS, [*arguments, "--data", str(self.data)])
        if done.exception is not None:
            raise done.exception
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def queued(self) -> int:
        """Queue a run, as the API does."""
        with self.database.begin() as conn:
            source = sources.source_named(conn, "notes")
        return jobs.start(self.database, AuditLog(self.database, self.data), source, Task())

    def orders(self) -> list[str]:
        """What the audit log says was done with runs and schedules."""
        found = []
        for event in events_of(self.database):
            data = event["data"]
            found += [data[key] for key in ("action", "order", "change") if data.get(key)]
        return found


@pytest.fixture
def desk(
    tmp_path: Path,
    postgres_url: str,
    database: Database,
    model_data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    monkeypatch.setattr(console.out, "_width", 250)
    folder, data = tmp_path / "documents", tmp_path / "data"
    folder.mkdir()
    data.mkdir()
    (data / "models").symlink_to(model_data_dir / "models")
    (folder / "canteen.md").write_text("The canteen opens at noon. Ask ana@acme.example.")
    (folder / "broken.json").write_text('{"a": ')
    desk = Desk(data, folder, database)
    desk.run("add", "notes", str(folder))
    return desk


def test_a_schedule_is_set_shown_and_taken_away(desk: Desk) -> None:
    assert "only when somebody says so" in desk.run("schedule", "notes")
    assert "next" in desk.run("schedule", "notes", "--every", "3600")
    shown = desk.json("schedule", "notes")
    assert shown["schedule"]["every_s"] == 3600
    assert shown["next_run_at"]
    desk.run("schedule", "notes", "--cron", "30 6 * * 1", "--timezone", "America/Sao_Paulo")
    with desk.database.begin() as conn:
        due_at = sources.source_named(conn, "notes").next_run_at
    assert due_at is not None
    there = due_at.astimezone().astimezone(tz=None) if due_at.tzinfo is None else due_at
    assert (there - timedelta(hours=3)).strftime("%a %H:%M") == "Mon 06:30"
    assert desk.json("status")["sources"][0]["next_run_at"]
    desk.run("schedule", "notes", "--off")
    assert desk.json("schedule", "notes")["schedule"] is None
    for wrong in (
        ("--every", "60", "--off"),
        ("--every", "60", "--cron", "* * * * *"),
        ("--cron", "61 * * * *"),
        ("--cron", "* * * * *", "--timezone", "Mars/Olympus"),
    ):
        with pytest.raises(InvalidRequest):
            desk.run("schedule", "notes", *wrong)
    with pytest.raises(NotFound):
        desk.run("schedule", "nothing", "--every", "60")
    assert desk.orders() == ["put", "scheduled", "scheduled", "unscheduled"]


def test_a_waiting_run_is_paused_resumed_and_cancelled(desk: Desk) -> None:
    for steering in ("pause", "resume", "cancel"):
        with pytest.raises(NotFound, match="No run of notes"):
            desk.run(steering, "notes")
    run_id = desk.queued()
    states = {"pause": "paused", "resume": "queued", "cancel": "cancelled"}
    for steering, state in states.items():
        assert f"Run {run_id} of notes" in desk.run(steering, "notes")
        with desk.database.begin() as conn:
            assert runs.run_of(conn, run_id).state == state
            assert (queue.active_run(conn, sources.source_named(conn, "notes").id) is None) == (
                state == "cancelled"
            )
    (shown,) = desk.json("history", "notes")
    assert (shown["id"], shown["state"]) == (run_id, "cancelled")
    assert desk.orders()[1:] == ["start", "pause", "resume", "cancel"]


def test_history_tells_what_runs_did_and_what_curation_found(desk: Desk) -> None:
    desk.run("run", "notes")
    (desk.folder / "parking.md").write_text("Parking is free.")
    desk.run("run", "notes")
    newest, first = desk.json("history", "notes")
    assert (newest["counts"]["added"], first["counts"]["added"]) == (1, 1)
    assert {"source": "notes", **newest["curation"]} == desk.json("report", "notes")
    assert newest["curation"]["documents"] == 2
    assert newest["curation"]["personal_data"]["email"]["keep"] == {"found": 1, "documents": 1}
    assert first["curation"]["documents"] == 1
    assert "ana@" not in json.dumps([newest, first])
    assert [one["id"] for one in desk.json("history", "--limit", "1")] == [newest["id"]]
    assert re.search(r"sync .*done .*\+1 ~0 −0", desk.run("history"))
    with pytest.raises(NotFound):
        desk.run("history", "nothing")


def test_quarantined_items_are_read_again_by_cause(desk: Desk) -> None:
    assert "1 failed" in desk.run("run", "notes")
    (failure,) = desk.json("status")["failures"]
    assert failure["id"] == "broken.json"
    with pytest.raises(SyncError, match="1 items of notes"):
        desk.run("retry", "notes")
    (again,) = desk.json("status")["failures"]
    assert again["attempts"] == failure["attempts"] + 1
    desk.run("retry", "notes", "--cause", "another")
    (desk.folder / "broken.json").write_text('{"a": "The parking is free."}')
    desk.run("run", "notes")
    assert desk.json("status")["failures"] == []
    assert "0 documents" not in desk.run("report", "notes")


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    assert "+2 ~0 −0" in desk.run("run", "notes", "--dry-run")
    assert desk.json("status")["sources"][0]["documents"] == 0
    assert desk.json("history")[0]["kind"] == "dry_run"


def test_an_unknown_source_is_an_error_of_ours(desk: Desk) -> None:
    for command in ("pause", "resume", "cancel", "retry", "report"):
        with pytest.raises(AssistantError, match="nothing"):
            desk.run(command, "nothing")
