"""The conformance suite finds connectors that break the contract, each in one way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, JsonValue

from connectors.conformance import Conformance
from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
)

Event = Item | Gone | Failed | Mark


def item(n: int, **changes: Any) -> Item:
    return Item(id=f"i{n}", version="1", uri=f"i{n}").model_copy(update=changes)


class Scripted:
    """A connector of what it is given: `script` by the position its cursor names."""

    class Options(Frozen):
        pass

    Config: ClassVar[type[BaseModel]] = Options

    def __init__(
        self,
        script: Iterable[Event],
        groups: Iterable[Group] = (),
        body: Any = b"body",
        problem: str = "The source does not exist.",
    ) -> None:
        self._script = list(script)
        self._groups = groups
        self._body = body
        self._problem = problem

    async def check(self) -> None:
        if not self._script:
            raise ConnectorError(self._problem)

    async def changes(self, since: JsonValue) -> AsyncIterator[Event]:
        for event in self._script[since if isinstance(since, int) else 0 :]:
            yield event

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        if item.id not in {event.id for event in self._script if isinstance(event, Item)}:
            raise ConnectorError(f"The item {item.id} is gone.")
        yield self._body

    async def groups(self) -> AsyncIterator[Group]:
        for group in self._groups:
            yield group

    async def aclose(self) -> None:
        pass


class Suite(Conformance):
    def __init__(self, connector: Scripted, unusable: Connector | None = None) -> None:
        self._connector = connector
        self._unusable = unusable or Scripted([])

    def make(self) -> Connector:
        return self._connector

    def make_unusable(self) -> Connector:
        return self._unusable

    def failing(self) -> set[str]:
        failing = set()
        for name in [name for name in dir(self) if name.startswith("test_")]:
            try:
                getattr(self, name)()
            except AssertionError:
                failing.add(name.removeprefix("test_"))
        return failing


END = Complete(cursor=None, done=2)
MIDDLE = Mark(cursor=2, done=1)


def test_a_right_connector_passes() -> None:
    groups = [Group(id="group:a", members=frozenset({"user:x"}))]
    assert Suite(Scripted([item(1), MIDDLE, item(2), END], groups)).failing() == set()


@pytest.mark.parametrize(
    ("connector", "expected"),
    [
        (Scripted([item(1), item(1), END]), "lists_everything_once"),
        (Scripted([item(1), END, item(2)]), "lists_everything_once"),
        (Scripted([item(1)]), "lists_everything_once"),
        (Scripted([item(1), Gone(id="x"), END]), "lists_everything_once"),
        (Scripted([item(1), Mark(cursor=3), item(2), END]), "resumes_from_every_mark"),
        (Scripted([item(1), Complete(cursor=0)]), "complete_only_ends_a_full_listing"),
        (Scripted([item(1), Mark(cursor=None)]), "complete_only_ends_a_full_listing"),
        (Scripted([item(1, version=""), END]), "items_are_whole"),
        (Scripted([item(1, access=Access(allow=frozenset({"ana"}))), END]), "items_are_whole"),
        (Scripted([item(1), END], body="text"), "fetches_bytes"),
        (Scripted([item(1), END], [Group(id="a", members=frozenset())]), "groups_are_named_once"),
    ],
)
def test_a_wrong_connector_is_found(connector: Scripted, expected: str) -> None:
    assert expected in Suite(connector).failing()


def test_checks_that_say_nothing_are_found() -> None:
    right = Scripted([item(1), END])
    assert Suite(right, right).failing() == {"check_says_what_is_wrong"}
    assert Suite(right, Scripted([], problem="KeyError")).failing() == {"check_says_what_is_wrong"}
