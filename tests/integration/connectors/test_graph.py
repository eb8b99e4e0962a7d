"""The connector graph against a replay of Microsoft's documentation."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import JsonValue, ValidationError

from assistant.store.database import Database
from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    RetryLater,
)
from connectors.following import Following
from connectors.graph import Graph, GraphConfig
from connectors.graph_access import Grants
from connectors.graph_session import CLOUDS, Application, Cloud, assertion
from tests.support import graph_replay
from tests.support.finding import Finding
from tests.support.graph_replay import Replay, granted, user
from tests.support.nightly import many

ANA = granted("read", user={"id": "id-ana"})
HR = granted("write", group={"id": "hr"})


@pytest.fixture
def replay() -> Iterator[Replay]:
    with graph_replay.serving() as found:
        found.people = [user("ana"), user("bob"), user("gone", enabled=False)]
        found.members = {
            "hr": [user("bob"), user("gone")],
            "staff": [{"@odata.type": "#microsoft.graph.group", "id": "hr"}, user("ana")],
        }
        found.put("a.txt", "The pay rises in June.", ANA)
        found.put("b.txt", "Soup on Mondays.", ANA, HR)
        found.put("Plano 日本.txt", "x", HR, folder="/hr/2026")
        yield found


def graph(replay: Replay, **changed: Any) -> Graph:
    given: dict[str, Any] = {
        "tenant": "contoso.com",
        "client_id": "app",
        "client_secret": graph_replay.SECRET,
    }
    given |= {"sites": ["contoso.sharepoint.com/sites/hr"], "timeout_s": 20}
    cloud = Cloud(replay.url, replay.url, (".127.0.0.1",), is_internal=True)
    return Graph(GraphConfig.model_validate({**given, **changed}), cloud)


def listed(connector: Connector, since: Any = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def last(found: Listing) -> Any:
    return json.loads(json.dumps(found.marks[-1].cursor))


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def _replay(self, replay: Replay) -> None:
        self.replay = replay

    def make(self) -> Connector:
        return graph(self.replay)

    def make_unusable(self) -> Connector:
        return graph(Replay(url="http://127.0.0.1:1"))


class TestFollowing(Following):
    many = 1_000  # the permissions of each file take a request

    @pytest.fixture(autouse=True)
    def _replay(self, replay: Replay, request: pytest.FixtureRequest) -> None:
        self.replay, self.many = replay, many(request, self.many)

    def make(self) -> Connector:
        return graph(self.replay)

    def make_unusable(self) -> Connector:
        return graph(Replay(url="http://127.0.0.1:1"))

    def add(self, name: str, text: str) -> None:
        self.replay.put(name, text, ANA)

    change = add

    def delete(self, name: str) -> None:
        self.replay.delete(name)

    def revoke(self, name: str) -> None:
        self.replay.share(name, HR)

    def expire(self, cursor: JsonValue) -> JsonValue:
        self.replay.share("a.txt", ANA)
        self.replay.oldest = len(self.replay.log)
        return cursor

    def throttle(self) -> None:
        """The permissions of the second file, in the middle of a page."""
        self.replay.busy["/v1.0/drives/b!drive/items/b.txt/permissions"] = 2

    def empty(self) -> None:
        for name in [*self.replay.items]:
            self.replay.delete(name)

    def fill(self, n: int) -> None:
        self.replay.page = 200  # as Graph's pages are, which hold two files in the other tests
        for k in range(n):
            self.replay.put(f"{k}.txt", "", ANA)


def test_a_delta_lists_only_what_changed(replay: Replay) -> None:
    found = listed(graph(replay))
    assert {item.id for item in found.items} == {
        f"{graph_replay.DRIVE}/{name}" for name in ("a.txt", "b.txt", "Plano 日本.txt")
    }
    assert isinstance(found.marks[-1], Complete)
    assert not any(listed(graph(replay), last(found)).pages)
    before = {item.title: item for item in found.items}
    replay.share("a.txt", HR)
    replay.put("c.txt", "New.", ANA)
    replay.delete("b.txt")
    later = listed(graph(replay), last(found))
    events = [event for page in later.pages for event in page]
    assert {event.id for event in events if isinstance(event, Gone)} == {"b!drive/b.txt"}
    changed = {item.title: item for item in later.items}
    assert set(changed) == {"a.txt", "c.txt"}
    assert changed["a.txt"].version == before["a.txt"].version
    assert changed["a.txt"].access.allow == {"group:hr"}
    assert not any(isinstance(mark, Complete) for mark in later.marks)


def test_what_a_delta_can_not_tell_is_listed_afresh(replay: Replay) -> None:
    cursor = last(listed(graph(replay)))
    with pytest.raises(CursorExpired, match="due to be read again"):
        listed(graph(replay, relist_hours=0), cursor)
    with pytest.raises(CursorExpired, match="other libraries"):
        listed(graph(replay, drives=["b!other"]), cursor)
    with pytest.raises(CursorExpired):
        listed(graph(replay), {"after": "x"})
    replay.folder("hr")
    with pytest.raises(CursorExpired, match="A folder changed"):
        listed(graph(replay), cursor)
    replay.oldest = 99
    with pytest.raises(CursorExpired, match="no longer knows"):
        listed(graph(replay), cursor)


@pytest.mark.parametrize("status", [429, 503])
def test_patience_is_asked_for(replay: Replay, status: int) -> None:
    replay.answer = (status, {"Retry-After": "7"})
    with pytest.raises(RetryLater) as caught:
        listed(graph(replay))
    assert caught.value.after_s == 7


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"client_secret": "wrong"}, "gives no token"),
        ({"sites": ["contoso.sharepoint.com/sites/other"]}, "There is no site"),
    ],
)
def test_a_sentence_says_what_is_wrong(replay: Replay, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ConnectorError, match=says) as caught:
        asyncio.run(graph(replay, **changed).check())
    assert graph_replay.SECRET not in str(caught.value)


def test_a_missing_permission_is_named(replay: Replay) -> None:
    replay.answer = (403, {})
    with pytest.raises(ConnectorError, match="grant it the permissions"):
        asyncio.run(graph(replay).check())


def test_the_token_stays_at_graph(replay: Replay) -> None:
    found = listed(graph(replay))
    cursor = last(found)
    cursor["links"] = {graph_replay.DRIVE: "http://127.0.0.1:1/v1.0/stolen"}
    with pytest.raises(ConnectorError, match="leads away"):
        listed(graph(replay), cursor)
    elsewhere = Cloud(replay.url, replay.url, (".sharepoint.com",), is_internal=True)
    given = graph(replay)._config

    async def fetch() -> None:
        connector = Graph(given, elsewhere)
        try:
            async for _ in connector.fetch(found.items[0]):
                pass
        finally:
            await connector.aclose()

    with pytest.raises(ConnectorError, match="not Microsoft's"):
        asyncio.run(fetch())
    assert not [path for path in replay.asked if path.startswith("/download")]


def test_groups_stay_nested_without_disabled_people(replay: Replay) -> None:
    async def story(connector: Graph) -> dict[str, frozenset[str]]:
        try:
            return {group.id: group.members async for group in connector.groups()}
        finally:
            await connector.aclose()

    assert asyncio.run(story(graph(replay))) == {
        "group:hr": {"user:bob@contoso.com"},
        "group:staff": {"group:hr", "user:ana@contoso.com"},
    }
    foreign = asyncio.run(story(graph(replay, login="id", issuer="https://login/tid")))
    assert foreign["group:hr"] == {"user:https://login/tid|id-bob"}


def test_groups_are_called_as_entra_calls_them(replay: Replay) -> None:
    replay.titles = {"hr": "Recursos humanos"}

    async def story(connector: Graph) -> dict[str, str]:
        try:
            return {group.id: group.title async for group in connector.groups()}
        finally:
            await connector.aclose()

    titles = asyncio.run(story(graph(replay)))
    assert titles == {"group:hr": "Recursos humanos", "group:staff": ""}


def link(scope: str | None, *names: str, **more: Any) -> dict[str, Any]:
    """A sharing link, with the people it is for."""
    facet = {"type": "view"} | ({"scope": scope} if scope else {})
    named = [{"user": {"id": f"id-{name}"}} for name in names]
    return {"id": "2", "roles": ["read"], "link": facet, "grantedToIdentitiesV2": named, **more}


GUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("permission", "allow"),
    [
        (ANA, {"user:ana"}),
        (HR, {"group:hr"}),
        (granted("owner", siteGroup={"displayName": "HR Members"}), {"group:team"}),
        (granted("read", siteGroup={"displayName": "Other"}), set()),
        (granted("sp.limitedAccess", user={"id": "id-ana"}), set()),
        (granted("read", user={"id": "id-stranger"}), set()),
        (granted("read", siteUser={"loginName": f"c:0t.c|tenant|{GUID}"}), {f"group:{GUID}"}),
        (
            granted(
                "read", siteUser={"loginName": f"c:0o.c|federateddirectoryclaimprovider|{GUID}_o"}
            ),
            set(),
        ),
        (link("organization", "ana"), set()),
        (link("anonymous"), set()),
        (link("existingAccess", "ana"), set()),
        (link("users", "ana"), {"user:ana"}),
        (link(None, "ana", "stranger"), {"user:ana"}),
        (link("users", "ana", expirationDateTime="2020-01-01T00:00:00Z"), set()),
        (link("users", "ana", expirationDateTime="0001-01-01T00:00:00Z"), {"user:ana"}),
        (link("users", "ana", hasPassword=True), set()),
        ({**ANA, "inheritedFrom": {"path": "/drive/root:/hr"}}, {"user:ana"}),
        ({"id": "3", "roles": ["read"], "invitation": {"email": "x@example.com"}}, set()),
    ],
)
def test_what_a_permission_grants(permission: dict[str, Any], allow: set[str]) -> None:
    grants = Grants({"id-ana": "user:ana"}, {"HR Members": "group:team"})
    assert grants.access([permission]).allow == allow
    open_ = Grants({}, {}, frozenset({"everyone"}), frozenset({"group:guests"}))
    assert open_.access([link("organization")]).allow == {"everyone"}
    assert open_.access([link("anonymous")]).allow == {"group:guests"}


def test_permissions_that_can_not_be_read_are_nobody(replay: Replay) -> None:
    replay.permissions["a.txt"] = [{"roles": ["read"], "link": None, "grantedToV2": None}]
    found = listed(graph(replay))
    assert {item.title: item.access.allow for item in found.items}["a.txt"] == frozenset()
    assert not [e for page in found.pages for e in page if isinstance(e, Failed)]


def test_an_application_with_a_certificate(replay: Replay, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "assistant")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 7, now, now.replace(year=now.year + 1)
    ).sign(key, hashes.SHA256())
    certificate, secret = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    listed(graph(replay, client_secret=None, certificate=certificate, key=secret))
    (sent,) = replay.forms[-1]["client_assertion"]
    signed, _, signature = sent.rpartition(".")
    header, claims = (json.loads(_bytes(part)) for part in signed.split("."))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
    key.public_key().verify(_bytes(signature), signed.encode(), pss, hashes.SHA256())
    assert header["alg"] == "PS256"
    assert _bytes(header["x5t#S256"]) == made.fingerprint(hashes.SHA256())
    assert (claims["iss"], claims["aud"]) == ("app", f"{replay.url}/contoso.com/oauth2/v2.0/token")
    with pytest.raises(ConnectorError, match="can't be read"):
        assertion(Application("t", "c", "", tmp_path / "missing", secret), "x")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_national_clouds_have_hosts_of_their_own() -> None:
    assert CLOUDS["china"].graph == "https://microsoftgraph.chinacloudapi.cn"
    assert CLOUDS["us"].login == "https://login.microsoftonline.us"


def test_a_configuration_names_how_to_sign_in_and_what_to_read() -> None:
    base = {"tenant": "t", "client_id": "c"}
    with pytest.raises(ValidationError, match="either a client_secret"):
        GraphConfig.model_validate({**base, "sites": ["x"]})
    with pytest.raises(ValidationError, match="give sites, users or drives"):
        GraphConfig.model_validate({**base, "client_secret": "s"})


def test_each_person_finds_what_is_shared_with_them(
    replay: Replay, database: Database, tmp_path: Path
) -> None:
    bench = Finding(database, tmp_path)
    question = "When does the pay rise, and is there soup?"
    assert bench.sync("hr", "graph", graph(replay)).counts.added == 3
    pay, soup = "The pay rises in June.", "Soup on Mondays."
    assert bench.texts("ana@contoso.com", question) >= {pay, soup}
    assert pay not in bench.texts("bob@contoso.com", question)
    assert soup in bench.texts("bob@contoso.com", question)
    replay.asked.clear()
    replay.share("a.txt", HR)
    replay.delete("b.txt")
    report = bench.sync("hr", "graph", graph(replay))
    assert (report.counts.access_changed, report.counts.deleted) == (1, 1)
    assert not [path for path in replay.asked if path.startswith("/download")]
    assert pay not in bench.texts("ana@contoso.com", question)
    assert bench.texts("bob@contoso.com", question) >= {pay}
    assert soup not in bench.texts("bob@contoso.com", question)
