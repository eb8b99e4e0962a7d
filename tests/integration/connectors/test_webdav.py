"""The WebDAV connector against real servers: Apache, Radicale, and wsgidav as a Nextcloud."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import JsonValue, ValidationError

from assistant.errors import SyncError
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
    Group,
    Item,
    RetryLater,
)
from connectors.following import Following
from connectors.webdav import WebDav, WebDavConfig
from tests.support.catalog import Synced
from tests.support.dav import PASSWORD, USER, Cloud, DavServer, apache, nextcloud, radicale
from tests.support.gate import gate
from tests.support.replies import Reply, scripted

EVERYONE = 'allow = ["everyone"]\n'


@pytest.fixture(scope="session")
def httpd() -> Iterator[DavServer]:
    with apache() as server:
        yield server


@pytest.fixture
def server(httpd: DavServer) -> Iterator[DavServer]:
    """The real server, emptied after each test."""
    yield httpd
    for entry in httpd.root.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with nextcloud() as running:
        yield running


@pytest.fixture(scope="session")
def address_books() -> Iterator[str]:
    with radicale() as url:
        yield url


@pytest.fixture
def people(address_books: str) -> Iterator[str]:
    """A real collection that can be synchronized (RFC 6578), with ten people."""
    for n in range(10):
        write_person(address_books, f"p{n}", f"Person {n}")
    yield address_books
    found = items(webdav(address_books))
    for item in found.values():
        httpx.delete(item.uri, auth=(USER, PASSWORD)).raise_for_status()


def write_person(url: str, name: str, full: str) -> None:
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{full}\r\nN:{full};;;;\r\nEND:VCARD\r\n"
    httpx.put(
        f"{url}/{name}.vcf",
        auth=(USER, PASSWORD),
        content=card.encode(),
        headers={"Content-Type": "text/vcard"},
    ).raise_for_status()


def put(root: Path, files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def webdav(url: str, /, **config: Any) -> WebDav:
    place = {"url": url, "username": USER, "password": PASSWORD}
    return WebDav(WebDavConfig.model_validate({**place, **config}))


def listed(connector: WebDav, since: JsonValue = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def items(connector: WebDav) -> dict[str, Item]:
    return {item.id: item for item in listed(connector).items}


def failures(connector: WebDav) -> dict[str, str]:
    pages = listed(connector).pages
    return {e.id: e.error for page in pages for e in page if isinstance(e, Failed)}


def body(connector: WebDav, item: Item) -> bytes:
    async def read() -> bytes:
        try:
            return b"".join([piece async for piece in connector.fetch(item)])
        finally:
            await connector.aclose()

    return asyncio.run(read())


def groups(connector: WebDav) -> list[Group]:
    async def read() -> list[Group]:
        try:
            return [group async for group in connector.groups()]
        finally:
            await connector.aclose()

    return asyncio.run(read())


def check(connector: WebDav) -> None:
    async def story() -> None:
        try:
            await connector.check()
        finally:
            await connector.aclose()

    asyncio.run(story())


class TestApacheConformance(Conformance):
    @pytest.fixture(autouse=True)
    def filled(self, server: DavServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.webdav.ITEMS_PER_MARK", 7)
        self.url = server.url
        put(
            server.root,
            {
                ".access.toml": 'allow = ["group:all"]\n[meta]\ndate = 2024-01-31',
                ".groups.toml": '[groups]\nall = ["user:ana", "group:hr"]\nhr = ["user:rui"]',
                "secret/.access.toml": 'allow = ["user:ana"]\nall_of = ["group:hr"]',
                "broken/.access.toml": "allow = everyone",
                "big.bin": b"x" * 300_000,
                "empty.txt": b"",
                "Férias – 2024 (final) #1 100%.txt": "férias",
                **{f"a/{n:02}.txt": f"text {n}" for n in range(17)},
                **{f"a.b/{n}/deep/x.md": f"# {n}" for n in range(4)},
                **{f"broken/{n}.md": f"# {n}" for n in range(5)},
                **{f"secret/{n}.md": f"# {n}" for n in range(3)},
            },
        )

    def make(self) -> Connector:
        return webdav(self.url, permissions="access_files")

    def make_unusable(self) -> Connector:
        return webdav("http://127.0.0.1:1/dav")


class TestFollowing(Following):
    @pytest.fixture(autouse=True)
    def filled(self, server: DavServer) -> Iterator[None]:
        self.root = server.root
        put(server.root, {".access.toml": EVERYONE, "m/one.txt": "One."})
        with gate(server.url) as self.gate:
            yield

    def make(self) -> Connector:
        return webdav(self.gate.url, permissions="access_files")

    def make_unusable(self) -> Connector:
        return webdav("http://127.0.0.1:1/dav")

    def add(self, name: str, text: str) -> None:
        put(self.root, {name: text})

    change = add

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def revoke(self, name: str) -> None:
        put(self.root, {f"{name}.access.toml": 'allow = ["user:ana"]\n'})

    def empty(self) -> None:
        shutil.rmtree(self.root / "m")

    def throttle(self) -> None:
        """mod_dav never asks for patience: a gate before it refuses the second folder."""
        put(self.root, {"a/two.txt": "Two.", "z/three.txt": "Three."})
        self.gate.turn_away(2, after=3)

    def fill(self, n: int) -> None:
        put(self.root, {f"{i % 10}/{i}.txt": "" for i in range(n)})


class TestRadicaleConformance(Conformance):
    @pytest.fixture(autouse=True)
    def filled(self, people: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.webdav.ITEMS_PER_MARK", 4)
        self.url = people

    def make(self) -> Connector:
        return webdav(self.url, allow=["everyone"])

    def make_unusable(self) -> Connector:
        return webdav(self.url, password="wrong")


class TestNextcloudConformance(Conformance):
    @pytest.fixture(autouse=True)
    def filled(self, cloud: Cloud) -> None:
        self.cloud = cloud
        put(cloud.root, {"a.txt": "a", "Projekte/b.txt": "b", "Projekte/c.txt": "c"})
        cloud.share("/Projekte", 1, "staff")
        cloud.members["staff"] = ["rui", "eva"]

    def make(self) -> Connector:
        return webdav(self.cloud.url, permissions="nextcloud")

    def make_unusable(self) -> Connector:
        return webdav(self.cloud.url.replace("dav/files", "dav/elsewhere"))


class TestWalk:
    def test_an_item_tells_what_the_catalog_needs(self, server: DavServer) -> None:
        put(server.root, {"pol/Férias 2024.DOCX": b"PK"})
        config = {"allow": ["group:hr"], "collection": "policies", "industry": "finance"}
        (item,) = items(webdav(server.url, **config)).values()
        assert item.id == "pol/Férias 2024.DOCX"
        assert item.uri == f"{server.url}/pol/F%C3%A9rias%202024.DOCX"
        assert item.media_type.endswith("wordprocessingml.document")
        written = (server.root / item.id).stat().st_mtime
        assert item.modified_at is not None
        assert int(item.modified_at.timestamp()) == int(written)
        assert item.access == Access(allow=frozenset({"group:hr"}))
        assert item.meta == {"collection": "policies", "industry": "finance"}

    def test_nobody_may_read_unless_somebody_says_so(self, server: DavServer) -> None:
        put(server.root, {"a.txt": "a"})
        for permissions in ("config", "access_files"):
            assert items(webdav(server.url, permissions=permissions))["a.txt"].access == Access()

    def test_access_files_apply_as_in_a_folder(self, server: DavServer) -> None:
        put(
            server.root,
            {
                ".access.toml": 'allow = ["group:all"]\ndeny = ["user:eve"]',
                "(first).txt": "",
                "hr/.access.toml": 'allow = ["group:hr"]\n[meta]\nlang = "pt"',
                "hr/a.txt": "a",
                "hr/a.txt.access.toml": 'allow = ["user:ana"]\n[meta]\ntitle = "A"',
                "hr/b.txt": "b",
                "odd/.access.toml": "allow = everyone",
                "odd/in/.access.toml": EVERYONE,
                "odd/in/c.txt": "c",
                "gone.txt.access.toml": EVERYONE,
            },
        )
        connector = webdav(server.url, permissions="access_files")
        found, deny = items(connector), frozenset({"user:eve"})
        assert {key: item.access for key, item in found.items()} == {
            "(first).txt": Access(allow=frozenset({"group:all"}), deny=deny),
            "hr/a.txt": Access(allow=frozenset({"user:ana"}), deny=deny),
            "hr/b.txt": Access(allow=frozenset({"group:hr"}), deny=deny),
            "odd/in/c.txt": Access(),
        }
        assert (found["hr/a.txt"].title, found["hr/a.txt"].meta) == ("A", {"lang": "pt"})
        assert set(failures(connector)) == {"odd/.access.toml", "gone.txt.access.toml"}

    def test_a_version_changes_with_the_content(self, server: DavServer) -> None:
        put(server.root, {"a.txt": "a", "b.txt": "b"})
        before = items(webdav(server.url))
        put(server.root, {"b.txt": "longer"})
        after = items(webdav(server.url))
        assert after["a.txt"] == before["a.txt"]
        assert after["b.txt"].version != before["b.txt"].version

    def test_odd_names_are_listed_once_and_fetched(self, server: DavServer) -> None:
        names = [
            "spa ce/+plus%25&amp;#1;v=2.txt",
            "ação/日本語/🙂.txt",
            "long/" + "x" * 251 + ".txt",
            "<b>&'\".txt",
            "a:b.txt",
            "back\\slash.txt",
        ]
        put(server.root, {name: name for name in names})
        found = items(webdav(server.url))
        assert sorted(found) == sorted(names)
        for name, item in found.items():
            assert body(webdav(server.url), item) == name.encode()

    def test_a_name_that_is_not_utf8_is_reported(self, server: DavServer) -> None:
        put(server.root, {"a.txt": "", "z.txt": ""})
        Path(os.fsdecode(os.fsencode(server.root) + b"/caf\xe9.txt")).write_bytes(b"")
        assert list(items(webdav(server.url))) == ["a.txt", "z.txt"]
        assert failures(webdav(server.url)) == {
            "caf\\xe9.txt": "The name of caf\\xe9.txt is not valid UTF-8; rename it."
        }

    def test_clutter_and_what_is_excluded_are_left_out(self, server: DavServer) -> None:
        put(
            server.root,
            {".hidden/a.pdf": "", "~$d.pdf": "", "in/a.pdf": "", "in/b.txt": "", "old/c.pdf": ""},
        )
        found = items(webdav(server.url, include=["*.pdf"], exclude=["old/*"]))
        assert list(found) == ["in/a.pdf"]

    def test_a_folder_that_may_not_be_listed_is_kept(self, server: DavServer) -> None:
        put(server.root, {"a.txt": "", "forbidden/b.txt": "", "z.txt": ""})
        assert list(items(webdav(server.url))) == ["a.txt", "z.txt"]
        (failed,) = failures(webdav(server.url)).items()
        assert failed[0] == "forbidden/"
        assert "give the account the right" in failed[1]

    def test_a_folder_that_vanishes_while_listing_fails_alone(self, server: DavServer) -> None:
        put(server.root, {"a.txt": "", "b/b.txt": "", "c/c.txt": ""})

        async def story() -> list[object]:
            events: list[object] = []
            connector = webdav(server.url)
            async for event in connector.changes(None):
                events.append(event)
                if len(events) == 1:
                    shutil.rmtree(server.root / "b")
            await connector.aclose()
            return events

        events = asyncio.run(story())
        assert [event.id for event in events if isinstance(event, Item)] == ["a.txt", "c/c.txt"]
        assert [event.id for event in events if isinstance(event, Failed)] == ["b/"]

    def test_fetch_streams_and_asks_for_what_was_listed(self, server: DavServer) -> None:
        content = bytes(range(256)) * 1_000
        put(server.root, {"x.bin": content})
        (item,) = items(webdav(server.url)).values()

        async def pieces(connector: WebDav) -> list[bytes]:
            got = [piece async for piece in connector.fetch(item)]
            await connector.aclose()
            return got

        got = asyncio.run(pieces(webdav(server.url)))
        assert b"".join(got) == content
        assert max(map(len, got)) == 65_536
        put(server.root, {"x.bin": "replaced"})
        with pytest.raises(ConnectorError, match="changed while it was read"):
            body(webdav(server.url), item)
        (server.root / "x.bin").unlink()
        with pytest.raises(ConnectorError, match="deleted or renamed"):
            body(webdav(server.url), item)

    @pytest.mark.parametrize("item_id", ["../x.txt", "a/../../x", "", "a//b", ".access.toml", "."])
    def test_fetch_stays_inside(self, server: DavServer, item_id: str) -> None:
        with pytest.raises(ConnectorError, match="not a document"):
            body(webdav(server.url), Item(id=item_id, version="1", uri="x"))

    def test_an_interrupted_walk_goes_on(
        self, server: DavServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.webdav.ITEMS_PER_MARK", 3)
        put(server.root, {f"{n % 2}/{n}.txt": "" for n in range(8)})
        found = listed(webdav(server.url))
        assert [mark.done for mark in found.marks] == [3, 6, 8]
        assert isinstance(found.marks[-1], Complete)
        assert found.marks[-1].cursor is None
        (server.root / "0/4.txt").unlink()
        rest = listed(webdav(server.url), found.marks[0].cursor)
        assert [one.id for one in rest.items] == ["0/6.txt", *(f"1/{n}.txt" for n in (1, 3, 5, 7))]
        with pytest.raises(CursorExpired):
            listed(webdav(server.url), {"after": "x"})

    def test_thousands_of_files_take_little_memory(self, server: DavServer) -> None:
        put(server.root, {f"{n % 10}/{n}.txt": "" for n in range(5_000)})

        async def count() -> tuple[int, int]:
            connector, n_items = webdav(server.url), 0
            tracemalloc.start()
            async for event in connector.changes(None):
                n_items += isinstance(event, Item)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            await connector.aclose()
            return n_items, peak

        n_items, peak = asyncio.run(count())
        assert n_items == 5_000
        assert peak < 10_000_000


class TestSynchronization:
    """RFC 6578 with a real server."""

    def test_only_what_changed_is_listed(self, people: str) -> None:
        first = listed(webdav(people))
        assert len(first.items) == 10
        cursor = first.marks[-1].cursor
        assert listed(webdav(people), cursor).pages == [[]]
        write_person(people, "p3", "Another Name")
        write_person(people, "new", "New Person")
        httpx.delete(f"{people}/p5.vcf", auth=(USER, PASSWORD)).raise_for_status()
        later = listed(webdav(people), cursor)
        events = [event for page in later.pages for event in page]
        assert {e.id for e in events if isinstance(e, Gone)} == {"p5.vcf"}
        changed = {e.id: e.version for e in events if isinstance(e, Item)}
        assert set(changed) == {"p3.vcf", "new.vcf"}
        now = items(webdav(people))
        assert {key: now[key].version for key in changed} == changed
        assert listed(webdav(people), later.marks[-1].cursor).pages == [[]]

    def test_a_token_that_is_not_known_lists_afresh(self, people: str) -> None:
        cursor = listed(webdav(people)).marks[-1].cursor
        assert isinstance(cursor, dict)
        with pytest.raises(CursorExpired):
            listed(webdav(people), {**cursor, "feed": "http://radicale.org/ns/sync/unknown"})

    def test_changes_while_walking_are_listed_afterwards(
        self, people: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.webdav.ITEMS_PER_MARK", 3)
        first = listed(webdav(people))
        write_person(people, "p0", "Changed behind the walk")
        rest = listed(webdav(people), first.marks[0].cursor)
        later = listed(webdav(people), rest.marks[-1].cursor)
        assert [item.id for item in later.items] == ["p0.vcf"]

    def test_a_sync_run_follows_the_feed(
        self, people: str, database: Database, tmp_path: Path
    ) -> None:
        synced = Synced(database, tmp_path, "webdav")
        assert synced.run(webdav(people, allow=["everyone"])).counts.added == 10
        before = synced.synced_at()
        write_person(people, "p3", "Ada Lovelace")
        httpx.delete(f"{people}/p5.vcf", auth=(USER, PASSWORD)).raise_for_status()
        report = synced.run(webdav(people, allow=["everyone"]))
        assert synced.synced_at() > before
        counts = report.counts
        assert (counts.changed, counts.deleted, counts.unchanged) == (1, 1, 0)
        assert "Ada Lovelace" in synced.texts()["p3.vcf"]
        assert "p5.vcf" not in synced.texts()


def multistatus(*responses: str, after: str = "") -> Reply:
    body = f'<d:multistatus xmlns:d="DAV:">{"".join(responses)}{after}</d:multistatus>'
    return Reply(207, body.encode(), {"Content-Type": "application/xml"})


def entry(href: str, etag: str = "") -> str:
    kind = "<d:collection/>" if not etag else ""
    return (
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop><d:resourcetype>{kind}"
        f"</d:resourcetype><d:getetag>{etag}</d:getetag></d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


def missing(href: str) -> str:
    status = "<d:status>HTTP/1.1 404 Not Found</d:status>"
    return f"<d:response><d:href>{href}</d:href>{status}</d:response>"


def token(value: str) -> str:
    return f"<d:sync-token>{value}</d:sync-token>"


FEED: JsonValue = {"feed": "t1", "done": 2, "dotted": False, "shares": ""}


class TestSynchronizationReplay:
    """What Radicale never answers, replayed after RFC 6578: folders, and answers cut short."""

    def test_an_answer_that_is_cut_goes_on_from_its_token(self) -> None:
        cut = "<d:response><d:href>/</d:href><d:status>HTTP/1.1 507 Full</d:status></d:response>"
        with scripted(
            multistatus(entry("/a.txt", "1"), cut, after=token("t2")),
            multistatus(entry("/x/b.txt", '"2"'), missing("/c.txt"), after=token("t3")),
        ) as script:
            found = listed(webdav(script.url, allow=["everyone"]), FEED)
        assert [[event.id for event in page] for page in found.pages] == [
            ["a.txt"],
            ["c.txt", "x/b.txt"],
        ]
        cursors = [mark.cursor for mark in found.marks]
        assert [cursor["feed"] for cursor in cursors if isinstance(cursor, dict)] == ["t2", "t3"]

    @pytest.mark.parametrize(
        "change",
        [
            missing("/folder/"),
            missing("/perhaps-a-folder"),
            missing("/a/.access.toml"),
            entry("/moved/"),
            entry("/a/.access.toml", '"1"'),
            entry("/a/b.txt.access.toml", '"1"'),
        ],
    )
    def test_folders_and_access_files_are_listed_afresh(self, change: str) -> None:
        with (
            scripted(multistatus(change, after=token("t2"))) as script,
            pytest.raises(CursorExpired),
        ):
            listed(webdav(script.url), FEED)

    def test_a_removed_path_may_be_a_folder_where_folders_have_dots(self) -> None:
        assert isinstance(FEED, dict)
        with scripted(multistatus(missing("/v1.2"), after=token("t2"))) as script:
            found = listed(webdav(script.url), FEED)
            assert found.pages == [[Gone(id="v1.2")]]
            with pytest.raises(CursorExpired):
                listed(webdav(script.url), {**FEED, "dotted": True})


class TestNextcloud:
    """Permissions from a replay of the documented OCS interfaces; files from a real server."""

    def test_shares_of_files_and_folders_add_up(self, cloud: Cloud) -> None:
        put(cloud.root, {"a.txt": "a", "P/b.txt": "b", "P/Q/c.txt": "c", "PQ/d.txt": "d"})
        cloud.share("/P", 1, "staff")
        cloud.share("/P/Q/c.txt", 0, "rui")
        found = items(webdav(cloud.url, permissions="nextcloud"))
        assert {key: sorted(item.access.allow) for key, item in found.items()} == {
            "a.txt": ["user:ana"],
            "P/b.txt": ["group:staff", "user:ana"],
            "P/Q/c.txt": ["group:staff", "user:ana", "user:rui"],
            "PQ/d.txt": ["user:ana"],
        }

    def test_an_address_below_a_share_keeps_it(self, cloud: Cloud) -> None:
        put(cloud.root, {"P/Q/c.txt": "c", "P/Q/R/d.txt": "d"})
        cloud.share("/P", 1, "staff")
        cloud.share("/P/Q/R", 0, "rui")
        found = items(webdav(f"{cloud.url}/P/Q", permissions="nextcloud"))
        assert {key: sorted(item.access.allow) for key, item in found.items()} == {
            "c.txt": ["group:staff", "user:ana"],
            "R/d.txt": ["group:staff", "user:ana", "user:rui"],
        }

    @pytest.mark.parametrize(
        ("kind", "who", "more"),
        [
            (3, None, {}),
            (4, "rui@example.org", {}),
            (6, "rui@other.example", {}),
            (7, "circle", {}),
            (10, "room", {}),
            (0, "rui", {"permissions": 4}),
            (0, "rui", {"permissions": "17"}),
            (0, "rui", {"expiration": "2020-01-01 00:00:00"}),
            (0, "rui", {"expiration": "soon"}),
            (0, " rui", {}),
            (0, "", {}),
        ],
    )
    def test_what_is_no_persons_right_grants_nothing(
        self, cloud: Cloud, kind: int, who: str | None, more: dict[str, Any]
    ) -> None:
        put(cloud.root, {"a.txt": "a"})
        cloud.share("/a.txt", kind, who, **more)
        cloud.share("/", 0, "eve")
        (item,) = items(webdav(cloud.url, permissions="nextcloud")).values()
        assert item.access == Access(allow=frozenset({"user:ana"}))

    def test_groups_come_with_their_members(self, cloud: Cloud) -> None:
        put(cloud.root, {"a.txt": "a"})
        cloud.share("/a.txt", 1, "staff")
        cloud.share("/a.txt", 1, "unknown")
        cloud.members = {"staff": ["rui", "eva"], "others": ["bob"]}
        members = frozenset({"user:rui", "user:eva"})
        connector = webdav(cloud.url, permissions="nextcloud")
        assert groups(connector) == [Group(id="group:staff", members=members)]
        cloud.forbids_groups = True
        with pytest.raises(ConnectorError, match="turn read_groups off"):
            groups(webdav(cloud.url, permissions="nextcloud"))
        assert groups(webdav(cloud.url, permissions="nextcloud", read_groups=False)) == []

    def test_from_the_cloud_to_the_catalog_and_out_again(
        self, cloud: Cloud, database: Database, tmp_path: Path
    ) -> None:
        synced = Synced(database, tmp_path, "webdav")
        put(cloud.root, {"a.txt": "Alpha is first.", "P/b.md": "Beta is second."})
        cloud.share("/P", 1, "staff")
        cloud.members["staff"] = ["rui"]
        config = {"permissions": "nextcloud"}
        first = synced.run(webdav(cloud.url, **config))
        assert (first.counts.added, first.counts.failed) == (2, 0)
        assert synced.readers()["P/b.md"] == ["group:source:staff", "user:local|ana"]
        cloud.shares.clear()
        revoked = synced.run(webdav(cloud.url, **config))
        assert (revoked.counts.access_changed, revoked.counts.changed) == (1, 0)
        assert synced.readers()["P/b.md"] == ["user:local|ana"]
        (cloud.root / "P/b.md").unlink()
        assert synced.run(webdav(cloud.url, **config)).counts.deleted == 1
        assert list(synced.texts()) == ["a.txt"]


class TestRefusals:
    def test_wrong_password(self, server: DavServer) -> None:
        with pytest.raises(ConnectorError, match="does not accept the user and password") as said:
            check(webdav(server.url, password="canary"))
        assert "canary" not in str(said.value)

    def test_what_is_no_folder(self, server: DavServer) -> None:
        put(server.root, {"a.txt": "a"})
        with pytest.raises(ConnectorError, match="is not there"):
            check(webdav(f"{server.url}/missing"))
        (server.root / "empty").mkdir()
        with pytest.raises(ConnectorError, match="is empty"):
            check(webdav(f"{server.url}/empty"))
        with (
            scripted(Reply(200, b"<html>Sign in</html>")) as script,
            pytest.raises(ConnectorError, match="is not a WebDAV folder"),
        ):
            check(webdav(script.url))

    def test_an_unreachable_server(self) -> None:
        with pytest.raises(ConnectorError, match="can't be reached"):
            check(webdav("http://127.0.0.1:1"))
        with pytest.raises(ConnectorError, match="no server named"):
            check(webdav("https://cloud.invalid"))

    def test_a_redirect_is_not_followed(self) -> None:
        with scripted(Reply(301, b"", {"Location": "http://127.0.0.1:1/evil"})) as script:
            with pytest.raises(ConnectorError, match="enter the address it leads to") as said:
                check(webdav(script.url))
            assert "evil" not in str(said.value)

    def test_throttling_and_timeouts_are_waited_for(self) -> None:
        with (
            scripted(Reply(429, b"", {"Retry-After": "7"})) as script,
            pytest.raises(RetryLater) as caught,
        ):
            listed(webdav(script.url))
        assert caught.value.after_s == 7
        with scripted(Reply(hangs=True)) as script, pytest.raises(RetryLater):
            listed(webdav(script.url, timeout_s=0.2))
        with scripted(Reply(200, b"half", cut=True)) as script, pytest.raises(RetryLater):
            body(webdav(script.url), Item(id="a.txt", version="1", uri="a.txt"))

    @pytest.mark.parametrize(
        "listing",
        [
            b'<d:multistatus xmlns:d="DAV:"><d:response>',
            b'<!DOCTYPE x [<!ENTITY a "b">]>'
            b'<d:multistatus xmlns:d="DAV:"><d:response><d:href>/</d:href></d:response>'
            b"</d:multistatus>",
            b'<d:multistatus xmlns:d="DAV:"/>',
            multistatus(entry("/other/")).body,
            multistatus(entry("/"), entry("/deep/er.txt", "1")).body,
        ],
        ids=["cut", "entities", "nothing", "elsewhere", "too deep"],
    )
    def test_a_listing_that_is_wrong_is_refused(self, listing: bytes) -> None:
        about = multistatus(entry("/"))
        with (
            scripted(about, Reply(207, listing)) as script,
            pytest.raises(ConnectorError),
        ):
            listed(webdav(script.url))

    def test_names_that_lead_out_are_reported(self) -> None:
        names = ["/x%2f..%2f..%2fetc%2fpasswd", "/%2e%2e", "/nul%00.txt"]
        answer = multistatus(entry("/"), *(entry(name, "1") for name in names))
        with scripted(multistatus(entry("/")), answer) as script:
            found = listed(webdav(script.url))
            assert script.asked == ["PROPFIND /", "PROPFIND /"]
        assert [[event.id for event in page] for page in found.pages] == [
            ["nul%00.txt", "x%2F..%2F..%2Fetc%2Fpasswd"]
        ]

    def test_what_may_be_a_folder_keeps_all_below_it(self) -> None:
        closed = (
            "<d:response><d:href>/x</d:href><d:propstat><d:prop><d:getetag/></d:prop>"
            "<d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response>"
        )
        answer = multistatus(entry("/"), closed)
        with scripted(multistatus(entry("/")), answer) as script:
            assert set(failures(webdav(script.url))) == {"x", "x/"}


class TestConfig:
    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"url": "http://cloud.example.com"}, "use https://"),
            ({"url": "HTTP://cloud.example.com"}, "use https://"),
            ({"token": "line\nbreak"}, "a token has neither"),
            ({"url": "https://169.254.169.254/"}, "machine's own platform"),
            ({"url": "https://ana:x@cloud.example.com"}, "leave user and password out"),
            ({"url": "https://cloud.example.com/?a=b"}, "leave out everything from ?"),
            ({"url": "cloud.example.com"}, "begins with https://"),
            ({"permissions": "nextcloud"}, "/remote.php/dav/files/USER"),
            ({"allow": ["everybody"]}, "is neither user:LOGIN"),
        ],
    )
    def test_what_is_wrong_is_said(self, change: dict[str, Any], says: str) -> None:
        with pytest.raises(ValidationError) as caught:
            WebDavConfig.model_validate({"url": "https://cloud.example.com/dav", **change})
        assert says in str(caught.value.errors()[0]["msg"])

    def test_secrets_do_not_show(self) -> None:
        secrets = {"password": "canary-password", "token": "canary-token"}
        config = WebDavConfig.model_validate({"url": "https://cloud.example.com", **secrets})
        shown = repr(config) + str(config) + json.dumps(config.model_dump(mode="json"))
        assert "canary" not in shown + repr(WebDav(config))

    def test_the_form_marks_secrets(self) -> None:
        fields = WebDavConfig.model_json_schema()["properties"]
        assert fields["password"]["format"] == "password"
        assert all(field.get("title") for field in fields.values())


def test_documents_of_a_folder_that_can_not_be_listed_stay(
    server: DavServer, database: Database, tmp_path: Path
) -> None:
    synced = Synced(database, tmp_path, "webdav")
    put(server.root, {"a.txt": "Alpha.", "in/b.md": "Beta.", "in/deep/c.md": "Gamma."})
    synced.run(webdav(server.url, allow=["everyone"]))
    (server.root / "in").chmod(0)
    try:
        report = synced.run(webdav(server.url, allow=["everyone"]))
    finally:
        (server.root / "in").chmod(0o755)
    assert (report.counts.deleted, report.counts.failed) == (0, 1)
    assert set(synced.texts()) == {"a.txt", "in/b.md", "in/deep/c.md"}


class Killed(BaseException):
    """Stands for a kill -9: nothing may catch it."""


def test_a_killed_run_goes_on_without_reading_again(
    server: DavServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.webdav.ITEMS_PER_MARK", 3)
    synced = Synced(database, tmp_path, "webdav")
    put(server.root, {f"{n}.txt": f"Text number {n}." for n in range(10)})
    fetched: list[str] = []

    class Dying(WebDav):
        async def fetch(self, item: Item) -> AsyncIterator[bytes]:
            if len(fetched) == 7:
                raise Killed
            fetched.append(item.id)
            async for piece in super().fetch(item):
                yield piece

    config = {"url": server.url, "username": USER, "password": PASSWORD, "allow": ["everyone"]}
    with pytest.raises(Killed):
        synced.run(Dying(WebDavConfig.model_validate(config)))
    first = set(synced.texts())
    assert first
    report = synced.run(webdav(server.url, allow=["everyone"]))
    assert len(synced.texts()) == 10
    assert report.counts.added == 10 - len(first)
    assert report.counts.unchanged == 0


def test_from_the_folder_to_the_catalog_and_out_again(
    server: DavServer, database: Database, tmp_path: Path
) -> None:
    synced = Synced(database, tmp_path, "webdav")
    config = {"permissions": "access_files"}
    put(
        server.root,
        {".access.toml": 'allow = ["group:all"]', "a.txt": "Alpha is first.", "in/b.md": "Beta."},
    )
    first = synced.run(webdav(server.url, **config))
    assert (first.counts.added, first.counts.failed) == (2, 0)
    put(server.root, {"in/.access.toml": 'allow = ["user:ana"]'})
    narrowed = synced.run(webdav(server.url, **config))
    assert (narrowed.counts.access_changed, narrowed.counts.changed) == (1, 0)
    assert synced.readers() == {"a.txt": ["group:source:all"], "in/b.md": ["user:local|ana"]}
    put(server.root, {"a.txt": "Alpha is new."})
    (server.root / "in/b.md").rename(server.root / "in/moved.md")
    last = synced.run(webdav(server.url, **config))
    assert (last.counts.changed, last.counts.added, last.counts.deleted) == (1, 1, 1)
    assert set(synced.texts()) == {"a.txt", "in/moved.md"}
    with pytest.raises(SyncError, match="can't be reached"):
        synced.run(webdav("http://127.0.0.1:1", **config))
    assert "a.txt" in synced.texts()
