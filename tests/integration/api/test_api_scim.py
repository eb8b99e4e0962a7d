"""People and groups that Entra ID and Okta push, by the requests that they document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.access.explanation import explain
from assistant.access.identity import lock_out
from assistant.access.key import give_key, service
from assistant.access.rights import rights
from assistant.api.app import create_app
from assistant.domain import Principal
from assistant.errors import InvalidRequest
from assistant.settings import IdentitySettings, Settings
from assistant.store import memberships, people
from assistant.store.database import Database
from assistant.store.group_names import names_of
from assistant.store.groups import groups as all_groups
from assistant.store.heads import policy_epoch
from tests.support.company import Company, assembled, events_of, served, signed_in
from tests.support.scim import (
    ENTERPRISE,
    ERROR,
    GROUP,
    ISSUER,
    PATCH,
    USER,
    Json,
    Pusher,
    scim_key,
)
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import events

Push = Callable[..., Pusher]

ENTRA_USER = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1",
    "active": True,
    "emails": [
        {"primary": True, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"},
    ],
    "meta": {"resourceType": "User"},
    "name": {
        "formatted": "givenName familyName",
        "familyName": "familyName",
        "givenName": "givenName",
    },
    "roles": [],
}
OKTA_USER = {
    "schemas": [USER],
    "userName": "test.user@okta.local",
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"primary": True, "value": "test.user@okta.local", "type": "work"}],
    "displayName": "Test User",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    oidc = {"issuer": ISSUER, "audience": "https://assistant.example"}
    return Settings(data_dir=tmp_path, identity=IdentitySettings.model_validate({"oidc": oidc}))


@pytest.fixture
def url(company: Company, generator: ScriptedGenerator, settings: Settings) -> Iterator[str]:
    with served(create_app(assembled(settings, company.database, generator))) as address:
        yield address


@pytest.fixture
def push(url: str, database: Database, settings: Settings) -> Iterator[Push]:
    """Pushes with the key of a service, by default `entra`."""
    with ExitStack() as stack:

        def pusher(name: str = "entra", company: str = "") -> Pusher:
            key = scim_key(database, settings, name, company)
            headers = {"Authorization": f"Bearer {key}"}
            client = httpx.Client(base_url=url, timeout=30, headers=headers)
            return Pusher(stack.enter_context(closing(client)))

        yield pusher


def readable(url: str, database: Database, person_id: str) -> int:
    """Count what a pushed person may read, over the API."""
    with database.begin() as conn:
        person = people.person_by_id(conn, person_id)
        assert person is not None
    with closing(signed_in(url, database, person.login)) as client:
        return int(client.get("/v1/me").json()["readable"]["n_documents"])


def refused(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the type of an error, which must have SCIM's shape."""
    body = response.json()
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(response.status_code)
    assert body["detail"]
    assert response.headers["content-type"].startswith("application/scim+json")
    return response.status_code, body.get("scimType", "")


def test_people_as_entra_pushes_them(push: Push, database: Database) -> None:
    entra = push()
    created = entra.send("POST", "/Users", ENTRA_USER)
    assert created.status_code == 201
    user = created.json()
    assert created.headers["location"] == user["meta"]["location"]
    assert user["meta"]["location"].endswith(f"/scim/v2/Users/{user['id']}")
    sent = {k: v for k, v in ENTRA_USER.items() if k not in {"meta", "roles", "schemas"}}
    assert {k: user[k] for k in sent} == sent
    assert entra.call("GET", f"/Users/{user['id']}") == user
    name, path = ENTRA_USER["userName"], f"/Users/{user['id']}"
    found = entra.call("GET", "/Users", filter=f'userName eq "{str(name).upper()}"')
    assert (found["totalResults"], found["Resources"]) == (1, [user])
    none = entra.call("GET", "/Users", filter='userName eq "non-existent user"')
    assert (none["totalResults"], none["Resources"]) == (0, [])
    changed = entra.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updated@example.com"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "not kept"},
    )
    assert changed["emails"][0]["value"] == "updated@example.com"
    assert changed["name"]["familyName"] == "updatedFamilyName"
    off = entra.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    assert off["active"] is False
    with database.begin() as conn:
        person = people.person_by_id(conn, user["id"])
    assert person is not None
    assert (person.issuer, person.subject) == (ISSUER, ENTRA_USER["externalId"])
    assert person.disabled_at is not None
    assert person.email == "updated@example.com"
    on = entra.patch(path, {"op": "Replace", "value": {"active": "True", "displayName": "Tess"}})
    assert (on["active"], on["displayName"]) == (True, "Tess")
    assert entra.send("DELETE", path).status_code == 204
    assert refused(entra.send("GET", path)) == (404, "")
    told = [e["data"] for e in events_of(database) if e["type"] == "policy.person_pushed"]
    assert [one["change"] for one in told] == ["added", "changed", "disabled", "enabled", "removed"]
    assert told[1]["attributes"] == ["emails", "name"]
    # Names stand sealed in the log.
    assert all(set(one["user_name"]) == {"key", "sealed"} for one in told)


def test_groups_as_entra_pushes_them(
    push: Push, company: Company, database: Database, url: str
) -> None:
    entra = push()
    ana, bo = entra.user("ana"), entra.user("bo")
    created = entra.send(
        "POST",
        "/Groups",
        {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "displayName",
            "meta": {"resourceType": "Group"},
        },
    )
    assert created.status_code == 201
    group, path = created.json()["id"], f"/Groups/{created.json()['id']}"
    shown = entra.call("GET", path, excludedAttributes="members")
    assert "members" not in shown
    by_name = 'displayName eq "displayname"'
    found = entra.call("GET", "/Groups", excludedAttributes="members", filter=by_name)
    assert [one["id"] for one in found["Resources"]] == [group]
    renamed = {"op": "Replace", "path": "displayName", "value": "1879db59"}
    sent = {"schemas": [PATCH], "Operations": [renamed]}
    assert entra.send("PATCH", path, sent).status_code == 204
    assert entra.call("GET", path)["displayName"] == "1879db59"
    company.document("minutes", "The board met in March.", allow=[f"group://scim/{group}"])
    assert readable(url, database, ana) == 1
    one = [{"$ref": None, "value": ana}]
    entra.patch(path, {"op": "Add", "path": "members", "value": [*one, {"value": bo}]})
    entra.patch(path, {"op": "Add", "path": "members", "value": one})
    assert entra.members(group) == {ana, bo}
    assert readable(url, database, ana) == 2
    asked = f'id eq "{group}" and members eq "{ana}"'
    assert entra.call("GET", "/Groups", filter=asked)["totalResults"] == 1
    entra.patch(path, {"op": "Remove", "path": "members", "value": one})
    assert entra.members(group) == {bo}
    assert entra.call("GET", "/Groups", filter=asked)["totalResults"] == 0
    assert readable(url, database, ana) == 1
    assert entra.send("DELETE", path).status_code == 204
    assert readable(url, database, bo) == 1
    pushed = [e["data"] for e in events_of(database) if e["type"] == "policy.group_pushed"]
    assert [(one["change"], one["joined"], one["left"]) for one in pushed] == [
        ("added", [], []),
        ("changed", [], []),
        ("changed", sorted([ana, bo]), []),
        ("changed", [], [ana]),
        ("removed", [], [bo]),
    ]


def test_people_and_groups_as_okta_pushes_them(push: Push, database: Database) -> None:
    okta = push("okta")
    by_name = 'userName eq "test.user@okta.local"'
    asked = okta.call("GET", "/Users", filter=by_name, startIndex="1", count="100")
    assert asked["Resources"] == []
    user = okta.call("POST", "/Users", OKTA_USER)
    assert "password" not in user
    assert (user["externalId"], user["locale"]) == ("00ujl29u0le5T6Aj10h7", "en-US")
    path = f"/Users/{user['id']}"
    replaced = okta.call(
        "PUT",
        path,
        {
            **OKTA_USER,
            "id": user["id"],
            "name": {"givenName": "Another", "middleName": "Excited", "familyName": "User"},
            "displayName": "Another User",
            "meta": {"resourceType": "User"},
        },
    )
    assert replaced["name"]["middleName"] == "Excited"
    off = okta.patch(path, {"op": "replace", "value": {"active": False}})
    assert off["active"] is False
    assert okta.patch(path, {"op": "replace", "value": {"active": True}})["active"] is True
    group = okta.call(
        "POST", "/Groups", {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []}
    )
    at = f"/Groups/{group['id']}"
    okta.patch(
        at, {"op": "replace", "value": {"id": group["id"], "displayName": "Test SCIMv2 renamed"}}
    )
    okta.patch(
        at,
        {"op": "remove", "path": f'members[value eq "{user["id"]}"]'},
        {"op": "add", "path": "members", "value": [{"value": user["id"], "display": "x"}]},
    )
    assert okta.call("GET", path)["groups"][0]["display"] == "Test SCIMv2 renamed"
    okta.patch(at, {"op": "remove", "path": f'members[value eq "{user["id"]}"]'})
    assert okta.members(group["id"]) == set()
    held = [{"value": user["id"], "display": "test.user@okta.local"}]
    whole = {"schemas": [GROUP], "id": group["id"], "displayName": "Test SCIMv2", "members": held}
    assert okta.call("PUT", at, whole)["members"][0]["type"] == "User"
    okta.patch(at, {"op": "replace", "path": "members", "value": []})
    assert okta.members(group["id"]) == set()
    pages = [okta.call("GET", "/Users", startIndex=str(n), count="1") for n in (1, 2)]
    assert [(p["totalResults"], p["itemsPerPage"]) for p in pages] == [(1, 1), (1, 0)]
    with database.begin() as conn:
        person = people.person_by_id(conn, user["id"])
    assert person is not None
    assert person.name == "Another User"
    assert person.roles == {"employee"}


def test_what_is_wrong_is_said_in_scim_s_words(push: Push) -> None:
    entra = push()
    ana = entra.user("ana")
    bo = entra.user("bo")
    group = entra.group("Finance", ana)

    def patched(at: str, /, **operation: Any) -> tuple[int, str]:
        body = {"schemas": [PATCH], "Operations": [operation]}
        return refused(entra.send("PATCH", at, body))

    def posted(at: str, /, **body: Any) -> tuple[int, str]:
        return refused(entra.send("POST", at, body))

    user, at = f"/Users/{ana}", f"/Groups/{group}"
    assert posted("/Users", userName="ANA", externalId="x") == (409, "uniqueness")
    assert posted("/Users", userName="cleo", externalId="id-ana") == (409, "uniqueness")
    assert posted("/Groups", displayName="finance") == (409, "uniqueness")
    assert posted("/Users", userName="cleo") == (400, "invalidValue")
    assert posted("/Users", externalId="x") == (400, "invalidValue")
    assert posted("/Users", userName="a\x00", externalId="x") == (400, "invalidValue")
    assert posted("/Groups", displayName="x", members=[{"value": "none"}]) == (400, "invalidValue")
    assert patched(user, op="replace", path="externalId", value="id-x") == (400, "mutability")
    assert patched(user, op="replace", path="userName", value="Bo") == (409, "uniqueness")
    assert patched(user, op="replace", path="active", value="perhaps") == (400, "invalidValue")
    assert patched(user, op="remove", path="userName") == (400, "invalidValue")
    assert patched(user, op="replace", value="x") == (400, "invalidValue")
    assert patched(user, op="replace", path="emails[", value="x") == (400, "invalidPath")
    assert patched(user, op="replace", path="emails[a]", value="x") == (400, "invalidFilter")
    assert patched(user, op="move", path="active") == (400, "invalidSyntax")
    by_id = f'members[value eq "{bo}"]'
    assert patched(at, op="replace", path=by_id, value={"display": "x"}) == (400, "noTarget")
    assert patched(at, op="add", path="members", value=[{"value": group}]) == (400, "invalidValue")
    for wrong in ('userName eq "a', "userName eq", "userName gt 1", "(" * 30, "userName eq ana"):
        listed = entra.send("GET", "/Users", filter=wrong)
        assert refused(listed) == (400, "invalidFilter"), wrong
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {"displayName": "x", "Operations": [{"op": "add", "value": {}}], "userName": "x"}
        for path in ("/Users/none", f"/Users/{group}", "/Groups/none", f"/Groups/{ana}"):
            sent = body if method in {"PUT", "PATCH"} else None
            assert refused(entra.send(method, path, sent)) == (404, ""), (method, path)
    assert refused(entra.send("GET", "/Nothing"))[0] == 404
    headers = {"Content-Type": "application/scim+json"}
    broken = entra.client.post("/scim/v2/Users", content=b"{", headers=headers)
    assert refused(broken) == (400, "invalidSyntax")
    # Nothing of all that was done.
    assert entra.members(group) == {ana}
    assert entra.call("GET", user)["userName"] == "ana"


def test_only_a_key_of_a_service_for_nothing_else_may_push(
    push: Push, url: str, database: Database, settings: Settings, company: Company
) -> None:
    company.person("max", roles=["admin"])
    with database.begin() as conn:
        owner, _ = service(conn, "crm", ["employee"])
        asking = give_key(conn, settings, owner, "", ("ask",), 1)[1]
        pushing = give_key(conn, settings, owner, "", ("scim",), 1)[1]
        with pytest.raises(InvalidRequest, match="without another"):
            give_key(conn, settings, owner, "", ("scim", "ask"), 1)
        with pytest.raises(InvalidRequest, match="a service's key"):
            give_key(conn, settings, people.person_with_login(conn, "max"), "", ("scim",), 1)
        session = people.start_session(conn, people.person_with_login(conn, "max").id, 60)
    for token in (asking, session):
        response = httpx.get(f"{url}/scim/v2/Users", headers={"Authorization": f"Bearer {token}"})
        assert refused(response) == (403, "")
    assert refused(httpx.get(f"{url}/scim/v2/Users")) == (401, "")
    headers = {"Authorization": f"Bearer {pushing}"}
    assert httpx.get(f"{url}/v1/me", headers=headers).status_code == 403
    speaking = {**headers, "On-Behalf-Of": session}
    assert refused(httpx.get(f"{url}/scim/v2/Users", headers=speaking)) == (401, "")
    assert httpx.get(f"{url}/scim/v2/Users", headers=headers).status_code == 200


def test_a_directory_sees_and_touches_only_its_own(push: Push, database: Database) -> None:
    acme, blue = push("acme", "acme"), push("blue", "blue")
    ana = acme.user("ana")
    team = acme.group("Team", ana)
    before = acme.call("GET", f"/Groups/{team}")
    changes = {"Operations": [{"op": "replace", "path": "displayName", "value": "x"}]}
    for path, whole in (
        (f"/Users/{ana}", {"userName": "x", "externalId": "id-ana"}),
        (f"/Groups/{team}", {"displayName": "x"}),
    ):
        missing = f"/{path.split('/')[1]}/none"
        for method, body in (("GET", None), ("PUT", whole), ("PATCH", changes), ("DELETE", None)):
            foreign, absent = (blue.send(method, one, body) for one in (path, missing))
            assert refused(foreign) == (404, "")
            assert foreign.json() == absent.json()
    assert blue.call("GET", "/Users")["totalResults"] == 0
    assert blue.call("GET", "/Groups", filter=f'members eq "{ana}"')["totalResults"] == 0
    stolen = {"displayName": "Spies", "members": [{"value": ana}]}
    assert refused(blue.send("POST", "/Groups", stolen)) == (400, "invalidValue")
    stolen["members"] = [{"value": team}]
    assert refused(blue.send("POST", "/Groups", stolen)) == (400, "invalidValue")
    again = {"userName": "ana", "externalId": "id-ana"}
    assert refused(blue.send("POST", "/Users", again)) == (409, "uniqueness")
    acme.call("DELETE", f"/Users/{ana}")
    # Still of the other tenant.
    assert refused(blue.send("POST", "/Users", again)) == (409, "uniqueness")
    assert acme.members(team) == set()
    assert blue.user("ana", "id-blue") != ana
    blue.group("Team")
    assert acme.call("GET", f"/Groups/{team}")["displayName"] == before["displayName"]
    with database.begin() as conn:
        person = people.person_by_id(conn, ana)
    assert person is not None
    assert person.company == "acme"


def test_a_lock_of_an_operator_is_not_lifted_by_a_push(push: Push, database: Database) -> None:
    entra = push()
    ana = entra.user("ana")
    path, login = f"/Users/{ana}", f"{ISSUER}|id-ana"

    def active(value: bool) -> None:
        entra.patch(path, {"op": "replace", "path": "active", "value": value})

    def is_out() -> bool:
        with database.begin() as conn:
            return people.person_with_login(conn, login).disabled_at is not None

    active(False)
    assert is_out()
    active(True)
    assert not is_out()
    with database.begin() as conn:
        lock_out(conn, login)
    active(False)
    active(True)
    assert is_out()
    entra.call("DELETE", path)
    assert entra.user("ana") == ana
    assert is_out()
    with database.begin() as conn:
        people.enable(conn, login)
    entra.call("DELETE", path)
    assert is_out()
    assert entra.user("ana") == ana
    assert not is_out()
    active(False)
    with database.begin() as conn:
        lock_out(conn, login)
    active(True)
    assert is_out()


@pytest.mark.parametrize("how", ["active", "delete"])
def test_a_push_that_disables_ends_what_runs(
    push: Push, url: str, database: Database, generator: ScriptedGenerator, how: str
) -> None:
    entra = push()
    ana = entra.user("ana")
    generator.hold(0)
    with closing(signed_in(url, database, f"{ISSUER}|id-ana")) as client:
        with client.stream(
            "POST", "/v1/chat", json={"question": "When does the canteen open?"}
        ) as r:
            assert r.status_code == 200
            if how == "active":
                entra.patch(f"/Users/{ana}", {"op": "Replace", "path": "active", "value": "False"})
            else:
                entra.call("DELETE", f"/Users/{ana}")
            ended = list(events(r))
        assert (ended[-1][0], ended[-1][1]["status"]) == ("problem", 401)
        assert client.get("/v1/me").status_code == 401
    aborted = [event for event in events_of(database) if event["type"] == "query.aborted"]
    assert aborted[-1]["data"]["reason"] == "unauthenticated"


def test_nested_groups_are_explained_and_end_at_once(
    push: Push, url: str, database: Database, company: Company
) -> None:
    entra = push()
    ana = entra.user("ana")
    inner = entra.group("Treasury", ana)
    outer = entra.group("Finance", inner)
    entra.patch(f"/Groups/{inner}", {"op": "add", "path": "members", "value": [{"value": outer}]})
    paper = company.document("minutes", "The board met.", allow=[f"group://scim/{outer}"])
    assert readable(url, database, ana) == 2
    login = f"{ISSUER}|id-ana"
    with database.begin() as conn:
        explained = explain(conn, login, paper)
        everybody = rights(conn)
        epoch = policy_epoch(conn)
        known = names_of(conn, explained.entries[0].path)
        listed = {one.name: one for one in all_groups(conn)}
    assert explained.allowed
    assert [(one.title, one.source, one.source_title) for one in known.values()] == [
        (title, "", "entra") for _, title in sorted(((inner, "Treasury"), (outer, "Finance")))
    ]
    assert listed[Principal(f"group:scim:{outer}")].title == "Finance"
    assert listed[Principal(f"group:scim:{outer}")].as_of is not None
    assert explained.entries[0].path == (
        f"user:{login}",
        f"group:scim:{inner}",
        f"group:scim:{outer}",
    )
    (person,) = [one for one in everybody.people if one.id == ana]
    assert f"group:scim:{outer}" in everybody.principals(person)
    entra.call("DELETE", f"/Groups/{outer}")
    assert readable(url, database, ana) == 1
    assert entra.members(inner) == {ana}
    with database.begin() as conn:
        assert policy_epoch(conn) > epoch
        groups = {group for _, group in memberships.memberships_of(conn)}
    assert f"group:scim:{outer}" not in groups


def test_it_tells_what_it_can(push: Push) -> None:
    entra = push()
    config = entra.call("GET", "/ServiceProviderConfig")
    assert config["patch"]["supported"]
    kinds = entra.call("GET", "/ResourceTypes")["Resources"]
    assert [one["endpoint"] for one in kinds] == ["/Users", "/Groups"]
    assert entra.call("GET", "/ResourceTypes/User") == kinds[0]
    schemas: list[Json] = entra.call("GET", "/Schemas")["Resources"]
    assert [one["id"] for one in schemas] == [USER, GROUP]
    assert entra.call("GET", f"/Schemas/{USER}") == schemas[0]
    assert refused(entra.send("GET", "/Schemas/urn:none")) == (404, "")
    user = entra.call("POST", "/Users", OKTA_USER, attributes="userName,name.familyName")
    assert set(user) == {"schemas", "id", "userName", "name"}
