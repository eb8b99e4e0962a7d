"""The IMAP connector against a real Dovecot: changes, rights, moves, crashes, logins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.header import Header
from itertools import count
from typing import Any, ClassVar

import pytest
from pydantic import JsonValue

from connectors.conformance import Conformance, Listing, listing
from connectors.contract import Access, Connector, ConnectorError, CursorExpired, Gone, Item
from connectors.following import Ability, Following
from connectors.imap import Imap, ImapConfig
from tests.support import dovecot
from tests.support.dovecot import Dovecot

_NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot.running() as server:
        yield server


@pytest.fixture
def user() -> str:
    """A person whose mailbox nobody has used before."""
    return f"u{next(_NUMBERS)}"


@pytest.fixture
def box(server: Dovecot, user: str) -> Iterator[Any]:
    """A plain client of that person."""
    client = server.login(user)
    yield client
    client.logout()


def message(subject: str, body: str = "Hello.") -> bytes:
    head = f"From: a@x.example\r\nTo: b@x.example\r\nSubject: {subject}\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode()


def imap(server: Dovecot, user: str, **config: Any) -> Imap:
    given: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "security": "none",
        "username": user,
        "password": dovecot.PASSWORD,
        **config,
    }
    return Imap(ImapConfig.model_validate({k: v for k, v in given.items() if v is not None}))


def listed(connector: Imap, since: JsonValue = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def gone(found: Listing) -> list[str]:
    return [event.id for page in found.pages for event in page if isinstance(event, Gone)]


def ids(found: Listing) -> list[str]:
    return [item.id for item in found.items]


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def mailbox(self, server: Dovecot, user: str, box: Any) -> None:
        self.server, self.user = server, user
        box.create_folder("Projekte/Ünïcode und Leerzeichen")
        for n in range(7):
            box.append("INBOX", message(f"m{n}"))
        box.append("Projekte/Ünïcode und Leerzeichen", message("=?utf-8?q?caf=C3=A9?=", "x" * 3000))

    def make(self) -> Connector:
        return imap(self.server, self.user)

    def make_unusable(self) -> Connector:
        return imap(self.server, self.user, port=1)


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "change": "A message never changes; a new one takes its place.",
        "throttle": "Dovecot refuses connections instead; that has a test of its own.",
    }

    @pytest.fixture(autouse=True)
    def mailbox(self, server: Dovecot, user: str, box: Any) -> None:
        self.server, self.user, self.box = server, user, box
        box.append("INBOX", message("one"))

    def make(self) -> Connector:
        return imap(self.server, self.user)

    def make_unusable(self) -> Connector:
        return imap(self.server, self.user, port=1)

    def add(self, name: str, text: str) -> None:
        encoded = Header(name, "utf-8", maxlinelen=60).encode(linesep="\r\n")
        self.box.append("INBOX", message(encoded, text))

    def delete(self, name: str) -> None:
        self.box.select_folder("INBOX")
        self.box.delete_messages(self.box.search(["SUBJECT", name]))
        self.box.expunge()
        self.box.unselect_folder()

    def revoke(self, name: str) -> None:
        self.box.setacl("INBOX", "eva", "lr")

    def empty(self) -> None:
        self.delete("one")

    def fill(self, n: int) -> None:
        """Deliver into the mailbox's folder, as a mail server does: appending takes a minute."""
        new = self.server.base / "mail" / self.user / "new"
        for k in range(n):
            (new / f"{k}.test").write_bytes(message(f"many {k}"))


def test_new_deleted_and_moved_messages_arrive(server: Dovecot, user: str, box: Any) -> None:
    box.create_folder("Archive")
    for n in range(5):
        box.append("INBOX", message(f"m{n}"))
    first = listed(imap(server, user))
    assert ids(first) == [f"INBOX/;UID={n}" for n in range(1, 6)]
    assert [item.title for item in first.items] == [f"m{n}" for n in range(5)]
    box.select_folder("INBOX")
    box.delete_messages([2])
    box.expunge([2])
    box.move([4], "Archive")
    box.append("INBOX", message("new"))
    second = listed(imap(server, user), first.marks[-1].cursor)
    assert sorted(gone(second)) == ["INBOX/;UID=2", "INBOX/;UID=4"]
    assert sorted(ids(second)) == ["Archive/;UID=1", "INBOX/;UID=6"]
    third = listed(imap(server, user), second.marks[-1].cursor)
    assert (gone(third), ids(third)) == ([], [])


def test_flags_are_no_change(server: Dovecot, user: str, box: Any) -> None:
    box.append("INBOX", message("m"))
    first = listed(imap(server, user))
    box.select_folder("INBOX")
    box.add_flags([1], [b"\\Seen", b"\\Flagged"])
    second = listed(imap(server, user), first.marks[-1].cursor)
    assert ids(second) == []
    assert listed(imap(server, user)).items == first.items


def test_a_change_of_rights_lists_the_folder_again(server: Dovecot, user: str, box: Any) -> None:
    box.create_folder("Shared")
    box.append("Shared", message("m"))
    box.append("INBOX", message("mine"))
    first = listed(imap(server, user))
    assert [item.access for item in first.items] == [Access(allow=frozenset({f"user:{user}"}))] * 2
    box.setacl("Shared", "ana", "lr")
    box.setacl("Shared", "$hr", "lrs")
    second = listed(imap(server, user), first.marks[-1].cursor)
    (item,) = second.items
    assert item.id == "Shared/;UID=1"
    assert item.version == _version(first, item.id)
    assert item.access.allow == {f"user:{user}", "user:ana", "group:hr"}
    assert ids(listed(imap(server, user), second.marks[-1].cursor)) == []


def _version(found: Listing, item_id: str) -> str:
    return next(item.version for item in found.items if item.id == item_id)


def _body(connector: Imap, item: Item) -> bytes:
    async def read() -> bytes:
        try:
            return b"".join([piece async for piece in connector.fetch(item)])
        finally:
            await connector.aclose()

    return asyncio.run(read())


def test_logins_over_tls_and_starttls(server: Dovecot, user: str, box: Any) -> None:
    box.append("INBOX", message("m"))
    secure: dict[str, Any] = {"ca_file": server.ca_file}
    ways: list[dict[str, Any]] = [
        {**secure, "security": "tls", "port": server.tls_port},
        {**secure, "security": "starttls"},
    ]
    for way in ways:
        assert len(listed(imap(server, user, **way)).items) == 1
    with pytest.raises(ConnectorError, match="not trusted"):
        asyncio.run(imap(server, user, security="tls", port=server.tls_port).check())


def test_wrong_passwords_are_said_without_them(
    server: Dovecot, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    connector = imap(server, user, password="canary-4711")
    with pytest.raises(ConnectorError, match="check the user name and password") as caught:
        asyncio.run(connector.check())
    assert "canary" not in str(caught.value) + caplog.text + repr(connector)


def test_a_new_uidvalidity_expires_the_cursor(server: Dovecot, user: str, box: Any) -> None:
    box.create_folder("Again")
    box.append("Again", message("old"))
    first = listed(imap(server, user))
    box.delete_folder("Again")
    with pytest.raises(CursorExpired):
        listed(imap(server, user), first.marks[-1].cursor)
    box.create_folder("Again")
    box.append("Again", message("new"))
    with pytest.raises(CursorExpired):
        listed(imap(server, user), first.marks[-1].cursor)
    again = listed(imap(server, user))
    assert _version(again, "Again/;UID=1") != _version(first, "Again/;UID=1")


def test_a_crash_between_marks_loses_nothing(server: Dovecot, user: str, box: Any) -> None:
    for n in range(450):
        box.append("INBOX", message(f"m{n}"))
    first = listed(imap(server, user))
    box.select_folder("INBOX")
    box.delete_messages([7])
    box.expunge([7])
    rest = listed(imap(server, user), first.marks[0].cursor)
    assert ids(rest) == [f"INBOX/;UID={n}" for n in range(201, 451)]
    assert gone(rest) == ["INBOX/;UID=7"]
    assert _body(imap(server, user), rest.items[0]).endswith(b"Hello.\r\n")


def test_without_tombstones_a_deletion_lists_afresh(user: str) -> None:
    with dovecot.running(capability="IMAP4rev1 UIDPLUS AUTH=PLAIN") as plain:
        box = plain.login(user)
        for n in range(3):
            box.append("INBOX", message(f"m{n}"))
        first = listed(imap(plain, user))
        box.append("INBOX", message("new"))
        second = listed(imap(plain, user), first.marks[-1].cursor)
        assert ids(second) == ["INBOX/;UID=4"]
        box.select_folder("INBOX")
        box.delete_messages([2])
        box.expunge([2])
        box.logout()
        with pytest.raises(CursorExpired):
            listed(imap(plain, user), second.marks[-1].cursor)
        assert len(listed(imap(plain, user)).items) == 3


def test_a_login_with_an_access_token(server: Dovecot, user: str, box: Any) -> None:
    box.append("INBOX", message("m"))
    token = {"password": None, "token": dovecot.TOKEN}
    assert len(listed(imap(server, user, **token)).items) == 1
    with pytest.raises(ConnectorError, match="check the access token"):
        asyncio.run(imap(server, user, password=None, token="stale").check())
