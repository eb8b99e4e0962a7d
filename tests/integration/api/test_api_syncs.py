"""Sources and sync runs over HTTP: added, tried, started, followed, paused, scheduled, removed."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.settings import ConnectorSettings, Settings
from assistant.store import sources
from assistant.store.database import Database
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, assembled, events_of
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import events
from tests.support.working import apart, working

PATIENCE_S = 120.0


@pytest.fixture
def ines(sign_in: SignIn, company: Company) -> httpx.Client:
    """An integrator."""
    company.person("ines", roles=["integrator"])
    return sign_in("ines")


@pytest.fixture
def assistant(
    company: Company, generator: ScriptedGenerator, tmp_path: Path, folder: Path
) -> Assistant:
    """The assistant that lets sources read the folder."""
    settings = Settings(data_dir=tmp_path, connectors=ConnectorSettings(local_roots=(folder,)))
    return assembled(settings, company.database, generator)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    for name in ("hold", "broken"):
        (folder / name).mkdir(parents=True)
    for n in range(9):
        (folder / f"n{n}.txt").write_text(f"v{n}")
    return folder


@pytest.fixture
def notes(ines: httpx.Client, folder: Path) -> str:
    """The address of a source."""
    new = {"name": "notes", "connector": "files", "config": {"path": str(folder)}}
    assert ines.post("/v1/connectors", json=new).status_code == 201
    return "/v1/connectors/notes"


def ended(client: httpx.Client, run_id: int) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        run: dict[str, Any] = client.get(f"/v1/sync-runs/{run_id}").json()
        if run["state"] not in {"queued", "running"}:
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.05)


def test_a_source_is_added_changed_tried_and_removed(
    ines: httpx.Client, database: Database, folder: Path, notes: str
) -> None:
    types = {one["name"]: one for one in ines.get("/v1/connector-types").json()["types"]}
    assert "path" in types["files"]["config_schema"]["properties"]
    again = {"name": "notes", "connector": "files", "config": {"path": str(folder)}}
    assert ines.post("/v1/connectors", json=again).status_code == 409
    wrong = ines.put(notes, json={"connector": "files", "config": {"pth": "x"}})
    assert wrong.status_code == 422
    assert "pth" in wrong.json()["detail"]
    changed = ines.patch(notes, json={"title": "Notes", "config": {"include": ["*.txt"]}}).json()
    assert (changed["title"], changed["config"]["include"]) == ("Notes", ["*.txt"])
    tried = ines.post(f"{notes}/test", json={}).json()
    assert tried["n_items"] == 9
    (folder / ".access.toml").write_text('allow = ["everyone"]\n')
    refused = ines.post(f"{notes}/test", json={}).json()
    assert (refused["ok"], "everyone" in refused["problem"]) == (False, True)
    assert ines.post(f"{notes}/test", json={"public": True}).json()["ok"]
    assert ines.delete(notes).json() == {"n_documents": 0}
    assert ines.get(notes).status_code == 404
    told = [e["data"]["change"] for e in events_of(database) if e["type"] == "connector.changed"]
    assert told == ["put", "put", "emptied", "removed"]


def test_a_source_is_tried_before_it_is_added(
    ines: httpx.Client, database: Database, folder: Path
) -> None:
    draft: dict[str, Any] = {"name": "new", "connector": "files", "config": {"path": str(folder)}}
    tried = ines.post("/v1/connector-tests", json=draft).json()
    assert (tried["ok"], tried["n_items"], tried["readers"]) == (True, 9, {"nobody": 9})
    (folder / ".access.toml").write_text('allow = ["everyone"]\n')
    refused = ines.post("/v1/connector-tests", json=draft).json()
    assert (refused["ok"], refused["readers"]) == (False, {"everyone": 9})
    assert "everyone" in refused["problem"]
    assert ines.post("/v1/connector-tests", json={**draft, "public": True}).json()["ok"]
    gone = {**draft, "config": {"path": str(folder / "nowhere")}}
    assert not ines.post("/v1/connector-tests", json=gone).json()["ok"]
    for wrong in ({"pth": "x"}, {}, {"path": str(folder), "include": 5}):
        answer = ines.post("/v1/connector-tests", json={**draft, "config": wrong})
        assert answer.status_code == 422, wrong
    listed = {one["name"] for one in ines.get("/v1/connectors").json()["connectors"]}
    assert "new" not in listed
    assert not [e for e in events_of(database) if e["type"] == "connector.changed"]


def test_the_secrets_of_a_draft_are_not_told(ines: httpx.Client, database: Database) -> None:
    canary = "canary-4712-secret"
    draft: dict[str, Any] = {
        "name": "bucket",
        "connector": "s3",
        "config": {
            "bucket": "papers",
            "access_key_id": "somebody",
            "endpoint_url": "http://127.0.0.1:1",
        },
        "secrets": {"secret_access_key": canary},
    }
    for body in (draft, {**draft, "config": {**draft["config"], "region": canary + "!"}}):
        answer = ines.post("/v1/connector-tests", json=body)
        assert answer.status_code in {200, 422}
        assert not answer.json().get("ok")
        assert canary not in answer.text
    assert canary not in json.dumps(events_of(database))


def test_secrets_go_in_and_never_come_out(ines: httpx.Client, database: Database) -> None:
    canary = "canary-4711-secret"
    types = {one["name"]: one for one in ines.get("/v1/connector-types").json()["types"]}
    new: dict[str, Any] = {
        "name": "bucket",
        "connector": "s3",
        "config": {"bucket": "papers", "access_key_id": "somebody"},
        "secrets": dict.fromkeys(types["s3"]["secrets"], canary),
    }
    answers = [ines.post("/v1/connectors", json=new)]
    assert answers[0].status_code == 201, answers[0].text
    answers += [ines.get(path) for path in ("/v1/connectors", "/v1/connectors/bucket")]
    answers.append(ines.patch("/v1/connectors/bucket", json={"title": "Papers"}))
    in_config = {**new, "config": {"bucket": "papers", types["s3"]["secrets"][0]: canary}}
    answers.append(ines.put("/v1/connectors/bucket", json={**in_config, "name": None}))
    assert sorted(answers[3].json()["secrets"]) == sorted(types["s3"]["secrets"])
    for answer in answers:
        assert canary not in answer.text
    assert canary not in json.dumps(events_of(database))


def test_a_change_is_looked_at_first_and_recorded_by_its_fields(
    ines: httpx.Client, database: Database, folder: Path, notes: str
) -> None:
    stored = ines.get(notes).json()["config"]
    change = {"config": {"include": ["n1.txt"], "collection": "papers"}}
    told = ines.post(f"{notes}/changes", json=change).json()
    assert told["changes"] == [
        {"field": "collection", "before": None, "after": "papers"},
        {"field": "include", "before": None, "after": ["n1.txt"]},
    ]
    assert (told["lists_again"], told["secrets"]) == (True, [])
    assert (told["test"]["ok"], told["test"]["n_items"]) == (True, 1)
    title = ines.post(f"{notes}/changes", json={"title": "Notes"}).json()
    assert title == {"changes": [], "secrets": [], "lists_again": False, "test": None}
    (folder / ".access.toml").write_text('allow = ["everyone"]\n')
    assert not ines.post(f"{notes}/changes", json=change).json()["test"]["ok"]
    assert ines.post(f"{notes}/changes", json={**change, "public": True}).json()["test"]["ok"]
    for wrong in ({"pth": "x"}, {"path": None}, {"path": "/etc"}, {"include": 5}):
        assert ines.post(f"{notes}/changes", json={"config": wrong}).status_code == 422, wrong
    assert ines.post("/v1/connectors/none/changes", json=change).status_code == 404
    assert ines.get(notes).json()["config"] == stored
    assert ines.patch(notes, json=change).json()["config"] == {**stored, **change["config"]}
    events = [e["data"] for e in events_of(database) if e["type"] == "connector.changed"]
    assert [one["fields"] for one in events] == [["path"], ["collection", "include"]]


def test_secrets_are_sent_nowhere_else_than_they_were_given_for(
    ines: httpx.Client, database: Database
) -> None:
    """Whoever may change a source can't have its password sent to a server of their own."""
    sent = []

    class Thief(BaseHTTPRequestHandler):
        def do_PROPFIND(self) -> None:
            sent.append(self.headers.get("Authorization"))
            self.send_error(401)

    with HTTPServer(("127.0.0.1", 0), Thief) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        elsewhere = f"http://127.0.0.1:{server.server_port}/dav"
        new: dict[str, Any] = {
            "name": "dav",
            "connector": "webdav",
            "config": {"url": "http://127.0.0.1:1/dav", "username": "ana", "allow_http": True},
            "secrets": {"password": "canary-4716-secret"},
        }
        assert ines.post("/v1/connectors", json=new).status_code == 201
        change: dict[str, Any] = {"config": {"url": elsewhere}}
        put = {**{k: new[k] for k in ("connector",)}, "config": {**new["config"], "url": elsewhere}}
        for refused in (
            ines.post("/v1/connectors/dav/changes", json=change),
            ines.patch("/v1/connectors/dav", json=change),
            ines.put("/v1/connectors/dav", json=put),
        ):
            assert refused.status_code == 422
            assert "Give anew: password" in refused.json()["detail"]
        assert sent == []
        change["secrets"] = {"password": "another"}
        looked = ines.post("/v1/connectors/dav/changes", json=change).json()
        assert (looked["secrets"], looked["test"]["ok"]) == (["password"], False)
        server.shutdown()
    assert sent
    assert not any("canary" in b64decode(one.split()[1]).decode() for one in sent if one)
    kept = ines.patch("/v1/connectors/dav", json={"config": {"exclude": ["*.tmp"]}})
    assert (kept.status_code, kept.json()["secrets"]) == (200, ["password"])
    assert ines.patch("/v1/connectors/dav", json=change).status_code == 200
    events = [e["data"] for e in events_of(database) if e["type"] == "connector.changed"]
    assert [one["fields"] for one in events[1:]] == [["exclude"], ["url", "password"]]
    assert "canary" not in json.dumps(events_of(database))


def test_secrets_by_name_are_sealed_one_by_one(ines: httpx.Client, database: Database) -> None:
    """A loader of LangChain takes any arguments, so its secrets have names of their own."""
    new: dict[str, Any] = {
        "name": "wiki",
        "connector": "langchain",
        "config": {"loader": "acme_loaders.Wiki", "arguments": {"url": "https://w/hr"}},
        "secrets": {"secrets.key": "canary-4713-secret", "secrets": '{"token": "canary-4714-x"}'},
    }
    answers = [ines.post("/v1/connectors", json=new)]
    assert answers[0].status_code == 201, answers[0].text
    answers.append(ines.patch("/v1/connectors/wiki", json={"title": "Wiki"}))
    for answer in answers:
        assert answer.json()["secrets"] == ["secrets.key", "secrets.token"]
        assert answer.json()["config"] == new["config"]
        assert "canary" not in answer.text
    change = {key: value for key, value in new.items() if key != "name"}
    for path in ("/etc/passwd", "../x", "file:x", "~", "pyproject.toml"):
        config = {**new["config"], "arguments": {"pages": [path]}}
        refused = ines.put("/v1/connectors/wiki", json={**change, "config": config})
        assert (refused.status_code, "local_roots" in refused.text) == (422, True), refused.text
    for wrong in ({"secrets": "canary-4715"}, {"loader.x": "canary-4715"}):
        refused = ines.put("/v1/connectors/wiki", json={**change, "secrets": wrong})
        assert refused.status_code == 422
        assert "canary" not in refused.text
    with database.begin() as conn:
        stored = json.dumps(sources.source_named(conn, "wiki").secrets)
    assert "canary" not in stored + json.dumps(events_of(database))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"config": {}}, "missing fields: bucket"),
        ({"config": {"bucket": "b", "secret_access_key": "x"}}, "give it with the secrets"),
        ({"config": {"bucket": "b"}, "secrets": {"region": "x"}}, "with the other fields"),
        ({"config": {"bucket": "b", "regoin": "x"}}, "no field 'regoin'"),
    ],
)
def test_wrong_fields_are_said_without_flags_of_a_command(
    ines: httpx.Client, body: dict[str, Any], said: str
) -> None:
    answer = ines.post("/v1/connectors", json={"name": "b", "connector": "s3", **body})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert "--" not in answer.json()["detail"]


def test_a_run_in_another_process_is_followed_by_stage(
    ines: httpx.Client, assistant: Assistant, postgres_url: str, folder: Path, notes: str
) -> None:
    (folder / "hold/n4.txt").touch()
    started = ines.post(f"{notes}/runs", json={})
    assert started.status_code == 202
    assert ines.post(f"{notes}/runs", json={}).status_code == 409
    run_id = started.json()["id"]
    told: list[tuple[str, Any]] = []
    with (
        apart(postgres_url, assistant.settings.data_dir, folder, 60),
        ines.stream("GET", f"/v1/sync-runs/{run_id}/events", timeout=PATIENCE_S) as response,
    ):
        for name, data in events(response):
            told.append((name, data))
            if data["progress"]["stage"] == "read" and data["progress"]["done"] == 3:
                (folder / "hold/n4.txt").unlink(missing_ok=True)
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    name, last = told[-1]
    assert (name, last["state"], last["counts"]["added"]) == ("done", "done", 9)
    assert told[0][1]["state"] == "queued"
    assert {"list", "fetch", "read", "chunk", "embed", "commit"} <= last["stages"].keys()
    assert last["stages"]["fetch"]["n"] == 9
    assert last["stages"]["fetch"]["bytes"] > 0
    assert ines.get("/v1/sync-runs/999999/events").status_code == 404
    (source,) = (
        one for one in ines.get("/v1/connectors").json()["connectors"] if one["name"] == "notes"
    )
    assert all(seconds is not None for seconds in source["lags"].values())
    assert source["active_run"] is None
    assert source["last_run"]["id"] == run_id


def test_a_run_is_paused_resumed_cancelled_and_its_failures_retried(
    ines: httpx.Client, assistant: Assistant, folder: Path, notes: str
) -> None:
    (folder / "broken/n1.txt").touch()
    data = assistant.settings.data_dir
    run_id = ines.post(f"{notes}/runs", json={"dry_run": True}).json()["id"]
    assert ines.post(f"/v1/sync-runs/{run_id}/pause").json()["state"] == "paused"
    with working(assistant.database, data, folder):
        assert ines.post(f"/v1/sync-runs/{run_id}/resume").json()["state"] in {"queued", "running"}
        assert ended(ines, run_id)["counts"]["added"] == 9
        assert not (folder / "fetched").exists()
        first = ended(ines, ines.post(f"{notes}/runs", json={}).json()["id"])
        assert (first["counts"]["added"], first["counts"]["failed"]) == (8, 1)
        failures = ines.get(f"{notes}/failures").json()
        assert [(g["cause"], g["n"], g["n_retryable"]) for g in failures["groups"]] == [
            ("unreadable", 1, 1)
        ]
        (folder / "broken/n1.txt").unlink()
        again = ines.post(f"{notes}/failures/retry", json={"cause": "unreadable"})
        assert ended(ines, again.json()["id"])["counts"]["added"] == 1
        assert ines.get(f"{notes}/failures").json()["n"] == 0
    waiting = ines.post(f"{notes}/runs", json={}).json()["id"]
    assert ines.post(f"/v1/sync-runs/{waiting}/cancel").json()["state"] == "cancelled"
    assert ines.post(f"/v1/sync-runs/{waiting}/resume").status_code == 409
    orders = [
        (event["data"]["order"], event["actor"]["roles"])
        for event in events_of(assistant.database)
        if event["type"] == "sync.ordered"
    ]
    wanted = ["dry_run", "pause", "resume", "start", "retry", "start", "cancel"]
    assert orders == [(order, ["integrator"]) for order in wanted]


def test_a_schedule_is_set_shown_and_taken_away(ines: httpx.Client, notes: str) -> None:
    for wrong in ({}, {"every_s": 1}, {"cron": "x"}, {"cron": "0 6 * * *", "timezone": "Mars"}):
        refused = ines.put(f"{notes}/schedule", json=wrong)
        assert refused.status_code == 422, wrong
    cron = {"cron": "30 6 * * mon-fri", "timezone": "America/Sao_Paulo"}
    due = ines.put(f"{notes}/schedule", json=cron).json()["next_run_at"]
    assert due
    shown = ines.get(notes).json()
    assert shown["schedule"]["cron"] == cron["cron"]
    assert shown["next_run_at"] is not None
    assert ines.delete(f"{notes}/schedule").status_code == 204
    assert ines.get(notes).json()["schedule"] is None
