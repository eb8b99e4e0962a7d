"""The FHIR connector against Medplum's router; bulk export, tokens and faults by replay."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pydantic import ValidationError

from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    RetryLater,
)
from connectors.fhir import Fhir
from connectors.fhirform import FhirConfig
from connectors.following import Following
from tests.support.fhir import FhirServer, Replay, fhir_server, replay
from tests.support.gate import gate
from tests.support.hashing import HashingEmbedder

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


@pytest.fixture(scope="module")
def running() -> Iterator[FhirServer]:
    with fhir_server() as server:
        yield server


@pytest.fixture
def server(running: FhirServer) -> Iterator[FhirServer]:
    """The server with one patient and seven observations, emptied afterwards."""
    running.put({"resourceType": "Patient", "id": "p1", "name": [{"family": "Conceição"}]})
    for n in range(7):
        running.put(observation(n))
    yield running
    running.empty()


@pytest.fixture
def told() -> Iterator[Replay]:
    with replay() as server:
        yield server


def observation(n: int, text: str = "glucose", label: str = "") -> dict[str, Any]:
    security = [{"system": CONFIDENTIALITY, "code": label}] if label else []
    return {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": "final",
        "code": {"text": f"{text} {n}"},
        "subject": {"reference": "Patient/p1"},
        "meta": {"security": security} if security else {},
    }


def fhir(url: str, **options: Any) -> Fhir:
    settings = {"types": ["Patient", "Observation"], "page_size": 3, "allow": ["user:ana"]}
    return Fhir(FhirConfig.model_validate({"url": url, **settings, **options}))


def run(connector: Fhir, since: Any = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def found(server: FhirServer, since: Any = None, **options: Any) -> Listing:
    return run(fhir(server.url, **options), since)


def gone(seen: Listing) -> list[str]:
    return [event.id for page in seen.pages for event in page if isinstance(event, Gone)]


class TestFhir(Conformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: FhirServer) -> None:
        self.url = server.url

    def make(self) -> Connector:
        return fhir(self.url)

    def make_unusable(self) -> Connector:
        return fhir("http://127.0.0.1:1/fhir")


class TestFollowing(Following):
    names = ("aaa", "n" * 64)
    access_is_versioned = True  # a label is part of the resource

    page_size = 3

    @pytest.fixture(autouse=True)
    def _server(self, server: FhirServer) -> Iterator[None]:
        self.server = server
        with gate(server.url) as self.gate:
            yield

    def make(self) -> Connector:
        labels = {"R": "group:psychiatry"}
        return fhir(self.gate.url, labels=labels, page_size=self.page_size)

    def make_unusable(self) -> Connector:
        return fhir("http://127.0.0.1:1/fhir")

    def add(self, name: str, text: str) -> None:
        self.server.put({**observation(0, text), "id": name.replace(".", "-")})

    change = add

    def delete(self, name: str) -> None:
        self.server.delete(f"Observation/{name.replace('.', '-')}")

    def revoke(self, name: str) -> None:
        self.server.put({**observation(0, label="R"), "id": name.replace(".", "-")})

    def empty(self) -> None:
        for item in found(self.server).items:
            self.server.delete(item.id)

    def throttle(self) -> None:
        """The server has no limits of its own: a gate before it refuses the third page."""
        self.gate.turn_away(2, after=3)

    def fill(self, n: int) -> None:
        self.page_size = 500  # the memory of the server looks through all for each page
        self.server.fill(observation(k) for k in range(n))


class TestFhirWithHistory(TestFhir):
    def make(self) -> Connector:
        return fhir(self.url, deletes="history")


def test_labels_and_patients_decide_who_may_read(server: FhirServer) -> None:
    server.put(observation(1, label="N"))
    server.put(observation(2, label="R"))
    server.put(observation(3, label="V"))
    items = found(server, labels={"N": "everyone", f"{CONFIDENTIALITY}|R": "group:psychiatry"})
    access = {item.id: item.access for item in items.items}
    ana = frozenset({"user:ana"})
    assert access["Observation/o1"] == access["Observation/o0"] == Access(allow=ana)
    assert access["Observation/o2"] == Access(allow=ana, all_of=frozenset({"group:psychiatry"}))
    assert access["Observation/o3"] == Access()
    grouped = found(server, patient_group="group:team-{id}").items
    assert grouped[0].id == "Patient/p1"
    assert {item.access.allow for item in grouped if item.id == "Observation/o0"} == {
        frozenset({"group:team-p1"})
    }


def test_later_runs_hear_of_changes_and_deletions_only(server: FhirServer) -> None:
    first = found(server, deletes="history")
    assert isinstance(first.marks[-1], Complete)
    cursor = dict(first.marks[-1].cursor)  # type: ignore[arg-type]
    cursor["since"] = "2999-01-01T00:00:00Z"
    assert found(server, cursor, deletes="history").items == []
    server.put(observation(4, text="lactate"))
    server.delete("Observation/o5")
    later = found(server, first.marks[-1].cursor, deletes="history")
    versions = {item.id: item.version for item in first.items}
    changed = [item.id for item in later.items if versions[item.id] != item.version]
    assert changed == ["Observation/o4"]
    assert "Observation/o5" in gone(later)
    assert "Observation/o5" not in [item.id for item in later.items]


def test_thousands_are_listed_page_by_page(told: Replay) -> None:
    def bundle(first: int) -> dict[str, Any]:
        entries = [{"resource": observation(first + n)} for n in range(1000)]
        link = [{"relation": "next", "url": f"/page{first + 1000}"}] if first < 4000 else []
        return {"resourceType": "Bundle", "total": 5000, "entry": entries, "link": link}

    told.say("/Observation", 200, bundle(0))
    for first in range(1000, 5000, 1000):
        told.say(f"/page{first}", 200, bundle(first))
    seen = run(fhir(told.url, types=["Observation"]))
    assert (len(seen.items), max(len(page) for page in seen.pages)) == (5000, 1000)
    assert seen.items[0].version.startswith("sha256:")


class TestFaults:
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refusal_names_no_token(self, told: Replay, status: int) -> None:
        told.say("/Patient", status)
        with pytest.raises(ConnectorError, match="refuses access") as caught:
            asyncio.run(fhir(told.url, token="s3cret").check())
        assert "s3cret" not in str(caught.value)
        assert told.asked[0][2]["Authorization"] == "Bearer s3cret"

    def test_patience_is_asked_for(self, told: Replay) -> None:
        told.say("/Patient", 429, Retry_After="7")
        with pytest.raises(RetryLater) as caught:
            run(fhir(told.url))
        assert caught.value.after_s == 7

    def test_a_foreign_next_page_is_not_followed(self, told: Replay) -> None:
        link = [{"relation": "next", "url": "http://169.254.169.254/x"}]
        told.say("/Patient", 200, {"resourceType": "Bundle", "link": link})
        with pytest.raises(ConnectorError, match="another host"):
            run(fhir(told.url))

    def test_a_short_listing_deletes_nothing(self, told: Replay) -> None:
        entry = [{"resource": observation(1)}]
        told.say("/Observation", 200, {"resourceType": "Bundle", "total": 9, "entry": entry})
        seen = run(fhir(told.url, types=["Observation"]))
        assert [e.id for e in seen.pages[0] if isinstance(e, Failed)] == ["Observation/"]

    def test_a_lost_page_lists_afresh(self, told: Replay) -> None:
        cursor = {"since": None, "step": 0, "next": told.url + "/lost", "done": 3}
        with pytest.raises(CursorExpired):
            run(fhir(told.url), cursor)
        with pytest.raises(CursorExpired):
            run(fhir(told.url), "nonsense")

    def test_what_is_no_fhir_says_so(self, told: Replay) -> None:
        told.say("/Patient", 200, "<html>")
        with pytest.raises(ConnectorError, match="not JSON"):
            run(fhir(told.url))

    def test_a_wrong_form_is_a_sentence(self) -> None:
        with pytest.raises(ValidationError, match="needs a client id and a private key"):
            fhir("http://x", token_url="http://y")
        with pytest.raises(ValidationError, match="must look like group:care-team"):
            fhir("http://x", patient_group="ana")


class TestExport:
    """The kick-off, status, files and deletions of the Bulk Data guide's examples."""

    @pytest.fixture
    def export(self, told: Replay) -> Replay:
        waits = iter([202])

        def status() -> tuple[int, dict[str, str], str]:
            if next(waits, 200) == 202:
                return 202, {"Retry-After": "0"}, ""
            manifest = {
                "transactionTime": "2026-01-01T00:00:00Z",
                "requiresAccessToken": True,
                "output": [{"type": "Observation", "url": told.url + "/o.ndjson"}],
                "deleted": [{"type": "Bundle", "url": told.url + "/d.ndjson"}],
            }
            return 200, {}, json.dumps(manifest)

        told.say("/$export", 202, Content_Location=told.url + "/status")
        told.answers["/status"] = status
        told.say("/o.ndjson", 200, "\n".join(json.dumps(observation(n)) for n in range(1200)))
        entry = [{"request": {"method": "DELETE", "url": "Patient/123"}}]
        told.say("/d.ndjson", 200, json.dumps({"resourceType": "Bundle", "entry": entry}))
        return told

    def test_lists_all_then_what_changed(self, export: Replay) -> None:
        seen = run(fhir(export.url, deletes="export"))
        assert (len(seen.items), gone(seen)) == (1200, [])
        assert isinstance(seen.marks[-1], Complete)
        assert export.asked[0][2]["Prefer"] == "respond-async"
        later = run(fhir(export.url, deletes="export"), seen.marks[-1].cursor)
        assert gone(later) == ["Patient/123"]
        assert not isinstance(later.marks[-1], Complete)
        assert any("_since=2026-01-01" in path for _, path, _, _ in export.asked)

    def test_goes_on_from_a_mark(self, export: Replay) -> None:
        seen = run(fhir(export.url, deletes="export"))
        rest = run(fhir(export.url, deletes="export"), seen.marks[1].cursor)
        assert [item.id for item in rest.items] == [item.id for item in seen.items[1000:]]
        del export.answers["/status"]
        with pytest.raises(CursorExpired):
            run(fhir(export.url, deletes="export"), seen.marks[1].cursor)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_token_is_bought_with_a_signed_assertion(told: Replay, kind: str) -> None:
    secret = (
        rsa.generate_private_key(65537, 2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP384R1())
    )
    pem = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    told.say("/token", 200, {"access_token": "t0ken", "expires_in": 300})
    told.say("/Patient", 200, {"resourceType": "Bundle"})
    smart = {"token_url": told.url + "/token", "client_id": "c", "private_key": pem}
    connector = fhir(told.url, types=["Patient"], **smart)
    assert pem[40:80] not in repr(connector.Config(url="http://x", **smart))
    run(connector)
    assert told.asked[1][2]["Authorization"] == "Bearer t0ken"
    jwt = told.asked[0][3].partition("client_assertion=")[2].split("&")[0]
    signed, _, signature = jwt.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    if isinstance(secret, rsa.RSAPrivateKey):
        public = secret.public_key()
        public.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA384())
    else:
        assert len(raw) == 96


def test_a_server_in_the_catalog(server: FhirServer, database: Database, tmp_path: Path) -> None:
    audit = AuditLog(database, tmp_path)
    with database.begin() as conn:
        sources.put_source(conn, "ehr", "fhir", {})

    def sync(group: str) -> Report:
        with database.begin() as conn:
            source = sources.source_named(conn, "ehr")
        job = SyncRun(
            source,
            fhir(server.url, patient_group=group),
            database=database,
            embedder=HashingEmbedder(),
            audit=audit,
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
        )
        return asyncio.run(job.run())

    first = sync("group:team-{id}")
    assert (first.counts.added, first.counts.failed) == (8, 0)
    query = "SELECT text FROM chunks WHERE text LIKE '%glucose 3%'"
    with database.begin() as conn:
        assert conn.execute(sa.text(query)).first() is not None
    moved = sync("group:ward-{id}")
    assert (moved.counts.access_changed, moved.counts.changed) == (8, 0)
    server.delete("Observation/o3")
    second = sync("group:ward-{id}")
    assert (second.counts.deleted, second.counts.unchanged) == (1, 7)
    with database.begin() as conn:
        live = sa.text("SELECT count(*) FROM documents WHERE state = 'live'")
        assert conn.execute(live).scalar() == 7
