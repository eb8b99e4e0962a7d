"""People, groups, keys and who may read what, as the API says and does them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from ui.client import Client, read, segment
from ui.model import Said

ROLES = ("employee", "integrator", "admin", "auditor")
EXCLUDING = (frozenset({"admin", "auditor"}), frozenset({"integrator", "auditor"}))
"""Shown beside the choice of roles; the API refuses these pairs whatever is shown."""


class Account(Said):
    """Somebody who may sign in, or a program."""

    id: str
    login: str
    name: str
    email: str | None = None
    company: str = ""
    roles: tuple[str, ...] = ()
    provider: str = ""
    is_service: bool = False
    principal: str
    disabled_at: datetime | None = None
    created_at: datetime
    n_sessions: int = 0
    n_keys: int = 0

    @property
    def has_password(self) -> bool:
        """Whether the password is kept here."""
        return not self.provider and not self.is_service


class Added(Said):
    """Somebody who was added, with their password."""

    person: Account
    password: str


class GroupName(Said):
    """A group that is spoken of: what people call it, if that is known, and who tells it."""

    name: str
    title: str = ""
    source: str = ""
    source_title: str = ""
    as_of: datetime | None = None


class Named(Said):
    """What speaks of groups, with what is known of each."""

    names: tuple[GroupName, ...] = ()

    @property
    def known(self) -> dict[str, GroupName]:
        """The groups by principal."""
        return {one.name: one for one in self.names}


class Group(GroupName):
    """A group with its number of direct members."""

    n_members: int = 0
    path: tuple[str, ...] = ()


class Member(Said):
    """A direct member of a group."""

    principal: str
    person_id: str | None = None
    login: str = ""
    full_name: str = ""
    disabled: bool = False


class Members(Named):
    """The direct members of a group."""

    members: tuple[Member, ...] = ()


class Key(Said):
    """An API key without its secret."""

    id: str
    owner: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class Keys(Said):
    """All keys, and the scopes that one may have."""

    keys: tuple[Key, ...] = ()
    scopes: tuple[str, ...] = ()


class NewKey(Said):
    """A key that was added, with its secret."""

    id: str
    owner: str
    key: str


class Detail(Named):
    """A person with their groups and keys."""

    person: Account
    groups: tuple[Group, ...] = ()
    keys: tuple[Key, ...] = ()


class Shelf(Said):
    """Documents that one rule opens to a person."""

    source: str
    collection: str
    rule: str
    path: tuple[str, ...] = ()
    n_documents: int
    examples: tuple[str, ...] = ()


class Reading(Named):
    """What a person may read."""

    may_open: bool
    n_documents: int
    n_closed: int
    shelves: tuple[Shelf, ...] = ()


class ReaderRow(Said):
    """Somebody who may read a document, by which rule."""

    login: str
    name: str = ""
    rule: str
    path: tuple[str, ...] = ()


class Readers(Named):
    """Who may read a document."""

    document_id: str
    source: str
    collection: str
    access_as_of: datetime | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    n_people: int = 0
    readers: tuple[ReaderRow, ...] = ()


class Entry(Said):
    """An entry of an ACL."""

    list: str
    principal: str
    held: bool
    path: tuple[str, ...] = ()
    decisive: bool = False


class Explanation(Named):
    """Why a person may read a document or not."""

    login: str
    document_id: str
    source: str
    collection: str
    allowed: bool
    rule: str
    entries: tuple[Entry, ...] = ()
    access_age_s: float | None = None
    policy_epoch: int


class Amount(Said):
    """How many documents of a collection."""

    collection: str
    n_documents: int
    examples: tuple[str, ...] = ()


class Side(Said):
    """What one person has and the other lacks."""

    login: str
    only: tuple[Amount, ...] = ()
    only_principals: tuple[str, ...] = ()


class Comparison(Named):
    """What two people read alone and together."""

    one: Side
    other: Side
    both: tuple[Amount, ...] = ()


class Effect(Said):
    """What one person would gain and lose."""

    login: str
    gained: tuple[Amount, ...] = ()
    lost: tuple[Amount, ...] = ()


class Simulation(Said):
    """Whom a change would concern."""

    effects: tuple[Effect, ...] = ()
    n_gained: int
    n_lost: int
    n_targeted: int


class Contact(Said):
    """A source of which the reader sees something."""

    source: str
    title: str


class Invisibility(Said):
    """Whether the reader sees a document."""

    visible: bool
    contacts: tuple[Contact, ...] = ()


class People:
    """Asks the API about people and access; raises what `Client` raises."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> list[Account]:
        """Return everybody by login."""
        listed = self._client.call("GET", "/v1/people").json()["people"]
        return [Account.model_validate(one) for one in listed]

    def one(self, person_id: str) -> Detail:
        """Return a person with their groups and keys."""
        return read(Detail, self._client.call("GET", _person(person_id)))

    def add(self, new: dict[str, Any]) -> Added:
        """Add somebody; returns the password to give them."""
        return read(Added, self._client.call("POST", "/v1/people", new))

    def set_roles(self, person_id: str, roles: Sequence[str]) -> None:
        """Give somebody other roles."""
        self._client.call("PUT", f"{_person(person_id)}/roles", {"roles": list(roles)})

    def disable(self, person_id: str) -> None:
        """Lock somebody out."""
        self._client.call("POST", f"{_person(person_id)}/disable")

    def enable(self, person_id: str) -> None:
        """Let somebody sign in again."""
        self._client.call("POST", f"{_person(person_id)}/enable")

    def end_sessions(self, person_id: str) -> None:
        """Sign somebody out everywhere."""
        self._client.call("DELETE", f"{_person(person_id)}/sessions")

    def new_password(self, person_id: str) -> str:
        """Replace a password; returns the new one."""
        answer = self._client.call("POST", f"{_person(person_id)}/password")
        return str(answer.json()["password"])

    def groups(self) -> list[Group]:
        """Return the groups of all sources."""
        listed = self._client.call("GET", "/v1/groups").json()["groups"]
        return [Group.model_validate(one) for one in listed]

    def members(self, group: str) -> Members:
        """Return the direct members of a group."""
        path = f"/v1/groups/members?{urlencode({'group': group})}"
        return read(Members, self._client.call("GET", path))

    def keys(self) -> Keys:
        """Return all keys."""
        return read(Keys, self._client.call("GET", "/v1/keys"))

    def add_key(self, new: dict[str, Any]) -> NewKey:
        """Add a key; returns its secret."""
        return read(NewKey, self._client.call("POST", "/v1/keys", new))

    def revoke_key(self, key_id: str) -> None:
        """End a key."""
        self._client.call("DELETE", f"/v1/keys/{segment(key_id)}")

    def reading(self, login: str) -> Reading:
        """Return what a person may read; this is recorded."""
        return read(Reading, self._access("reading", user=login))

    def readers(self, document: str) -> Readers:
        """Return who may read a document; this is recorded."""
        return read(Readers, self._access("readers", document=document))

    def explain(self, login: str, document: str) -> Explanation:
        """Return why a person may read a document or not; this is recorded."""
        return read(Explanation, self._access("explain", user=login, document=document))

    def compare(self, login: str, other: str) -> Comparison:
        """Return what two people read alone and together; this is recorded."""
        return read(Comparison, self._access("compare", user=login, other=other))

    def simulate(self, change: dict[str, Any]) -> Simulation:
        """Return what a change would give and take; this is recorded."""
        return read(Simulation, self._client.call("POST", "/v1/access/simulate", change))

    def why(self, document: str) -> Invisibility:
        """Tell the person who is signed in whether they see a document."""
        return read(Invisibility, self._access("why", document=document))

    def _access(self, what: str, **asked: str) -> Any:
        return self._client.call("GET", f"/v1/access/{what}?{urlencode(asked)}")


def _person(person_id: str) -> str:
    return f"/v1/people/{segment(person_id)}"
