"""Over the API nobody indexes whatever the server's process can read."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant import wiring
from assistant.audit.log import AuditLog
from assistant.ingest import connections
from assistant.ingest.connections import Draft
from assistant.settings import ConnectorSettings, Settings
from assistant.store import sources
from assistant.store.database import Database
from assistant.vault import vault
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, assembled
from tests.support.scripted import ScriptedGenerator

ROWS = {"name": "rows", "query": "SELECT 1 AS id", "id": "id", "body": "{id}"}


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder that may be read (`open`), one that may not (`closed`), and the data folder."""
    for name in ("open", "closed", "data"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("A note.")
    (tmp_path / "open/out").symlink_to(tmp_path / "closed")
    return tmp_path.resolve()


@pytest.fixture
def assistant(company: Company, generator: ScriptedGenerator, disk: Path) -> Assistant:
    settings = Settings(
        data_dir=disk / "data", connectors=ConnectorSettings(local_roots=(disk / "open",))
    )
    return assembled(settings, company.database, generator)


@pytest.fixture
def ines(sign_in: SignIn, company: Company) -> httpx.Client:
    company.person("ines", roles=["integrator"])
    return sign_in("ines")


def refusals(disk: Path) -> list[tuple[str, dict[str, Any]]]:
    closed, data = disk / "closed", disk / "data"
    bucket = {"bucket": "papers", "access_key_id": "a"}
    found: list[tuple[str, dict[str, Any]]] = [
        ("files", {"path": str(path)})
        for path in (closed, data, disk, "/", "/etc", disk / "open/../closed", disk / "open/out")
    ]
    found += [("files", {"path": "open"}), ("files", {"path": "../closed"})]
    found += [("git", {"url": f"{start}{closed}"}) for start in ("", "file://", "FILE://")]
    found += [("git", {"url": f"file://{disk}/open/%2e%2e/closed"})]
    found += [("git", {"url": "https://git.example/a", "cache": str(data)})]
    found += [
        ("sql", {"url": url, "kinds": [ROWS]})
        for url in (
            f"sqlite:///{closed}/a.db",
            "sqlite:///a.db",
            f"sqlite:///{disk}/open/../data/a.db",
            f"postgresql:///assistant?host={data}",
            "postgresql:///assistant",
        )
    ]
    found += [("hl7", {"spool": str(data)})]
    found += [("s3", {**bucket, "ca_bundle": "/etc/ssl/certs/ca-certificates.crt"})]
    return found


def test_nothing_else_on_the_disk_is_added_put_or_tried(
    ines: httpx.Client, database: Database, disk: Path
) -> None:
    kept = {"path": str(disk / "open")}
    new = {"name": "kept", "connector": "files", "config": kept}
    assert ines.post("/v1/connectors", json=new).status_code == 201
    for connector, config in refusals(disk):
        body = {"connector": connector, "config": config}
        if connector == "s3":
            body["secrets"] = {"secret_access_key": "canary-4711"}
        added = ines.post("/v1/connectors", json={"name": "new", **body})
        put = ines.put("/v1/connectors/kept", json=body)
        tried = ines.post("/v1/connector-tests", json={"name": "new", **body})
        for answer in (added, put, tried):
            assert answer.status_code == 422, (config, answer.text)
            assert "command line" in answer.json()["detail"], (config, answer.text)
            assert "canary" not in answer.text
    patched = ines.patch("/v1/connectors/kept", json={"config": {"path": str(disk / "closed")}})
    assert patched.status_code == 422
    with database.begin() as conn:
        held = {one.name: one.config for one in sources.list_sources(conn)}
    assert held.keys() == {"intranet", "kept"}
    assert held["kept"] == kept


def test_below_the_named_folder_sources_are_added_and_tried(ines: httpx.Client, disk: Path) -> None:
    (disk / "open/deep").mkdir()
    (disk / "open/deep/b.txt").write_text("A note.")
    new = {"name": "deep", "connector": "files", "config": {"path": f"{disk}/open/./deep/"}}
    added = ines.post("/v1/connectors", json=new)
    assert added.json()["config"] == {"path": str(disk / "open/deep")}
    assert ines.post("/v1/connectors/deep/test", json={}).json()["n_items"] == 1
    ines.patch("/v1/connectors/deep", json={"title": "Deep"}).raise_for_status()


def test_a_source_of_the_command_line_is_not_bound_there(
    ines: httpx.Client, assistant: Assistant, database: Database, disk: Path
) -> None:
    """It is added and can be synced, but not tried or changed over the API."""
    draft = Draft("closed", "files", {"path": str(disk / "closed")})
    log = AuditLog(database, disk / "data")
    with database.begin() as conn:
        source = connections.put(conn, log, partial(vault, assistant.settings), draft)
    wiring.connector(assistant.settings, source)
    tried = ines.post("/v1/connectors/closed/test", json={})
    changed = ines.patch("/v1/connectors/closed", json={"title": "Mine"})
    for answer in (tried, changed):
        assert answer.status_code == 422
        assert "connectors.local_roots" in answer.json()["detail"]
    queued = ines.post("/v1/connectors/closed/runs", json={})
    assert queued.status_code < 300, queued.text


def test_a_folder_that_became_a_link_is_not_tried(ines: httpx.Client, disk: Path) -> None:
    (disk / "open/deep").mkdir()
    new = {"name": "deep", "connector": "files", "config": {"path": str(disk / "open/deep")}}
    ines.post("/v1/connectors", json=new).raise_for_status()
    (disk / "open/deep").rmdir()
    (disk / "open/deep").symlink_to(disk / "closed")
    assert ines.post("/v1/connectors/deep/test", json={}).status_code == 422
