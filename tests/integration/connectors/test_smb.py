"""The connector smb against a real Samba: listing, NT permissions, refusals, a sync per person."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from assistant.store.database import Database
from connectors import smb
from connectors.conformance import Conformance, Listing, listing
from connectors.contract import Access, Complete, Connector, ConnectorError, Failed, Item
from connectors.following import Ability, Following
from connectors.smb import Smb, SmbConfig
from connectors.smb_share import Share
from tests.integration.connectors.test_ldap import Tree, ldap
from tests.support import samba, slapd
from tests.support.finding import Finding
from tests.support.nightly import many
from tests.support.samba import ANA, BOB, HR, Samba, give

READ, ALL = 0x0012_0089, 0x001F_01FF
SIDS = {
    f"S-1-22-1-{ANA}": "user:ana",
    f"S-1-22-1-{BOB}": "user:bob",
    f"S-1-22-2-{HR}": "group:hr",
}


@pytest.fixture(scope="module")
def started() -> Iterator[Samba]:
    with samba.running() as found:
        yield found


@pytest.fixture
def server(started: Samba) -> Iterator[Samba]:
    """The server with an empty share."""
    yield started
    for path in sorted(started.root.rglob("*"), reverse=True):
        path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()
    give(started.root, 0, 0, 0o755)


def put(root: Path, files: dict[str, str | bytes], mode: int = 0o644) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        give(path, ANA, HR, mode)


def config(server: Samba, **changed: Any) -> SmbConfig:
    given = {"host": server.host, "port": server.port, "share": "data", "sids": SIDS}
    given |= {"username": samba.ACCOUNT, "password": samba.PASSWORD, "timeout_s": 20}
    return SmbConfig.model_validate({**given, **changed})


def share(server: Samba, **changed: Any) -> Smb:
    return Smb(config(server, **changed))


def listed(connector: Connector, since: Any = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def items(connector: Connector) -> dict[str, Item]:
    return {item.id: item for item in listed(connector).items}


def body(connector: Connector, item: Item) -> bytes:
    async def story() -> bytes:
        try:
            return b"".join([piece async for piece in connector.fetch(item)])
        finally:
            await connector.aclose()

    return asyncio.run(story())


def checked(connector: Connector) -> None:
    async def story() -> None:
        try:
            await connector.check()
        finally:
            await connector.aclose()

    asyncio.run(story())


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: Samba) -> None:
        self.server = server
        put(server.root, {"Férias 日本 🙂.md": "x", "a/b/c.txt": "y", "n" * 250 + ".txt": "z"})
        put(server.root, {f"many/{n}.txt": str(n) for n in range(120)})

    def make(self) -> Connector:
        return share(self.server, groups={"hr": ["user:ana"]})

    def make_unusable(self) -> Connector:
        return share(self.server, share="missing")


class TestFollowing(Following):
    many = 1_000  # each file is opened for its access list

    cannot: ClassVar[dict[Ability, str]] = {
        "throttle": "Samba never asks for patience; refused connections have a test of their own.",
    }
    names = ("Ação – 文档 🙂 #1 100%.txt", "blank  'quoted' & [odd]+.txt", "n" * 190 + ".txt")

    @pytest.fixture(autouse=True)
    def _server(self, server: Samba, request: pytest.FixtureRequest) -> None:
        self.server, self.many = server, many(request, self.many)
        put(server.root, {"m/one.txt": "One."})

    def make(self) -> Connector:
        return share(self.server)

    def make_unusable(self) -> Connector:
        return share(self.server, share="missing")

    def add(self, name: str, text: str) -> None:
        put(self.server.root, {name: text})

    change = add

    def delete(self, name: str) -> None:
        (self.server.root / name).unlink()

    def revoke(self, name: str) -> None:
        (self.server.root / name).chmod(0o600)

    def empty(self) -> None:
        self.delete("m/one.txt")

    def fill(self, n: int) -> None:
        put(self.server.root, {f"{k % 10}/{k}.txt": "" for k in range(n)})


class TestListing:
    def test_ids_versions_and_bytes(self, server: Samba) -> None:
        put(server.root, {"b/é.txt": "é" * 2_000_000, "c.pdf": b""})
        found = items(share(server, collection="hr"))
        assert sorted(found) == ["b/é.txt", "c.pdf"]
        one = found["b/é.txt"]
        assert one.uri == "smb://127.0.0.1/data/b/%C3%A9.txt"
        assert one.meta == {"collection": "hr"}
        assert one.modified_at is not None
        assert one.modified_at.timestamp() == pytest.approx((server.root / one.id).stat().st_mtime)
        assert found["c.pdf"].media_type == "application/pdf"
        assert body(share(server), one) == "é".encode() * 2_000_000
        assert body(share(server), found["c.pdf"]) == b""

    def test_permissions_are_no_new_version_and_content_is(self, server: Samba) -> None:
        put(server.root, {"a.txt": "one"})
        before = items(share(server))["a.txt"]
        give(server.root / "a.txt", ANA, HR, 0o600)
        after = items(share(server))["a.txt"]
        assert (after.version, after.access == before.access) == (before.version, False)
        (server.root / "new").write_text("two")
        os.utime(server.root / "new", ns=(0, (server.root / "a.txt").stat().st_mtime_ns))
        (server.root / "new").rename(server.root / "a.txt")
        assert items(share(server))["a.txt"].version != before.version
        os.utime(server.root / "a.txt")
        with pytest.raises(ConnectorError, match="changed while it was read"):
            body(share(server), before)

    def test_a_folder_of_the_share_and_patterns(self, server: Samba) -> None:
        put(server.root, {"x/y/a.txt": "", "x/y/old/b.txt": "", "x/y/c.md": "", "z.txt": ""})
        found = items(share(server, path="x\\y", include=["*.txt"], exclude=["old/*"]))
        assert list(found) == ["a.txt"]
        assert found["a.txt"].uri.endswith("/data/x/y/a.txt")

    def test_links_hidden_files_and_clutter_are_left_out(self, server: Samba) -> None:
        put(server.root, {"a.txt": "", ".hidden": "", "~$a.docx": "", "d/b.txt": ""})
        (server.root / "outside").symlink_to("/etc")
        (server.root / "loop").symlink_to(server.root)
        found = listed(share(server))
        assert {item.id for item in found.items} <= {
            "a.txt",
            "d/b.txt",
            "loop/a.txt",
            "loop/d/b.txt",
        }
        assert not [item.id for item in found.items if item.id.startswith("outside")]

    @pytest.mark.parametrize("item_id", ["../x", "a/../x", "", "a\\b", ".x", "a//b"])
    def test_fetch_stays_inside(self, server: Samba, item_id: str) -> None:
        with pytest.raises(ConnectorError, match="not a document"):
            body(share(server), Item(id=item_id, version="1", uri="x"))

    def test_an_interrupted_walk_goes_on(
        self, server: Samba, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(smb, "ITEMS_PER_MARK", 3)
        put(server.root, {f"{n % 2}/{n}.txt": "" for n in range(8)})
        found = listed(share(server))
        assert [mark.done for mark in found.marks] == [3, 6, 8]
        assert isinstance(found.marks[-1], Complete)
        (server.root / "0/4.txt").unlink()
        rest = listed(share(server), found.marks[0].cursor)
        assert [one.id for one in rest.items] == ["0/6.txt", *(f"1/{n}.txt" for n in (1, 3, 5, 7))]

    def test_a_folder_that_may_not_be_read_keeps_what_was_there(self, server: Samba) -> None:
        put(server.root, {"a.txt": "", "closed/b.txt": ""})
        give(server.root / "closed", ANA, HR, 0o700)
        found = listed(share(server, username=samba.STRANGER))
        assert [item.id for item in found.items] == ["a.txt"]
        failed = [e for page in found.pages for e in page if isinstance(e, Failed)]
        assert [one.id for one in failed] == ["closed/"]


class TestPermissions:
    """What Samba enforces for an account is what the assistant decides for its person."""

    @pytest.mark.parametrize(
        ("mode", "allow", "deny"),
        [
            (0o600, {"user:ana"}, set()),
            (0o640, {"user:ana", "group:hr"}, set()),
            (0o644, {"user:ana", "group:hr", "everyone"}, set()),
            (0o604, {"user:ana", "everyone"}, {"group:hr"}),
            (0o044, {"group:hr", "everyone"}, {"user:ana"}),
            (0o000, set(), {"user:ana"}),
        ],
    )
    def test_unix_rights(self, server: Samba, mode: int, allow: set[str], deny: set[str]) -> None:
        put(server.root, {"a.txt": ""}, mode)
        access = items(share(server))["a.txt"].access
        assert access == Access(allow=frozenset(allow), deny=frozenset(deny))

    def test_the_folders_above_count(self, server: Samba) -> None:
        put(server.root, {"hr/x/a.txt": "", "hr/own.txt": ""})
        give(server.root / "hr", BOB, HR, 0o070)
        give(server.root / "hr/own.txt", ANA, HR, 0o600)
        found = items(share(server))
        hr = Access(allow=frozenset({"group:hr"}), deny=frozenset({"user:bob"}))
        assert found["hr/x/a.txt"].access == hr
        assert found["hr/own.txt"].access == Access(
            allow=frozenset({"user:ana"}),
            deny=frozenset({"user:bob"}),
            all_of=frozenset({"group:hr"}),
        )
        assert items(share(server, path="hr/x"))["a.txt"].access == hr

    def test_denying_entries_win_and_unknown_sids_are_nobody(self, server: Samba) -> None:
        put(server.root, {"a.txt": "", "b.txt": ""})
        ana, bob = f"S-1-22-1-{ANA}", f"S-1-22-1-{BOB}"
        stranger = "S-1-5-21-1-2-3-1105"
        samba.set_acl(
            server, "a.txt", [("deny", bob, READ), ("allow", ana, READ), ("allow", stranger, ALL)]
        )
        samba.set_acl(server, "b.txt", [("deny", stranger, READ), ("allow", ana, READ)])
        found = items(share(server))
        assert found["a.txt"].access.allow == {"user:ana"}
        assert "user:bob" in found["a.txt"].access.deny
        assert "everyone" in found["b.txt"].access.deny
        named = items(share(server, directory="people", directory_sids=["S-1-5-21-1-2-3"]))
        assert named["b.txt"].access.deny == {"group://people/S-1-5-21-1-2-3-1105"}

    def test_who_may_use_the_share(self, server: Samba) -> None:
        put(server.root, {"a.txt": ""})
        found = items(share(server, all_of=["group://people/staff"]))
        assert found["a.txt"].access.all_of == {"group://people/staff"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"password": "wrong"}, "does not accept the user and password"),
            ({"share": "missing"}, "There is no share missing"),
            ({"path": "missing"}, "no the folder missing|There is no"),
            ({"port": 1}, "Nothing answers at 127.0.0.1:1"),
            ({"host": "no-such-host.invalid"}, "There is no"),
        ],
    )
    def test_a_sentence_says_what_is_wrong(
        self, server: Samba, changed: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(ConnectorError, match=says) as caught:
            checked(share(server, **changed))
        assert samba.PASSWORD not in str(caught.value)

    def test_without_encryption_messages_are_still_signed(self, server: Samba) -> None:
        put(server.root, {"a.txt": "x"})
        (item,) = items(share(server, encrypt=False)).values()
        assert body(share(server, encrypt=False), item) == b"x"

    def test_a_server_that_can_not_encrypt(self) -> None:
        with (
            samba.running("server max protocol = SMB2_10") as old,
            pytest.raises(ConnectorError, match="turn encrypt off"),
        ):
            checked(share(old))

    def test_a_server_that_is_silent_is_asked_later(self, tmp_path: Path) -> None:
        async def story() -> None:
            async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read()
                writer.close()
                ended.set()

            ended = asyncio.Event()
            silent = await asyncio.start_server(hold, "127.0.0.1", 0)
            port = silent.sockets[0].getsockname()[1]
            connector = share(Samba("127.0.0.1", port, tmp_path), timeout_s=0.5)
            try:
                with pytest.raises(ConnectorError, match="doesn't answer in time"):
                    await connector.check()
            finally:
                await connector.aclose()
                await asyncio.wait_for(ended.wait(), 20)
                silent.close()

        asyncio.run(story())

    def test_a_lost_connection_is_made_again(self, server: Samba) -> None:
        put(server.root, {"a.txt": ""})

        async def story() -> None:
            line = Share(config(server).server())
            assert [child.name for child in await line.children("")] == ["a.txt"]
            await line._give_up()
            assert [child.name for child in await line.children("")] == ["a.txt"]
            await line.aclose()
            await line.aclose()

        asyncio.run(story())


def test_each_person_finds_what_the_share_and_the_directory_let_them_read(
    server: Samba, database: Database, tmp_path: Path
) -> None:
    bench = Finding(database, tmp_path)
    put(server.root, {"hr/pay.txt": "The pay rises in June.", "menu.txt": "Soup on Mondays."})
    give(server.root / "hr", 0, HR, 0o750)
    give(server.root / "hr/pay.txt", 0, HR, 0o640)
    samba.set_acl(
        server, "menu.txt", [("deny", f"S-1-22-1-{BOB}", READ), ("allow", "S-1-1-0", READ)]
    )
    by_directory = {"sids": {}, "directory": "people"}
    by_directory["directory_sids"] = ["S-1-22-1", "S-1-22-2"]

    with slapd.running() as people:
        tree = Tree(people)
        tree.posix("hr", HR, "ana")
        tree.person("ana", uidNumber=ANA, gidNumber=70_100)
        tree.person("bob", uidNumber=BOB, gidNumber=70_100)
        bench.sync("people", "ldap", ldap(people))
        assert bench.sync("files", "smb", share(server, **by_directory)).counts.added == 2
        question = "When does the pay rise, and is there soup?"
        assert bench.texts("ana", question) == {"The pay rises in June.", "Soup on Mondays."}
        assert bench.texts("bob", question) == set()
        assert bench.texts("eve", question) == {"Soup on Mondays."}

        tree.conn.modify("cn=hr,dc=example,dc=com", {"memberUid": [("MODIFY_REPLACE", ["bob"])]})
        bench.sync("people", "ldap", ldap(people))
        assert bench.texts("ana", question) == {"Soup on Mondays."}
        assert bench.texts("bob", question) == {"The pay rises in June."}
        tree.conn.unbind()

    (server.root / "menu.txt").unlink()
    assert bench.sync("files", "smb", share(server, **by_directory)).counts.deleted == 1
    assert bench.texts("eve", question) == set()
