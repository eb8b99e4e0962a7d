"""The tests that every connector passes; shipped, so that third parties can run them.

In a test module::

    class TestShareFile(Conformance):
        def make(self) -> Connector:
            return ShareFile(ShareFile.Config(url=...))

        def make_unusable(self) -> Connector:
            return ShareFile(ShareFile.Config(url="http://127.0.0.1:1"))

pytest runs what is inherited. The source behind `make` holds at least one document, all can be
read, and nothing changes while the tests run. `make` is called several times.
`connectors.following` has the tests of sources that change.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue

from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
)

T = TypeVar("T")

MAX_FETCHED = 50
MAX_CRASHES = 8
_PRINCIPAL = re.compile(r"everyone|(user|group):.+")
_GROUP = re.compile(r"group:.+")
_MEMBER = re.compile(r"(user|group):.+")
_SENTENCE = re.compile(r"\S+(?:\s+\S+){2,}[.!?]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Listing:
    """What one pass of `changes` yielded; `pages` are the events before each of the `marks`."""

    pages: list[list[Item | Gone | Failed]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        """Return the items in order."""
        return [event for page in self.pages for event in page if isinstance(event, Item)]


async def listing(connector: Connector, since: JsonValue) -> Listing:
    """Run `changes` to its end; raises AssertionError if it breaks the order of events."""
    found, page = Listing(), list[Item | Gone | Failed]()
    async for event in connector.changes(since):
        complete = bool(found.marks) and isinstance(found.marks[-1], Complete)
        _expect(not complete, "Something was yielded after Complete.")
        if isinstance(event, Mark):
            found.pages.append(page)
            found.marks.append(event)
            page = []
        else:
            page.append(event)
    _expect(bool(found.marks), "changes() ended without a Mark.")
    _expect(not page, "changes() ended with events that no Mark closes; they would be lost.")
    return found


class Conformance:
    """Inherit from this in a test class and say how to make the connector."""

    def make(self) -> Connector:
        """Return a new connector to a source that holds at least one document."""
        raise NotImplementedError

    def make_unusable(self) -> Connector:
        """Return a connector whose source doesn't exist."""
        raise NotImplementedError

    def test_config_is_a_form(self) -> None:
        """The admin page draws its form from the JSON schema."""
        config = self.make().Config
        _expect(issubclass(config, BaseModel), "Config is not a pydantic model.")
        json.dumps(config.model_json_schema())

    def test_check_passes(self) -> None:
        """A usable source passes, and the connector can be closed twice."""
        connector = self.make()

        async def story() -> None:
            await connector.check()
            await connector.aclose()
            await connector.aclose()

        asyncio.run(story())

    def test_check_says_what_is_wrong(self) -> None:
        """An unusable source raises a sentence, not a stack of library errors."""
        try:
            self._with(self.make_unusable(), lambda connector: connector.check())
        except ConnectorError as error:
            _expect(bool(_SENTENCE.fullmatch(str(error))), f"Not a sentence: {error}")
        else:
            raise AssertionError("check() passed for a source that doesn't exist.")

    def test_lists_everything_once(self) -> None:
        """A listing from nothing yields each item once and ends with a mark."""
        found = self._list(None)
        ids = [item.id for item in found.items]
        _expect(bool(ids), "The source has no item.")
        _expect(len(ids) == len(set(ids)), "An item was listed twice.")
        gone = [e for page in found.pages for e in page if isinstance(e, Gone)]
        _expect(not gone, "A listing from nothing has nothing to delete.")
        done = [mark.done for mark in found.marks]
        _expect(done == sorted(done), "The progress of the marks goes backwards.")

    def test_items_are_whole(self) -> None:
        """Every item has what the catalog needs, and stores as JSON."""
        for item in self._list(None).items:
            json.dumps(item.model_dump(mode="json"), allow_nan=False).encode()
            for name in ("id", "version", "uri"):
                value = getattr(item, name)
                _expect(bool(value) and "\x00" not in value, f"{item.id}: bad {name} {value!r}.")
            _expect("/" in item.media_type, f"{item.id}: bad media type {item.media_type!r}.")
            aware = item.modified_at is None or item.modified_at.tzinfo is not None
            _expect(aware, f"{item.id}: modified_at has no time zone.")
            _expect_principals(item.id, item.access)

    def test_listing_is_repeatable(self) -> None:
        """What didn't change has the same version, access and metadata again."""
        first, second = self._list(None).items, self._list(None).items
        _expect(_by_id(first) == _by_id(second), "Two listings of an unchanged source differ.")

    def test_resumes_from_every_mark(self) -> None:
        """What was listed before a mark and what its cursor yields is everything, unchanged."""
        found = self._list(None)
        everything = _by_id(found.items)
        before: list[Item] = []
        for page, mark in zip(found.pages, found.marks, strict=True):
            before += [event for event in page if isinstance(event, Item)]
            rest = self._list(json.loads(json.dumps(mark.cursor))).items
            _expect(_by_id([*before, *rest]) == everything, f"Lost or changed after {mark}.")

    def test_survives_a_crash_at_any_event(self) -> None:
        """Whatever was yielded after the last mark before a crash comes again."""
        found = self._list(None)
        everything = _by_id(found.items)
        n_events = sum(map(len, found.pages)) + len(found.marks)
        for n in range(1, n_events, max(1, n_events // MAX_CRASHES)):
            kept, cursor = self._with(self.make(), partial(_cut, n=n))
            rest = self._list(json.loads(json.dumps(cursor))).items
            _expect(_by_id([*kept, *rest]) == everything, f"Lost or changed after event {n}.")

    def test_complete_only_ends_a_full_listing(self) -> None:
        """From the last cursor of a finished run, nothing may be declared complete."""
        last = self._list(None).marks[-1]
        if last.cursor is None:
            _expect(isinstance(last, Complete), "A source that always lists all ends Complete.")
        else:
            later = self._list(last.cursor).marks
            _expect(
                not any(isinstance(mark, Complete) for mark in later),
                "An incremental run ended Complete: everything it did not list would be deleted.",
            )

    def test_fetches_bytes(self) -> None:
        """Every body comes in pieces of bytes, the same again."""

        async def story(connector: Connector) -> None:
            async for item in _items(connector):
                first = [piece async for piece in connector.fetch(item)]
                _expect(all(type(piece) is bytes for piece in first), f"{item.id}: not bytes.")
                again = b"".join([piece async for piece in connector.fetch(item)])
                _expect(b"".join(first) == again, f"{item.id}: fetched twice, got two bodies.")

        self._with(self.make(), story)

    def test_fetch_of_a_lost_item_says_so(self) -> None:
        """An item that vanished after it was listed raises ConnectorError."""

        async def story(connector: Connector) -> None:
            item = [item async for item in _items(connector)][0]  # noqa: RUF015
            lost = item.model_copy(update={"id": item.id + "-lost", "uri": item.uri + "-lost"})
            try:
                async for _ in connector.fetch(lost):
                    pass
            except ConnectorError as error:
                _expect(bool(_SENTENCE.fullmatch(str(error))), f"Not a sentence: {error}")
            else:
                raise AssertionError("An item that doesn't exist was fetched.")

        self._with(self.make(), story)

    def test_groups_are_named_once(self) -> None:
        """Groups are `group:…`, each once, with `user:…` and `group:…` as members."""

        async def story(connector: Connector) -> list[Group]:
            return [group async for group in connector.groups()]

        groups = self._with(self.make(), story)
        ids = [group.id for group in groups]
        _expect(len(ids) == len(set(ids)), "A group was yielded twice.")
        for group in groups:
            _expect(bool(_GROUP.fullmatch(group.id)), f"Not a group: {group.id!r}.")
            for member in group.members:
                _expect(bool(_MEMBER.fullmatch(member)), f"{group.id}: bad member {member!r}.")

    def _list(self, since: JsonValue) -> Listing:
        return self._with(self.make(), lambda connector: listing(connector, since))

    def _with(self, connector: Connector, story: Callable[[Connector], Awaitable[T]]) -> T:
        async def closing() -> T:
            try:
                return await story(connector)
            finally:
                await connector.aclose()

        return asyncio.run(closing())


async def _items(connector: Connector) -> AsyncIterator[Item]:
    for item in (await listing(connector, None)).items[:MAX_FETCHED]:
        yield item


async def _cut(connector: Connector, n: int) -> tuple[list[Item], JsonValue]:
    """Take `n` events; return the items and the cursor of the last mark among them."""
    kept: list[Item] = []
    page: list[Item] = []
    cursor: JsonValue = None
    changes: Any = connector.changes(None)
    async with aclosing(changes) as events:
        async for event in events:
            n -= 1
            if isinstance(event, Mark):
                kept, page, cursor = [*kept, *page], [], event.cursor
            elif isinstance(event, Item):
                page.append(event)
            if n == 0:
                break
    return kept, cursor


def _by_id(items: list[Item]) -> dict[str, Item]:
    return {item.id: item for item in items}


def _expect_principals(item_id: str, access: Access) -> None:
    for principal in access.allow | access.deny | access.all_of:
        _expect(bool(_PRINCIPAL.fullmatch(principal)), f"{item_id}: bad principal {principal!r}.")


def _expect(claim: bool, otherwise: str) -> None:
    if not claim:
        raise AssertionError(otherwise)
