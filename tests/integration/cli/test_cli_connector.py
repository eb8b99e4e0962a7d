"""Sources from the command line, with a connector that is installed, has a secret and tells it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.store.database import Database

CANARY = "canary-8d2e-password"
CODE = """
from pydantic import BaseModel, SecretStr
from connectors.contract import Access, Complete, ConnectorError, Group, Item

class Config(BaseModel, extra="forbid"):
    host: str
    everyone: bool = False
    password: SecretStr

class Share:
    Config = Config
    def __init__(self, config):
        self.config = config
    async def check(self):
        if self.config.host == "down":
            raise ConnectorError(f"No login with {self.config.password.get_secret_value()}.")
    async def changes(self, since):
        who = "everyone" if self.config.everyone else "group:staff"
        for name in ("a", "bad"):
            yield Item(id=name, version="1", uri=name, media_type="text/plain",
                       access=Access(allow=frozenset({who})))
        yield Complete(cursor=None, done=2, total=2)
    async def fetch(self, item):
        if item.id == "bad":
            raise OSError(5, f"refused {self.config.password.get_secret_value()}")
        yield b"The canteen opens at noon."
    async def groups(self):
        yield Group(id="group:staff", members=frozenset({"user:ana"}))
    async def aclose(self):
        pass
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, postgres_url: str, model_data_dir: Path) -> Run:
    """Run a command beside an installed package; every output is searched for the secret."""
    site, data = tmp_path / "site", tmp_path / "data"
    info = site / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    data.mkdir()
    (data / "models").symlink_to(model_data_dir / "models")
    (site / "acme.py").write_text(CODE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[assistant.connectors]\nacme = acme:Share\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "ASSISTANT_DATABASE__URL": postgres_url,
        "ASSISTANT_DATA_DIR": str(data),
    }

    def command(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "assistant.cli.main", "--verbose", *arguments],
            capture_output=True,
            text=True,
            check=False,
            input=typed,
            env=environment,
        )
        assert CANARY not in done.stdout + done.stderr
        return done

    return command


def add(run: Run, *more: str, host: str = "h") -> None:
    done = run(
        *("connector", "add", "share", "acme", "--set", f"host={host}", "--secret", "password"),
        *more,
        typed=CANARY + "\n",
    )
    assert done.returncode == 0, done.stderr


def dump(database: Database) -> str:
    """Every row of every table as text."""
    with database.begin() as conn:
        names = sa.inspect(conn).get_table_names()
        rows = [conn.execute(sa.text(f'SELECT t::text FROM "{n}" t')).scalars() for n in names]
        bodies = conn.execute(sa.text("SELECT body FROM audit_events")).scalars()
        return "\n".join([*(str(row) for found in rows for row in found), *map(str, bodies)])


def test_a_secret_appears_nowhere(run: Run, database: Database, tmp_path: Path) -> None:
    add(run)
    tried = run("connector", "test", "share", "--json")
    assert json.loads(tried.stdout) == {
        "groups": 1,
        "items": 2,
        "failed": 0,
        "readers": {"group:staff": 2},
    }
    synced = run("sync", "run", "share")
    assert "1 failed" in synced.stdout, synced.stderr
    (listed,) = json.loads(run("connector", "list", "--json").stdout)
    assert listed["secrets"] == {"password": "set"}
    assert (listed["documents"], listed["last_run"]) == (1, "done")
    assert listed["content"]
    assert listed["permissions"]
    assert "(hidden)" in run("sync", "status").stdout
    assert run("connector", "list").returncode == 0
    add(run, host="down")
    assert "No login with (hidden)." in run("connector", "test", "share").stderr
    assert run("sync", "run", "share").returncode == 1
    assert run("doctor").returncode
    text = dump(database)
    assert "share" in text
    assert "(hidden)" in text
    assert CANARY not in text
    for path in (tmp_path / "data").glob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


def test_secrets_are_kept_and_a_lost_key_says_what_to_do(run: Run, tmp_path: Path) -> None:
    add(run)
    again = ("connector", "add", "share", "acme", "--title", "Share")
    assert run(*again, "--set", "host=h").returncode == 0
    elsewhere = run(*again, "--set", "host=other")
    assert (elsewhere.returncode, "Give anew: password" in elsewhere.stderr) == (2, True)
    assert run("connector", "test", "share").returncode == 0
    (tmp_path / "data" / "secret.key").unlink()
    lost = run("connector", "test", "share")
    assert lost.returncode == 3
    assert "--secret password" in lost.stderr
    add(run)
    assert run("connector", "test", "share").returncode == 0


def test_what_everyone_may_read_needs_a_word(run: Run) -> None:
    add(run, "--set", "everyone=true")
    refused = run("connector", "test", "share")
    assert refused.returncode == 1
    assert "--public" in refused.stderr
    assert run("connector", "test", "share", "--public").returncode == 0


def test_a_source_leaves_with_its_documents(run: Run, database: Database) -> None:
    add(run)
    assert run("sync", "run", "share").returncode == 0
    refused = run("connector", "remove", "share")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert "1 documents" in run("connector", "remove", "share", "--yes").stdout
    assert json.loads(run("connector", "list", "--json").stdout) == []
    with database.begin() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM chunks")).scalar_one() == 0
        bodies = list(conn.execute(sa.text("SELECT body FROM audit_events")).scalars())
    events = [json.loads(body) for body in bodies]
    changes = [e["data"]["change"] for e in events if e["type"] == "connector.changed"]
    assert changes == ["put", "emptied", "removed"]
    assert run("connector", "remove", "share", "--yes").returncode == 1


def test_wrong_input_is_a_sentence(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'host = "h"\npassword = "{CANARY}"\n')
    for arguments, said in (
        (("nope",), "no connector 'nope'"),
        (("acme", "--set", "hots=h"), "no field 'hots'"),
        (("acme", "--set", "host=h"), "secrets: password. Give them"),
        (("acme", "--set", "host=h"), "secrets by --secret NAME"),
        (("acme", "--set", f"password={CANARY}"), "'password' is a secret"),
        (("acme", "--from", str(file)), "secrets by --secret NAME"),
        (("acme", "--from", "nowhere.toml"), "nowhere.toml"),
        (("acme", "--secret", "host"), "those are: password"),
        (("acme", "--set", "host=h", "--secret", "password"), "is empty"),
    ):
        done = run("connector", "add", "share", *arguments)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
    assert json.loads(run("connector", "types", "--json").stdout)["acme"]["required"] == [
        "host",
        "password",
    ]
    assert "secret" in run("connector", "types").stdout
