"""Administrators look after people, groups and keys; auditors look on; others are refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from assistant.domain import Principal
from assistant.store.database import Database
from assistant.store.group_names import replace_titles
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of

FINANCE = "group:intranet:finance"


@pytest.fixture
def max_(company: Company, sign_in: SignIn) -> httpx.Client:
    company.person("max", roles=["admin"])
    return sign_in("max")


def person(admin: httpx.Client, login: str) -> dict[str, Any]:
    found = admin.get("/v1/people").json()["people"]
    return next(one for one in found if one["login"] == login)


def changes(database: Database) -> list[tuple[str, tuple[str, ...]]]:
    events = [e for e in events_of(database) if e["type"] == "policy.person_changed"]
    return [(e["data"]["change"], tuple(e["data"]["roles"])) for e in events]


def test_somebody_is_added_with_a_password_shown_once(
    max_: httpx.Client, url: str, database: Database
) -> None:
    new = {"login": "eva", "name": "Eva Dias", "roles": ["employee", "integrator"], "lang": "pt"}
    added = max_.post("/v1/people", json=new)
    assert added.status_code == 201
    assert max_.post("/v1/people", json=new).status_code == 409
    password = added.json()["password"]
    assert password not in max_.get("/v1/people").text
    session = httpx.post(f"{url}/v1/sessions", json={"login": "eva", "password": password})
    assert session.json()["person"]["roles"] == ["employee", "integrator"]
    assert person(max_, "eva")["n_sessions"] == 1
    assert changes(database) == [("added", ("employee", "integrator"))]
    assert password not in str(events_of(database))


@pytest.mark.parametrize(
    "wrong",
    [
        {"login": "x", "roles": ["admin", "auditor"]},
        {"login": "x", "roles": ["integrator", "auditor"]},
        {"login": "x", "roles": []},
        {"login": "x", "roles": ["king"]},
        {"login": "  "},
        {"login": "nul\x00"},
        {"login": "x", "password": "chosen"},
    ],
)
def test_what_makes_no_sense_is_refused(max_: httpx.Client, wrong: dict[str, Any]) -> None:
    assert max_.post("/v1/people", json=wrong).status_code == 422


def test_roles_exclude_each_other_and_nobody_changes_their_own(
    max_: httpx.Client, database: Database, sign_in: SignIn
) -> None:
    ana, me = person(max_, "ana"), person(max_, "max")
    put = max_.put(f"/v1/people/{ana['id']}/roles", json={"roles": ["admin", "auditor"]})
    assert put.status_code == 422
    assert "admin and auditor" in put.json()["detail"]
    put = max_.put(f"/v1/people/{ana['id']}/roles", json={"roles": ["auditor"]})
    assert put.json()["roles"] == ["auditor"]
    assert sign_in("ana").post("/v1/search", json={"query": "income"}).status_code == 403
    assert max_.put(f"/v1/people/{me['id']}/roles", json={"roles": ["employee"]}).status_code == 409
    assert max_.post(f"/v1/people/{me['id']}/disable").status_code == 409
    assert changes(database) == [("roles", ("auditor",))]


def test_disabling_ends_sessions_and_keys_until_enabled(
    max_: httpx.Client, sign_in: SignIn, url: str, database: Database
) -> None:
    ana, session = person(max_, "ana"), sign_in("ana")
    key = max_.post("/v1/keys", json={"login": "ana", "days": 7}).json()
    keyed = {"Authorization": f"Bearer {key['key']}"}
    assert httpx.get(f"{url}/v1/me", headers=keyed).status_code == 200
    assert max_.post(f"/v1/people/{ana['id']}/disable").json()["disabled_at"] is not None
    assert session.get("/v1/me").status_code == 401
    assert httpx.get(f"{url}/v1/me", headers=keyed).status_code == 401
    assert max_.post(f"/v1/people/{ana['id']}/enable").json()["disabled_at"] is None
    assert session.get("/v1/me").status_code == 401
    assert httpx.get(f"{url}/v1/me", headers=keyed).status_code == 200
    again = sign_in("ana")
    assert max_.delete(f"/v1/people/{ana['id']}/sessions").json()["n_sessions"] == 0
    assert again.get("/v1/me").status_code == 401
    assert [change for change, _ in changes(database)] == ["disabled", "enabled", "signed out"]


def test_a_new_password_replaces_the_old_one(
    max_: httpx.Client, company: Company, url: str
) -> None:
    company.person("rui", password="first password")
    rui = person(max_, "rui")
    password = max_.post(f"/v1/people/{rui['id']}/password").json()["password"]

    def status(tried: str) -> int:
        body = {"login": "rui", "password": tried}
        return httpx.post(f"{url}/v1/sessions", json=body).status_code

    assert (status("first password"), status(password)) == (401, 201)


def test_a_key_is_shown_once_and_ends_when_revoked(
    max_: httpx.Client, url: str, database: Database
) -> None:
    wanted = {"service": "reports", "name": "nightly", "scopes": ["ask", "own_session"], "days": 30}
    added = max_.post("/v1/keys", json=wanted)
    assert added.status_code == 201, added.text
    secret = added.json()["key"]
    keyed = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{url}/v1/me", headers=keyed).json()["person"]["login"] == "service:reports"
    listed = max_.get("/v1/keys")
    assert secret not in listed.text
    assert secret.rpartition(".")[2] not in str(events_of(database))
    (shown,) = listed.json()["keys"]
    assert (shown["owner"], shown["scopes"]) == ("service:reports", ["ask", "own_session"])
    assert max_.delete(f"/v1/keys/{added.json()['id']}").json()["revoked_at"] is not None
    assert httpx.get(f"{url}/v1/me", headers=keyed).status_code == 401
    for wrong in ({}, {"login": "ana", "service": "x"}, {"login": "ana", "scopes": ["fly"]}):
        assert max_.post("/v1/keys", json=wrong).status_code == 422, wrong
    assert max_.post("/v1/keys", json={"login": "nobody"}).status_code == 404


def test_groups_name_their_source_and_their_members(max_: httpx.Client) -> None:
    groups = {one["name"]: one for one in max_.get("/v1/groups").json()["groups"]}
    assert groups[FINANCE]["source_title"] == "The intranet"
    assert groups[FINANCE]["n_members"] == 1
    found = max_.get("/v1/groups/members", params={"group": FINANCE}).json()["members"]
    assert [(one["login"], one["full_name"]) for one in found] == [("ana", "Ana")]
    missing = max_.get("/v1/groups/members", params={"group": "group:intranet:nobody"})
    assert missing.status_code == 404
    detail = max_.get(f"/v1/people/{person(max_, 'ana')['id']}").json()
    (held,) = detail["groups"]
    assert (held["name"], held["path"]) == (FINANCE, ["user:local|ana", FINANCE])
    assert max_.get("/v1/people/nobody").status_code == 404


def test_groups_are_called_by_their_names_wherever_they_are_spoken_of(
    max_: httpx.Client, company: Company
) -> None:
    """Ids of Graph, SIDs of groups and of people: each with what people call it, and its source."""
    sid, own = "S-1-5-21-1-2001", "S-1-5-21-1-1105"
    company.join("ana", "7f3a-guid")
    company.join("ana", own)
    company.join("bruno", sid)
    told = {sid: "Sales", "7f3a-guid": " Board ", "finance": ""}
    titles = {Principal(f"group:intranet:{name}"): title for name, title in told.items()}
    with company.database.begin() as conn:
        replace_titles(conn, company.source_id, titles)
    company.document("minutes", "The board met.", allow=["group:7f3a-guid", f"group:{sid}"])
    groups = {one["name"]: one for one in max_.get("/v1/groups").json()["groups"]}
    called = {name.removeprefix("group:intranet:"): one["title"] for name, one in groups.items()}
    assert called == {"finance": "", "sales": "", sid: "Sales", "7f3a-guid": "Board", own: "Ana"}

    def named(path: str, **asked: str) -> dict[str, tuple[str, str]]:
        names = max_.get(path, params=asked).json()["names"]
        return {one["name"]: (one["title"], one["source_title"]) for one in names}

    board = ("Board", "The intranet")
    everything = {"group:intranet:7f3a-guid": board, f"group:intranet:{sid}": ("Sales", board[1])}
    explained = named("/v1/access/explain", user="ana", document="minutes")
    assert explained == named("/v1/access/readers", document="minutes") == everything
    assert named("/v1/access/reading", user="ana")["group:intranet:7f3a-guid"] == board
    compared = named("/v1/access/compare", user="ana", other="bruno")
    of_ana = {FINANCE: ("", board[1]), f"group:intranet:{own}": ("Ana", board[1])}
    assert compared == {**everything, **of_ana, "group:intranet:sales": ("", board[1])}
    held = named(f"/v1/people/{person(max_, 'ana')['id']}")
    assert held == {**of_ana, "group:intranet:7f3a-guid": board}
    members = named("/v1/groups/members", group=f"group:intranet:{sid}")
    assert members == {f"group:intranet:{sid}": ("Sales", board[1])}
    with company.database.begin() as conn:
        replace_titles(conn, company.source_id, {})
    assert named("/v1/access/explain", user="ana", document="minutes")[
        "group:intranet:7f3a-guid"
    ] == ("", board[1])


def test_both_ways_through_the_rights(max_: httpx.Client, company: Company) -> None:
    paper = company.document("secret-plan", "The plan.", allow=["group:finance"])
    told = max_.get("/v1/access/reading", params={"user": "ana"})
    assert "plan" not in told.text.lower()
    shelves = {one["rule"]: one for one in told.json()["shelves"]}
    assert shelves[f"allow {FINANCE}"]["n_documents"] == 2
    assert shelves[f"allow {FINANCE}"]["path"] == ["user:local|ana", FINANCE]
    assert paper in shelves[f"allow {FINANCE}"]["examples"]
    assert (told.json()["n_documents"], told.json()["n_closed"]) == (3, 1)
    for name in (paper, "secret-plan", "https://intranet.example/secret-plan"):
        found = max_.get("/v1/access/readers", params={"document": name}).json()
        assert found["document_id"] == paper
        assert [(one["login"], one["rule"]) for one in found["readers"]] == [
            ("ana", f"allow {FINANCE}")
        ]
    closed = max_.get("/v1/access/reading", params={"user": "max"}).json()
    assert (closed["may_open"], closed["n_documents"]) == (False, 0)
    assert max_.get("/v1/access/readers", params={"document": "nothing"}).status_code == 404


def test_why_by_name_is_the_same_for_missing_and_forbidden(
    sign_in: SignIn, company: Company, database: Database
) -> None:
    ana, bruno = sign_in("ana"), sign_in("bruno")
    names = ["annual-report", "Annual Report", "https://intranet.example/annual-report", "nothing"]
    told = [bruno.get("/v1/access/why", params={"document": name}) for name in names]
    assert len({response.text for response in told}) == 1
    assert not told[0].json()["visible"]
    seen = [ana.get("/v1/access/why", params={"document": n}).json()["visible"] for n in names]
    assert seen == [True, True, True, False]
    examined = [e["data"] for e in events_of(database) if e["type"] == "access.examined"]
    assert {(one["purpose"], one["document_id"]) for one in examined} == {("why", "")}


def test_auditors_look_on_and_others_see_nothing(
    sign_in: SignIn, company: Company, max_: httpx.Client
) -> None:
    company.person("olga", roles=["auditor"])
    olga, ana = sign_in("olga"), sign_in("ana")
    for path in ("/v1/people", "/v1/groups", "/v1/keys", f"/v1/people/{person(max_, 'ana')['id']}"):
        assert olga.get(path).status_code == 200, path
        assert ana.get(path).status_code == 403, path
    assert olga.post("/v1/people", json={"login": "x"}).status_code == 403
    assert olga.get("/v1/access/reading", params={"user": "ana"}).status_code == 403
