"""EDGAR by replay of its documented interface: what is listed, fetched and refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from connectors.conformance import Conformance, Listing, listing
from connectors.contract import Connector, ConnectorError, Failed, RetryLater
from connectors.edgar import Edgar, EdgarConfig, Hosts
from connectors.following import Ability, Following
from tests.support.edgar_replay import Replay, serving, table
from tests.support.hashing import HashingEmbedder

NEW = ("0000000007-24-000002", "10-K", "2024-02-01", "annual ü.htm")
OLD = ("0000000007-09-000001", "8-K", "2009-02-01", "")
OTHER = ("0000000007-24-000003", "4", "2024-03-01", "form4.xml")
ROOT = "/Archives/edgar/data/7"


@pytest.fixture
def replay() -> Iterator[Replay]:
    with serving() as found:
        found.company(7, table(OTHER, NEW), a=table(OLD, NEW))
        found.files[f"{ROOT}/000000000724000002/annual%20%C3%BC.htm"] = b"<p>Pumps</p>"
        found.files[f"{ROOT}/000000000709000001/0000000007-09-000001.txt"] = b""
        found.files["/api/xbrl/companyfacts/CIK0000000007.json"] = b'{"facts": {}}'
        yield found


def edgar(url: str, **config: Any) -> Edgar:
    given = {"user_agent": "Acme it@acme.example", "ciks": [7], "allow": ["everyone"], **config}
    return Edgar(EdgarConfig.model_validate(given), Hosts(url, url, pace_s=0.0))


def listed(connector: Edgar) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, None)
        finally:
            await connector.aclose()

    return asyncio.run(story())


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def source(self, replay: Replay) -> None:
        self.url = replay.url

    def make(self) -> Connector:
        return edgar(self.url)

    def make_unusable(self) -> Connector:
        return edgar("http://127.0.0.1:1")


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "change": "A filing never changes; an amendment is another one.",
        "delete": "The SEC takes no filing back.",
        "revoke": "What is filed is public; one list for all is in the configuration.",
        "expire": "Every run lists everything: the cursor is not looked at.",
    }
    names = ("Ação – 文档 100%.htm", " blank 'quoted' & [odd]+.htm", "long " + "n" * 190 + ".htm")

    @pytest.fixture(autouse=True)
    def source(self, replay: Replay) -> None:
        self.replay = replay
        self.filings = [OTHER, NEW]

    def make(self) -> Connector:
        return edgar(self.replay.url)

    def make_unusable(self) -> Connector:
        return edgar("http://127.0.0.1:1")

    def add(self, name: str, text: str) -> None:
        number = f"0000000007-25-{len(self.filings):06}"
        self.filings.append((number, "10-K", "2025-02-01", name))
        self.replay.company(7, table(*self.filings))
        path = f"{ROOT}/{number.replace('-', '')}/{quote(name)}"
        self.replay.files[path] = text.encode()

    def throttle(self) -> None:
        self.replay.company(7, table(OTHER, NEW), a=table(OLD, NEW))
        self.replay.busy["/submissions/CIK0000000007-submissions-a.json"] = 2

    def empty(self) -> None:
        self.replay.company(7, table())
        del self.replay.files["/api/xbrl/companyfacts/CIK0000000007.json"]

    def fill(self, n: int) -> None:
        """As EDGAR does: the newest thousand with the company, the others in files of their own."""
        filings = [(f"{7:010}-25-{k:06}", "10-K", "2025-02-01", f"a{k}.htm") for k in range(n)]
        tables = [table(*filings[k : k + 1_000]) for k in range(0, n, 1_000)]
        older = {f"part{k}": part for k, part in enumerate(tables[1:])}
        self.replay.company(7, tables[0], **older)


def test_filings_of_all_lists_and_the_facts_are_listed_once(replay: Replay) -> None:
    found = {item.id: item for item in listed(edgar(replay.url)).items}
    new = f"0000000007/{NEW[0]}/annual ü.htm"
    old = f"0000000007/{OLD[0]}/{OLD[0]}.txt"
    assert set(found) == {new, old, "0000000007/facts"}
    assert (found[new].version, found[new].title) == (NEW[0], "Ünïted Pumps · 10-K · 2024-02-01")
    assert found["0000000007/facts"].version == OTHER[0]


def test_forms_dates_and_facts_are_chosen(replay: Replay) -> None:
    chosen = listed(edgar(replay.url, forms=[], since="2024-02-15", facts=False)).items
    assert [item.meta["form"] for item in chosen] == ["4"]


def test_a_company_that_is_unknown_or_odd_keeps_what_was_there(replay: Replay) -> None:
    replay.files["/submissions/CIK0000000009.json"] = b'{"filings": []}'
    pages = listed(edgar(replay.url, ciks=[8, 9, 7])).pages
    failed = [e.id for page in pages for e in page if isinstance(e, Failed)]
    assert failed == ["0000000008/", "0000000009/"]


@pytest.mark.parametrize("missing", ["user_agent", "ciks", "allow"])
def test_who_asks_and_who_reads_must_be_said(missing: str) -> None:
    empty = {"user_agent": "Acme", "ciks": [], "allow": []}[missing]
    with pytest.raises(ValidationError):
        edgar("http://127.0.0.1:1", **{missing: empty})


@pytest.mark.parametrize(
    ("status", "body", "after"),
    [(429, b"", 7.0), (503, b"", 7.0), (403, b"Request Rate Threshold Exceeded", 7.0)],
)
def test_patience_is_asked_for(replay: Replay, status: int, body: bytes, after: float) -> None:
    replay.status, replay.body, replay.headers = status, body, {"Retry-After": "7"}
    with pytest.raises(RetryLater) as caught:
        listed(edgar(replay.url))
    assert caught.value.after_s == after


def test_a_refusal_says_what_to_check(replay: Replay) -> None:
    replay.status = 403
    with pytest.raises(ConnectorError, match="check who asks"):
        asyncio.run(edgar(replay.url).check())


def test_filings_arrive_change_readers_and_disappear(
    replay: Replay, database: Database, tmp_path: Path
) -> None:
    with database.begin() as conn:
        sources.put_source(conn, "sec", "edgar", {})

    def sync(*allow: str) -> Report:
        with database.begin() as conn:
            source = sources.source_named(conn, "sec")
        job = SyncRun(
            source,
            edgar(replay.url, allow=allow, forms=["10-K", "8-K"], facts=False),
            database=database,
            embedder=HashingEmbedder(),
            audit=AuditLog(database, tmp_path),
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
        )
        return asyncio.run(job.run())

    def live() -> list[tuple[str, list[str]]]:
        query = sa.text(
            "SELECT d.title, a.allow FROM documents d JOIN acls a ON a.id = d.access_id "
            "WHERE d.state = 'live' ORDER BY d.title"
        )
        with database.begin() as conn:
            return [(row[0], row[1]) for row in conn.execute(query)]

    replay.files[f"{ROOT}/000000000709000001/{OLD[0]}.txt"] = b"Pumps of old."
    first = sync("everyone")
    titles = ["Ünïted Pumps · 10-K · 2024-02-01", "Ünïted Pumps · 8-K · 2009-02-01"]
    assert live() == [(title, ["everyone"]) for title in titles]
    replay.asked.clear()
    second = sync("user:ana")
    assert (first.counts.added, second.counts.access_changed) == (2, 2)
    assert live() == [(title, ["user:local|ana"]) for title in titles]
    assert not [path for path in replay.asked if path.startswith("/Archives")]
    replay.company(7, table(OTHER, NEW))
    sync("user:ana")
    assert live() == [(titles[0], ["user:local|ana"])]
