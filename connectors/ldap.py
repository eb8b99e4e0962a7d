"""Groups and people of an LDAP directory, such as Active Directory: a source without documents.

Other sources name its groups: `group://DIRECTORY/finance` is the group `finance` of the source
`DIRECTORY`. Groups in groups stay nested; who is in them is found out when somebody asks. Each
person and group also is a group by their security identifier, so that a file server's access
lists need no map: objectSid as it is, uidNumber as S-1-22-1-N and gidNumber as S-1-22-2-N.

Disabled accounts are in no group. What can't be read completely is not read at all: the groups
stay as they were.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, Field, JsonValue, SecretStr, model_validator

from connectors.confinement import PathFields
from connectors.contract import (
    Complete,
    ConnectorError,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.ldap_directory import Directory, Entry, Server, is_disabled, key_of, sids_of
from connectors.origin import check_host

_Attribute = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]

_NAME = re.compile(r"(?!S-1-)(?!//)[^\s=\x00-\x1f\x7f](?:[^=\x00-\x1f\x7f]*[^\s=\x00-\x1f\x7f])?")
"""A name that is no SID and no distinguished name, so that none is taken for another group."""


class LdapConfig(PathFields):
    """Which directory, who binds, and which of its entries are people and groups."""

    reach: ClassVar[frozenset[str]] = frozenset({"host", "port", "security", "ca_file"})
    host: str = Field(title="Server", pattern=r"^[\w.:-]+$", description="name of the server")
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="636 with tls, else 389, where it is empty"
    )
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="none sends the password in clear: only inside one machine"
    )
    ca_file: Path | None = Field(
        default=None, title="Authority", description="PEM file of a company's own authority"
    )
    bind_dn: str = Field(default="", title="Account", description="DN, or user@domain for AD")
    password: SecretStr | None = Field(default=None, title="Password")
    base: str = Field(title="Base", min_length=1, description="such as dc=example,dc=com")
    people: str = Field(
        default="(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=user))",
        title="People",
        description="filter of the people",
    )
    groups: str = Field(
        default="(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
        "(objectClass=posixGroup)(objectClass=group))",
        title="Groups",
        description="filter of the groups",
    )
    login: _Attribute = Field(
        default="uid", title="Login", description="attribute with the login; sAMAccountName in AD"
    )
    issuer: str = Field(
        default="",
        title="Issuer",
        pattern=r"^[^|\s]*$",
        description="of people who sign in elsewhere: the login is their subject there",
    )
    name: _Attribute = Field(default="cn", title="Name of a group", description="attribute")
    page_size: int = Field(default=500, ge=1, le=10_000, description="entries an answer")
    timeout_s: float = Field(default=60.0, gt=0, le=600, description="patience with the server")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        given = self.password.get_secret_value() if self.password else ""
        if bool(self.bind_dn) != bool(given):
            raise ValueError("give an account and its password, or neither")
        return self

    def server(self) -> Server:
        """Return where to bind."""
        return Server(
            host=self.host,
            port=self.port or (636 if self.security == "tls" else 389),
            security=self.security,
            ca_file=self.ca_file,
            bind_dn=self.bind_dn,
            password=self.password.get_secret_value() if self.password else "",
            page_size=self.page_size,
            timeout_s=self.timeout_s,
        )


class Ldap:
    """Reads groups with their members; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = LdapConfig

    def __init__(self, config: LdapConfig) -> None:
        self._config = config

    async def check(self) -> None:
        """Raise `ConnectorError` if the directory can't be read, or has none of the groups."""
        await check_host(f"ldap://{self._config.host}")
        try:
            people, groups = await asyncio.to_thread(self._read)
        except RetryLater as error:
            raise ConnectorError(
                f"The directory {self._config.host} doesn't answer in time; try again later."
            ) from error
        if not any(self._principal(person) for person in people):
            raise ConnectorError(
                f"No person with a login ({self._config.login}) is found below "
                f"{self._config.base}; check base, people and login."
            )
        if not groups:
            raise ConnectorError(
                f"No group is found below {self._config.base}; check base and groups."
            )

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield that there are no documents."""
        yield Complete(cursor=None, done=0, total=0)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Raise `ConnectorError`: a directory has no documents."""
        raise ConnectorError(f"{item.id!r} is not in this directory; it has no documents.")
        yield b""

    async def groups(self) -> AsyncIterator[Group]:
        """Yield all groups, by name and by SID; raises `ConnectorError` if one can't be read."""
        people, groups = await asyncio.to_thread(self._read)
        for group in self._memberships(people, groups):
            yield group

    async def aclose(self) -> None:
        """Release nothing: the directory is unbound after each reading."""

    def _read(self) -> tuple[list[Entry], list[Entry]]:
        config = self._config
        with Directory(config.server()) as directory:
            people = directory.search(config.base, config.people, (config.login,))
            groups = directory.search(config.base, config.groups, (config.name,))
        return people, groups

    def _principal(self, person: Entry) -> str | None:
        login = person.text(self._config.login)
        if not login or is_disabled(person) or any(ord(c) < 32 or c == "|" for c in login):
            return None
        issuer = self._config.issuer
        return f"user:{issuer}|{login}" if issuer else f"user:{login}"

    def _memberships(self, people: list[Entry], groups: list[Entry]) -> list[Group]:
        persons = {
            key_of(person.dn): principal
            for person in people
            if (principal := self._principal(person)) is not None
        }
        names = _names(groups, self._config.name)
        by_login = {
            person.text("uid"): persons[key_of(person.dn)]
            for person in people
            if key_of(person.dn) in persons
        }
        members = defaultdict[str, set[str]](set)
        for group in groups:
            name = names[key_of(group.dn)]
            inside = [key_of(dn) for dn in group.texts("member") + group.texts("uniqueMember")]
            members[name] |= {found for dn in inside if (found := persons.get(dn) or names.get(dn))}
            members[name] |= {by_login[u] for u in group.texts("memberUid") if u in by_login}
            for sid in sids_of(group):
                members[f"group:{sid}"].add(name)
        for person in people:
            principal = persons.get(key_of(person.dn))
            if principal is not None:
                for sid in (*sids_of(person), *_primary(person)):
                    members[f"group:{sid}"].add(principal)
        _enter_primary_groups(people, groups, persons, names, members)
        titles = self._titles(groups, names)
        return [
            Group(id=one, members=frozenset(members[one] - {one}), title=titles.get(one, ""))
            for one in sorted(members)
        ]

    def _titles(self, groups: list[Entry], names: Mapping[str, str]) -> dict[str, str]:
        """Return what groups are called that are known by their SID or distinguished name."""
        titles = {}
        for group in groups:
            title, name = group.text(self._config.name), names[key_of(group.dn)]
            for known in (name, *(f"group:{sid}" for sid in sids_of(group))):
                if known != f"group:{title}":
                    titles[known] = title
        return titles


def _names(groups: Iterable[Entry], attribute: str) -> dict[str, str]:
    """Return the names of groups by key; a name that two groups share is not used for either."""
    groups = list(groups)
    n_named = Counter(group.text(attribute).casefold() for group in groups)
    names = {}
    for group in groups:
        name = group.text(attribute)
        is_good = n_named[name.casefold()] == 1 and _NAME.fullmatch(name)
        names[key_of(group.dn)] = f"group:{name}" if is_good else f"group:{group.dn}"
    return names


def _primary(person: Entry) -> list[str]:
    """Return the SID of the group that a person is in without being its member."""
    found = []
    if gid := person.text("gidNumber"):
        found.append(f"S-1-22-2-{gid}")
    if (rid := person.text("primaryGroupID")) and (sids := person.sids("objectSid")):
        found.append(f"{sids[0].rpartition('-')[0]}-{rid}")
    return found


def _enter_primary_groups(
    people: Iterable[Entry],
    groups: Iterable[Entry],
    persons: Mapping[str, str],
    names: Mapping[str, str],
    members: Mapping[str, set[str]],
) -> None:
    by_sid = {sid: names[key_of(group.dn)] for group in groups for sid in sids_of(group)}
    for person in people:
        principal = persons.get(key_of(person.dn))
        for sid in _primary(person):
            if principal is not None and sid in by_sid:
                members[by_sid[sid]].add(principal)
