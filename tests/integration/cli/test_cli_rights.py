"""`assistant access`: why somebody reads what, and what a change would do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import console
from assistant.cli.rights import app
from assistant.errors import Forbidden, InvalidRequest, SettingsError
from assistant.store.database import Database
from tests.support.company import Company, events_of

FINANCE = "group:intranet:finance"


class Bank:
    """A data folder with a document of finance, and the commands over it."""

    def __init__(self, data: Path, document: str) -> None:
        self.data, self.document = data, document

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--data", str(self.data)])
        if done.exception is not None:
            raise done.exception
        return done.stdout


@pytest.fixture
def bank(
    tmp_path: Path, postgres_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Bank:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    monkeypatch.setattr(console.out, "_width", 200)
    company = Company(database)
    company.person("ana", "finance")
    company.person("bruno", "sales")
    document = company.document("statement", "Paid 10 EUR.", allow=["group:finance"])
    return Bank(tmp_path / "data", document)


def test_access_is_explained(bank: Bank, database: Database) -> None:
    asked = ("explain", "--doc", bank.document, "--user")
    assert f"user:local|ana → {FINANCE}" in bank.run(*asked, "ana")
    found = json.loads(bank.run(*asked, "bruno", "--json"))
    assert (found["allowed"], found["rule"]) == (False, "not allowed")
    assert [e["type"] for e in events_of(database)] == ["access.examined"] * 2


def test_both_ways_through_the_rights(bank: Bank, database: Database) -> None:
    assert "ana may read 1 documents; 0 stay closed" in bank.run("reading", "--user", "ana")
    found = json.loads(bank.run("reading", "--user", "bruno", "--json"))
    assert (found["n_documents"], found["n_closed"]) == (0, 1)
    assert "1 of 2 people may read" in bank.run("readers", "--doc", bank.document)
    found = json.loads(bank.run("readers", "--doc", "statement", "--json"))
    assert [(one["login"], one["rule"]) for one in found["readers"]] == [
        ("ana", f"allow {FINANCE}")
    ]
    purposes = [e["data"]["purpose"] for e in events_of(database)]
    assert purposes == ["reading", "reading", "readers", "readers"]


def test_people_are_compared(bank: Bank) -> None:
    assert "only ana" in bank.run("compare", "--user", "ana", "--user", "bruno")
    found = json.loads(bank.run("compare", "--user", "ana", "--user", "bruno", "--json"))
    assert found["one"]["only"][0]["examples"] == [bank.document]
    assert found["other"]["only_principals"] == ["group:intranet:sales", "user:local|bruno"]
    with pytest.raises(InvalidRequest, match="two people"):
        bank.run("compare", "--user", "ana")


def test_changes_are_simulated(bank: Bank) -> None:
    assert "+1 −0" in bank.run("simulate", "--join", f"bruno={FINANCE}")
    assert "+0 −1" in bank.run("simulate", "--leave", f"ana={FINANCE}")
    nested = ("simulate", "--join", f"group:intranet:sales={FINANCE}", "--json")
    assert [one["login"] for one in json.loads(bank.run(*nested))["effects"]] == ["bruno"]
    acl = ("--allow", "group:intranet:sales", "--json")
    for target in (("--doc", bank.document), ("--folder", "intranet/state")):
        found = json.loads(bank.run("simulate", *target, *acl))
        assert (found["n_gained"], found["n_lost"], found["n_targeted"]) == (1, 1, 1)
    for wrong in (
        ("--join", "bruno"),
        ("--allow", "everyone"),
        ("--doc", "x", "--folder", "y"),
    ):
        with pytest.raises(InvalidRequest):
            bank.run("simulate", *wrong)


def test_why_reveals_nothing(bank: Bank) -> None:
    assert bank.run("why", "--as", "ana", "--doc", bank.document) == "You can read it.\n"
    told = {bank.run("why", "--as", "bruno", "--doc", doc) for doc in (bank.document, "missing")}
    assert told == {
        "There is no such document here, or you may not see it.\nAsk an administrator.\n"
    }
    assert json.loads(bank.run("why", "--as", "bruno", "--doc", "x", "--json"))["visible"] is False


def test_a_policy_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('[collections.hr]\nonly = ["group:intranet:hr"]\n')
    done = CliRunner().invoke(app, ["check-policy", str(file), "--json"])
    assert json.loads(done.stdout)["collections"] == ["hr"]
    assert "collections: hr" in CliRunner().invoke(app, ["check-policy", str(file)]).stdout
    file.write_text("surprise = 1")
    with pytest.raises(SettingsError, match="surprise"):
        CliRunner().invoke(app, ["check-policy", str(file)], catch_exceptions=False)


def test_two_people_give_access_for_a_while(bank: Bank, database: Database) -> None:
    Company(database).person("max", roles=["admin", "employee"])
    why = ("--reason", "Ana is ill and the bank waits.")
    said = bank.run("break-glass", "ask", "--user", "bruno", "--doc", bank.document, *why)
    request = said.removeprefix("Asked: ").partition(". ")[0]
    with pytest.raises(Forbidden):
        bank.run("break-glass", "approve", request, "--by", "bruno")
    assert "Approved until" in bank.run("break-glass", "approve", request, "--by", "max")
    explained = bank.run("explain", "--user", "bruno", "--doc", bank.document)
    assert f"user:local|bruno → grant:{request}" in explained
    (one,) = json.loads(bank.run("break-glass", "list", "--json"))
    assert (one["state"], one["id"]) == ("active", request)
    assert "active" in bank.run("break-glass", "list")
    assert "ended" in bank.run("break-glass", "end", request)
    found = json.loads(bank.run("explain", "--user", "bruno", "--doc", bank.document, "--json"))
    assert (found["allowed"], len(found["entries"])) == (False, 1)
    types = [e["type"] for e in events_of(database) if "break_glass" in e["type"]]
    assert [one.rpartition("_")[2] for one in types] == ["asked", "approved", "ended"]
