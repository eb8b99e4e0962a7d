"""Conformance of a connector whose source changes: what follows it ends where the source is.

In a test module, beside `connectors.conformance`::

    class TestShareFile(Following):
        cannot = {"throttle": "The server has no limits."}

        def make(self) -> Connector: ...
        def make_unusable(self) -> Connector: ...
        def add(self, name: str, text: str) -> None: ...
        def change(self, name: str, text: str) -> None: ...
        def delete(self, name: str) -> None: ...
        def revoke(self, name: str) -> None: ...
        def empty(self) -> None: ...
        def fill(self, n: int) -> None: ...

Whatever the source of a test can't do is named in `cannot` with the reason; the tests that need
it are reported as skipped, with that reason, and the reference lists them.
"""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Literal, get_args
from unittest import SkipTest

from pydantic import JsonValue

from connectors.conformance import Conformance, listing
from connectors.contract import (
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Item,
    Mark,
    RetryLater,
)

Ability = Literal["add", "change", "delete", "revoke", "expire", "throttle", "empty", "fill"]
ABILITIES: tuple[Ability, ...] = get_args(Ability)

MANY = 10_000
MAX_PEAK_BYTES = 64 * 1024 * 1024
MAX_PATIENCE = 8
NAMES = (
    "Ação – 文档 🙂 #1 100%.txt",
    " blank  'quoted' & [odd]+.txt",
    "long " + "n" * 190 + ".txt",
)


class Follower:
    """What a catalog holds that follows a connector, by the rules of the sync run."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.cursor: JsonValue = None
        self.n_listed = 0
        self.n_waited = 0
        self._seen: dict[str, int] = {}
        self._whole = False
        self._run_no = 0

    async def follow(self, connector: Connector, midway: Callable[[], None] = lambda: None) -> None:
        """Run once, through expired cursors and refusals; `midway` happens after an event."""
        self.n_listed = 0
        if self.cursor is None:
            self._begin()
        for _ in range(MAX_PATIENCE):
            try:
                await self._pass(connector, midway)
            except CursorExpired:
                self.cursor = None
                self._begin()
            except RetryLater as wish:
                self.n_waited += 1
                await asyncio.sleep(min(wish.after_s or 0, 1))
            else:
                return
            midway = _nothing
        raise AssertionError("The source asks for patience for ever.")

    def _begin(self) -> None:
        self._whole, self._run_no = True, self._run_no + 1

    async def _pass(self, connector: Connector, midway: Callable[[], None]) -> None:
        page: list[Item | Gone | Failed] = []
        async for event in connector.changes(self.cursor):
            if isinstance(event, Mark):
                self._commit(page, event)
                page = []
            else:
                page.append(event)
            midway()
            midway = _nothing

    def _commit(self, page: list[Item | Gone | Failed], mark: Mark) -> None:
        for event in page:
            if isinstance(event, Gone):
                self.items.pop(event.id, None)
            elif isinstance(event, Item):
                self.n_listed += 1
                self.items[event.id] = event
                self._seen[event.id] = self._run_no
            else:
                kept = [key for key in self.items if _covers(event, key)]
                self._seen |= dict.fromkeys(kept, self._run_no)
        if isinstance(mark, Complete):
            assert self._whole, "An incremental run ended Complete."  # noqa: S101
            self.items = {k: v for k, v in self.items.items() if self._seen[k] == self._run_no}
        self.cursor = json.loads(json.dumps(mark.cursor))


class Following(Conformance):
    """Inherit from this in a test class, and say how to change the source behind `make`."""

    cannot: ClassVar[dict[Ability, str]] = {}
    names: ClassVar[tuple[str, ...]] = NAMES
    many: int = MANY
    """How many documents a listing must take little memory for."""
    access_is_versioned: ClassVar[bool] = False
    """The source makes a new version of what changes its readers: it is read again."""

    def add(self, name: str, text: str) -> None:
        """Add a document whose body holds a text; `name` has letters that names may have."""
        raise NotImplementedError

    def change(self, name: str, text: str) -> None:
        """Give a document that was added another body."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Delete a document that was added."""
        raise NotImplementedError

    def revoke(self, name: str) -> None:
        """Change who may read a document that was added, and nothing else."""
        raise NotImplementedError

    def expire(self, cursor: JsonValue) -> JsonValue:
        """Make the source forget a cursor, or return one that it doesn't know."""
        return {"of": "another source", "instead of": cursor}

    def throttle(self) -> None:
        """Let the source ask for patience, once, while it is listed next."""
        raise NotImplementedError

    def empty(self) -> None:
        """Delete all documents."""
        raise NotImplementedError

    def fill(self, n: int) -> None:
        """Add so many small documents."""
        raise NotImplementedError

    def test_what_it_cannot_is_known(self) -> None:
        """Every inability has a name and a reason."""
        for ability, reason in self.cannot.items():
            _expect(ability in ABILITIES and bool(reason.strip()), f"{ability}: {reason!r}")

    def test_added_and_changed_documents_arrive(self) -> None:
        """They come with the next run; what didn't change keeps its version."""
        self._needs("add", "change")
        self.add("first.txt", "The first text.")
        follower, before = self._followed()
        self.add("second.txt", "The second text.")
        self.change("first.txt", "Another first text, which is longer.")
        self._follow(follower)
        new = [key for key in follower.items if key not in before]
        changed = [k for k in before if follower.items[k].version != before[k].version]
        _expect(len(new) == 1, f"One document was added, these came: {new}.")
        _expect(len(changed) == 1, f"One document was changed, these have a new version: {changed}")
        _expect(b"second text" in self._body(follower.items[new[0]]), "Another body was fetched.")
        _expect(b"Another first" in self._body(follower.items[changed[0]]), "The body is old.")

    def test_deleted_documents_go(self) -> None:
        """They are gone after the next run, and nothing else is."""
        self._needs("add", "delete")
        self.add("first.txt", "The first text.")
        self.add("second.txt", "The second text.")
        follower, before = self._followed()
        self.delete("first.txt")
        self._follow(follower)
        _expect(len(follower.items) == len(before) - 1, "One document was deleted.")

    def test_access_changes_arrive(self) -> None:
        """A revocation comes with the next run, and with the same version: nothing is fetched."""
        self._needs("add", "revoke")
        self.add("first.txt", "The first text.")
        follower, before = self._followed()
        self.revoke("first.txt")
        self._follow(follower)
        other = [key for key in before if follower.items[key].access != before[key].access]
        _expect(bool(other), "Nobody's access changed.")
        read_again = [k for k in other if follower.items[k].version != before[k].version]
        still = self.access_is_versioned or not read_again
        _expect(still, f"Only the access changed, these are read again: {read_again}.")

    def test_a_forgotten_cursor_says_so(self) -> None:
        """`CursorExpired` makes the next run list afresh, to the same end."""
        self._needs("expire")
        follower, before = self._followed()
        if follower.cursor is None:
            follower.cursor = self._cursor_midway()
        forgotten = self.expire(follower.cursor)
        try:
            self._with(self.make(), lambda connector: listing(connector, forgotten))
        except CursorExpired:
            pass
        else:
            raise AssertionError("A cursor that is not the source's was taken.")
        follower.cursor = forgotten
        self._follow(follower)
        _expect(follower.items.keys() == before.keys(), "Listing afresh led somewhere else.")

    def test_a_busy_source_is_asked_again(self) -> None:
        """`RetryLater`, wherever it comes in a listing, loses nothing."""
        self._needs("throttle")
        self.throttle()
        follower, _ = self._followed()
        _expect(follower.n_waited > 0, "The source never asked for patience.")

    def test_changes_during_a_listing_are_not_lost(self) -> None:
        """What this run has passed already comes with the next."""
        self._needs("add", "change", "delete")
        for name in ("aaa.txt", "mmm.txt", "zzz.txt"):
            self.add(name, f"The text of {name}.")

        def midway() -> None:
            self.add("000.txt", "Added while listing.")
            self.change("mmm.txt", "Changed while listing, and longer.")
            self.delete("aaa.txt")
            self.delete("zzz.txt")

        follower = Follower()
        with suppress(ConnectorError):
            self._with(self.make(), lambda connector: follower.follow(connector, midway))
        self._follow(follower)

    def test_an_empty_source_is_no_error_of_its_own(self) -> None:
        """It lists nothing and says so, or a sentence says that this can't be right."""
        self._needs("empty")
        self.empty()
        follower = Follower()
        try:
            self._with(self.make(), follower.follow)
        except ConnectorError as error:
            _expect("." in str(error), f"Not a sentence: {error}")
        _expect(not follower.items, "An empty source listed something.")

    def test_odd_and_long_names(self) -> None:
        """Names in any script, with marks that addresses reserve, or very long, are read."""
        self._needs("add")
        _, before = self._followed()
        for number, name in enumerate(self.names):
            self.add(name, f"Odd text number {number}.")
        _, after = self._followed()
        new = [item for key, item in after.items() if key not in before]
        bodies = [self._body(item) for item in new]
        for number, name in enumerate(self.names):
            text = f"Odd text number {number}.".encode()
            _expect(sum(text in body for body in bodies) == 1, f"{name!r} was not read once.")

    def test_many_documents_take_little_memory(self) -> None:
        """A listing holds a page at a time, not the source."""
        self._needs("fill")
        self.fill(self.many)

        async def count(connector: Connector) -> int:
            n_items = 0
            async for event in connector.changes(None):
                n_items += isinstance(event, Item)
            return n_items

        tracemalloc.start()
        try:
            n_items = self._with(self.make(), count)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        _expect(n_items >= self.many, f"{n_items} of {self.many} documents were listed.")
        _expect(peak < MAX_PEAK_BYTES, f"Listing took {peak / 1e6:.0f} MB of memory.")

    def _needs(self, *abilities: Ability) -> None:
        for ability in abilities:
            if ability in self.cannot:
                raise SkipTest(f"can't {ability}: {self.cannot[ability]}")

    def _followed(self) -> tuple[Follower, dict[str, Item]]:
        follower = Follower()
        self._follow(follower)
        return follower, dict(follower.items)

    def _follow(self, follower: Follower) -> None:
        """Run once, and compare with a fresh listing."""
        self._with(self.make(), follower.follow)
        fresh = {item.id: item for item in self._list(None).items}
        lost, left = fresh.keys() - follower.items.keys(), follower.items.keys() - fresh.keys()
        _expect(not lost and not left, f"Lost {sorted(lost)}, kept {sorted(left)}.")
        _expect(follower.items == fresh, "A run and a fresh listing tell different things.")

    def _cursor_midway(self) -> JsonValue:
        return self._list(None).marks[0].cursor

    def _body(self, item: Item) -> bytes:
        async def read(connector: Connector) -> bytes:
            return b"".join([piece async for piece in connector.fetch(item)])

        return self._with(self.make(), read)


def _nothing() -> None:
    return None


def _covers(failed: Failed, item_id: str) -> bool:
    folder = failed.id.endswith("/") and item_id.startswith(failed.id)
    return folder or item_id == failed.id


def _expect(claim: bool, otherwise: str) -> None:
    if not claim:
        raise AssertionError(otherwise)
