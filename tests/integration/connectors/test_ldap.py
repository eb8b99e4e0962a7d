"""The connector ldap against a real slapd: groups, people, SIDs, TLS, and other sources' use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.conformance import listing
from connectors.contract import Complete, ConnectorError, Item
from connectors.ldap import Ldap, LdapConfig
from connectors.ldap_directory import Directory, Entry, is_disabled, key_of
from tests.support import slapd
from tests.support.slapd import BASE, Slapd

DOMAIN = "S-1-5-21-1-2-3"


@pytest.fixture(scope="module")
def started() -> Iterator[Slapd]:
    with slapd.running() as found:
        yield found


@pytest.fixture
def server(started: Slapd) -> Iterator[Slapd]:
    """The server with an empty tree."""
    yield started
    conn = started.connect()
    conn.search(BASE, "(objectClass=*)", attributes=[], paged_size=1000)
    for dn in sorted((e.entry_dn for e in conn.entries if e.entry_dn != BASE), key=len)[::-1]:
        conn.delete(dn)
    conn.unbind()


class Tree:
    """Writes people and groups."""

    def __init__(self, server: Slapd) -> None:
        self.conn = server.connect()

    def person(self, uid: str, where: str = BASE, **more: Any) -> str:
        dn = f"cn={uid},{where}"
        kinds = ["inetOrgPerson", "windowsEntry"]
        if "uidNumber" in more:
            kinds.append("posixAccount")
            more["homeDirectory"] = "/"
        self.conn.add(dn, kinds, {"uid": uid, "sn": uid, **more})
        return dn

    def group(self, cn: str, *members: str, where: str = BASE, **more: Any) -> str:
        dn = f"cn={cn},{where}"
        self.conn.add(dn, ["groupOfNames", "windowsEntry"], {"member": list(members), **more})
        return dn

    def unit(self, name: str) -> str:
        self.conn.add(f"ou={name},{BASE}", "organizationalUnit")
        return f"ou={name},{BASE}"

    def posix(self, cn: str, gid: int, *logins: str) -> None:
        attributes: dict[str, Any] = {"gidNumber": gid}
        if logins:
            attributes["memberUid"] = list(logins)
        self.conn.add(f"cn={cn},{BASE}", "posixGroup", attributes)


@pytest.fixture
def tree(server: Slapd) -> Iterator[Tree]:
    made = Tree(server)
    yield made
    made.conn.unbind()


def ldap(server: Slapd, **changed: Any) -> Ldap:
    given = {"host": server.host, "port": server.port, "security": "none", "base": BASE}
    given |= {"bind_dn": slapd.ADMIN, "password": slapd.PASSWORD, "timeout_s": 20}
    return Ldap(LdapConfig.model_validate({**given, **changed}))


def groups(connector: Ldap) -> dict[str, frozenset[str]]:
    async def story() -> dict[str, frozenset[str]]:
        return {group.id: group.members async for group in connector.groups()}

    return asyncio.run(story())


def titles(connector: Ldap) -> dict[str, str]:
    async def story() -> dict[str, str]:
        return {group.id: group.title async for group in connector.groups() if group.title}

    return asyncio.run(story())


def test_groups_stay_nested_and_name_logins(server: Slapd, tree: Tree) -> None:
    ana, bob = tree.person("ana"), tree.person("bob")
    hr = tree.group("hr", ana)
    tree.group("staff", hr.upper().replace(",", ", "), bob, f"cn=unknown,{BASE}")
    asyncio.run(ldap(server).check())
    assert groups(ldap(server)) == {
        "group:hr": {"user:ana"},
        "group:staff": {"group:hr", "user:bob"},
    }
    foreign = groups(ldap(server, issuer="https://idp.example"))
    assert foreign["group:hr"] == {"user:https://idp.example|ana"}


def test_groups_of_the_same_name_are_never_one(server: Slapd, tree: Tree) -> None:
    north, south = tree.unit("north"), tree.unit("south")
    ana, bob = tree.person("ana"), tree.person("bob")
    first, second = tree.group("hr", ana, where=north), tree.group("HR", bob, where=south)
    sid, path = tree.group("S-1-22-2-0", ana), tree.group("\\2F/other/x", bob)
    found = groups(ldap(server))
    assert found[f"group:{first}"] == {"user:ana"}
    assert found[f"group:{second}"] == {"user:bob"}
    assert found[f"group:{sid}"] == {"user:ana"}
    assert not {"group:hr", "group:HR", "group:S-1-22-2-0", "group://other/x"} & set(found)
    assert len(found) == 4, path
    called = titles(ldap(server))
    assert (called[f"group:{first}"], called[f"group:{second}"]) == ("hr", "HR")
    assert called[f"group:{sid}"] == "S-1-22-2-0"


def test_posix_people_and_groups_have_samba_s_sids(server: Slapd, tree: Tree) -> None:
    tree.posix("staff", 500)
    tree.posix("hr", 501, "ana", "nobody")
    tree.person("ana", uidNumber=1000, gidNumber=500)
    found = groups(ldap(server))
    assert found["group:hr"] == {"user:ana"}
    assert found["group:staff"] == {"user:ana"}
    assert found["group:S-1-22-1-1000"] == {"user:ana"}
    assert found["group:S-1-22-2-500"] == {"user:ana", "group:staff"}
    assert found["group:S-1-22-2-501"] == {"group:hr"}


def test_windows_people_and_groups_are_known_by_sid(server: Slapd, tree: Tree) -> None:
    on: dict[str, Any] = {"userAccountControl": 512, "primaryGroupID": 513}
    ana = tree.person("ana", objectSid=slapd.sid(f"{DOMAIN}-1105"), **on)
    gone = tree.person("gone", objectSid=slapd.sid(f"{DOMAIN}-1106"), userAccountControl=514)
    late = tree.person("late", accountExpires=133_000_000_000_000_000)
    tree.group("hr", ana, gone, late, objectSid=slapd.sid(f"{DOMAIN}-2001"))
    tree.group("Domain Users", gone, objectSid=slapd.sid(f"{DOMAIN}-513"))
    found = groups(ldap(server))
    assert found[f"group:{DOMAIN}-1105"] == {"user:ana"}
    assert found[f"group:{DOMAIN}-2001"] == {"group:hr"}
    assert found["group:hr"] == {"user:ana"}
    assert found["group:Domain Users"] == {"user:ana"}
    assert "user:gone" not in frozenset[str]().union(*found.values())
    # A person's own identifier gets no title here: theirs is looked up when it is shown.
    assert titles(ldap(server)) == {
        f"group:{DOMAIN}-2001": "hr",
        f"group:{DOMAIN}-513": "Domain Users",
    }


def test_more_than_the_server_gives_at_once(server: Slapd, tree: Tree) -> None:
    people = [tree.person(f"u{n}") for n in range(450)]
    tree.group("all", *people)
    found = groups(ldap(server, page_size=100))
    assert found["group:all"] == {f"user:u{n}" for n in range(450)}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_connections_are_encrypted_and_verified(server: Slapd, tree: Tree, security: str) -> None:
    tree.group("hr", tree.person("ana"))
    port = server.tls_port if security == "tls" else server.port
    safe = {"security": security, "host": "localhost", "port": port}
    assert groups(ldap(server, **safe, ca_file=server.ca_file))["group:hr"] == {"user:ana"}
    with pytest.raises(ConnectorError, match="not trusted"):
        asyncio.run(ldap(server, **safe).check())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"password": "wrong"}, "does not accept the account"),
        ({"port": 1}, "Nothing answers at 127.0.0.1:1"),
        ({"base": "dc=other,dc=com"}, "refuses a search"),
        ({"people": "(broken"}, "A filter can't be understood"),
        ({"login": "mail"}, "No person with a login"),
        ({"groups": "(cn=none)"}, "No group is found"),
        ({"bind_dn": "", "password": None}, "No person|refuses"),
    ],
)
def test_a_sentence_says_what_is_wrong(
    server: Slapd, tree: Tree, changed: dict[str, Any], says: str
) -> None:
    tree.group("hr", tree.person("ana"))
    with pytest.raises(ConnectorError, match=says) as caught:
        asyncio.run(ldap(server, **changed).check())
    assert slapd.PASSWORD not in str(caught.value)


def test_an_account_needs_a_password() -> None:
    nobody = Slapd("127.0.0.1", 1, 1, Path())
    for changed in ({"password": ""}, {"bind_dn": ""}):
        with pytest.raises(ValidationError, match="an account and its password"):
            ldap(nobody, **changed)


def test_a_directory_has_no_documents(server: Slapd, tree: Tree) -> None:
    async def story() -> None:
        found = await listing(ldap(server), None)
        assert [type(mark) for mark in found.marks] == [Complete]
        assert found.items == []
        with pytest.raises(ConnectorError, match="no documents"):
            async for _ in ldap(server).fetch(Item(id="x", version="1", uri="x")):
                pass

    asyncio.run(story())


def entry(**attributes: str) -> Entry:
    return Entry("cn=x", {key.lower(): (value.encode(),) for key, value in attributes.items()})


def test_accounts_that_are_switched_off() -> None:
    never = str(0x7FFF_FFFF_FFFF_FFFF)
    assert not is_disabled(entry(userAccountControl="512", accountExpires=never))
    assert not is_disabled(entry(accountExpires="0", nsAccountLock="FALSE"))
    assert is_disabled(entry(userAccountControl="514"))
    assert is_disabled(entry(nsAccountLock="TRUE"))
    assert is_disabled(entry(pwdAccountLockedTime="000001010000Z"))


def test_names_of_entries_are_compared_as_the_directory_does() -> None:
    assert key_of("CN=Ana , DC=Example,dc=com") == key_of("cn=ana,dc=example,dc=COM")
    assert key_of("cn=ana\\, maria,dc=x") != key_of("cn=ana,cn=maria,dc=x")


def test_long_lists_of_members_come_in_ranges() -> None:
    """As Active Directory splits them; OpenLDAP doesn't, so the answers are written here."""

    class Answers:
        response: Any = None

        def search(self, dn: str, query: str, scope: str, attributes: list[str]) -> None:
            first = int(attributes[0].partition("=")[2].partition("-")[0])
            last = "*" if first == 4 else str(first + 1)
            values = [f"m{n}".encode() for n in range(first, min(first + 2, 5))]
            self.response = [{"raw_attributes": {f"member;range={first}-{last}": values}}]

    directory = Directory(ldap(Slapd("h", 1, 1, Path()))._config.server())
    directory._connection = Answers()
    whole = directory._whole("cn=g", {"member;range=0-1": [b"m0", b"m1"], "cn": [b"g"]})
    assert whole == {"member": tuple(f"m{n}".encode() for n in range(5)), "cn": (b"g",)}
