"""Any order of pushes ends with the memberships of an oracle that knows nothing of SCIM."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.access.key import service
from assistant.access.principals import principals_of
from assistant.access.scim import groups, persons
from assistant.access.scim.directory import Directory
from assistant.access.scim.patch import Operation
from assistant.access.scim.resource import Group, User, read
from assistant.settings import IdentitySettings
from assistant.store import people
from assistant.store.database import Database
from assistant.store.memberships import memberships_of
from tests.support.scim import ISSUER

IDENTITY = IdentitySettings.model_validate({"oidc": {"issuer": ISSUER, "audience": "x"}})
NUMBERS = itertools.count(1)

PEOPLE = ("ana", "bo", "cleo")
GROUPS = ("g0", "g1", "g2")
WHO, WHICH = st.sampled_from(PEOPLE), st.sampled_from(GROUPS)
SOME = st.lists(st.sampled_from([*PEOPLE, *GROUPS]), max_size=3, unique=True)

STEPS = st.one_of(
    st.tuples(st.just("push"), WHO),
    st.tuples(st.just("delete"), WHO),
    st.tuples(st.sampled_from(["off", "on"]), WHO),
    st.tuples(st.just("push_group"), WHICH, SOME),
    st.tuples(st.just("delete_group"), WHICH),
    st.tuples(st.sampled_from(["put", "replace", "add", "remove", "remove_each"]), WHICH, SOME),
    st.tuples(st.just("remove_all"), WHICH),
)


@dataclass
class Oracle:
    """Who is there, who may come in, and who is in what, by name."""

    there: set[str] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    members: dict[str, set[str]] = field(default_factory=dict)

    def groups_of(self, name: str) -> set[str]:
        """Return every group that somebody is in, however deep; nobody who is out is in any."""
        if name in self.out or name not in self.there:
            return set()
        found: set[str] = set()
        while True:
            more = {g for g, held in self.members.items() if held & (found | {name})}
            if more <= found:
                return found
            found |= more

    def forget(self, name: str) -> None:
        for held in self.members.values():
            held.discard(name)


@dataclass
class Pushing:
    """Does each step in the database and for the oracle."""

    directory: Directory
    oracle: Oracle = field(default_factory=Oracle)
    ids: dict[str, str] = field(default_factory=dict)

    def step(self, word: str, name: str, some: Iterable[str] = ()) -> None:
        """Do what makes sense of a step: nothing is asked of what isn't there."""
        known = self.oracle.there | self.oracle.members.keys()
        held = {one for one in some if one in known and one != name}
        if word in {"push", "push_group"}:
            if name not in known:
                getattr(self, word)(name, held)
        elif name in known:
            getattr(self, word)(name, held)

    def push(self, name: str, held: set[str]) -> None:
        user = read(User, {"userName": name, "externalId": self.subject(name)})
        self.ids[name] = persons.create(self.directory, user)["id"]
        self.oracle.there.add(name)
        self.oracle.out.discard(name)

    def delete(self, name: str, held: set[str]) -> None:
        persons.delete(self.directory, self.ids[name])
        self.oracle.there.discard(name)
        self.oracle.forget(name)

    def off(self, name: str, held: set[str]) -> None:
        persons.patch(self.directory, self.ids[name], [Operation("replace", "active", "False")])
        self.oracle.out.add(name)

    def on(self, name: str, held: set[str]) -> None:
        persons.patch(self.directory, self.ids[name], [Operation("replace", "active", True)])
        self.oracle.out.discard(name)

    def push_group(self, name: str, held: set[str]) -> None:
        group = read(Group, {"displayName": name, "members": self.values(held)})
        self.ids[name] = groups.create(self.directory, group)["id"]
        self.oracle.members[name] = held

    def delete_group(self, name: str, held: set[str]) -> None:
        groups.delete(self.directory, self.ids[name])
        del self.oracle.members[name]
        self.oracle.forget(name)

    def put(self, name: str, held: set[str]) -> None:
        group = read(Group, {"displayName": name, "members": self.values(held)})
        groups.change(self.directory, self.ids[name], group)
        self.oracle.members[name] = held

    def replace(self, name: str, held: set[str]) -> None:
        self.patch(name, Operation("replace", "", {"Members": self.values(held)}))
        self.oracle.members[name] = held

    def add(self, name: str, held: set[str]) -> None:
        self.patch(name, Operation("add", "members", self.values(held)))
        self.oracle.members[name] |= held

    def remove(self, name: str, held: set[str]) -> None:
        self.patch(name, Operation("remove", "members", self.values(held)))
        self.oracle.members[name] -= held

    def remove_each(self, name: str, held: set[str]) -> None:
        each = [f'members[value eq "{self.ids[one]}"]' for one in held]
        self.patch(name, *(Operation("remove", path) for path in each))
        self.oracle.members[name] -= held

    def remove_all(self, name: str, held: set[str]) -> None:
        self.patch(name, Operation("remove", "members"))
        self.oracle.members[name] = set()

    def patch(self, name: str, *operations: Operation) -> None:
        groups.patch(self.directory, self.ids[name], operations)

    def values(self, held: set[str]) -> list[dict[str, Any]]:
        return [{"value": self.ids[one]} for one in sorted(held)]

    def subject(self, name: str) -> str:
        return f"{name}-{self.directory.id}"

    def principal(self, name: str) -> str:
        if name in GROUPS:
            return f"group:scim:{self.ids[name]}"
        return f"user:{ISSUER}|{self.subject(name)}"

    def check(self, conn: Connection) -> None:
        """Compare what is stored, and what everybody holds, with the oracle."""
        expected = {
            (self.principal(member), self.principal(group))
            for group, held in self.oracle.members.items()
            for member in held
        }
        ours = [self.principal(name) for name in self.ids]
        assert {(m, g) for m, g in memberships_of(conn) if g in ours or m in ours} == expected
        for name in self.oracle.there:
            person = people.person_by_id(conn, self.ids[name])
            assert person is not None
            held = {one for one in principals_of(conn, person) if one.startswith("group:")}
            assert held == {self.principal(group) for group in self.oracle.groups_of(name)}
        self.check_shown()

    def check_shown(self) -> None:
        """Compare what the provider is told with the oracle."""
        names = {id_: name for name, id_ in self.ids.items()}
        direct: defaultdict[str, set[str]] = defaultdict(set)
        for group, held in self.oracle.members.items():
            shown = groups.show(self.directory, self.ids[group])["members"]
            assert {names[one["value"]] for one in shown} == held
            for member in held:
                direct[member].add(group)
        for name in self.oracle.there:
            shown = persons.show(self.directory, self.ids[name])
            assert {names[one["value"]] for one in shown["groups"]} == direct[name]
            assert shown["active"] == (name not in self.oracle.out)


@hypothesis.settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@hypothesis.given(start=st.tuples(SOME, SOME), steps=st.lists(STEPS, min_size=4, max_size=20))
def test_any_order_ends_as_the_oracle_says(
    database: Database, start: tuple[list[str], list[str]], steps: list[Any]
) -> None:
    """Begins with everybody there, and two groups with some."""
    with database.begin() as conn:
        owner, _ = service(conn, f"idp-{next(NUMBERS)}", ())
        pushing = Pushing(Directory(conn, owner, IDENTITY, "http://assistant/scim/v2"))
        there = [("push", name) for name in PEOPLE]
        grouped = [("push_group", name, some) for name, some in zip(GROUPS, start, strict=False)]
        for word, *rest in [*there, *grouped, *steps]:
            pushing.step(word, *rest)
        pushing.check(conn)


def test_two_at_once_lose_nothing(database: Database) -> None:
    """Both read the members, both write them: one waits for the other."""
    with database.begin() as conn:
        owner, _ = service(conn, "idp", ())
        directory = Directory(conn, owner, IDENTITY, "")
        ids = [
            persons.create(directory, read(User, {"userName": n, "externalId": n}))["id"]
            for n in map(str, range(8))
        ]
        group = groups.create(directory, read(Group, {"displayName": "all"}))["id"]

    def add(member: str) -> None:
        with database.begin() as conn:
            operation = Operation("add", "members", [{"value": member}])
            groups.patch(Directory(conn, owner, IDENTITY, ""), group, [operation])

    threads = [threading.Thread(target=add, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.begin() as conn:
        shown = groups.show(Directory(conn, owner, IDENTITY, ""), group)
    assert {one["value"] for one in shown["members"]} == set(ids)
