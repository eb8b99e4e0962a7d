"""What a source listed since the last mark, and what was found in it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from assistant.ingest.body import Body
from assistant.ingest.progress import Counts
from assistant.store.document import KnownDocument, NewChunk
from connectors.contract import Failed, Gone, Item

MAX_QUIET = 1000
MAX_QUIET_S = 5.0
"""How many events with nothing to read, and seconds, may wait for a commit of their own."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An item whose body could not be had: `cause` is a slug, `error` a sentence for the admin.

    `withdrawn`: what is stored of it must go too.
    """

    cause: str
    error: str
    withdrawn: bool = False


@dataclass(slots=True)
class Page:
    """A page of changes on its way into the catalog, by the items' ids.

    `compared` are the items that were looked up, `known` those that were found, `outdated` those
    that were curated under other rules; `embedded` are the items whose chunks were not found among
    the stored ones.
    """

    events: list[Item | Gone | Failed] = field(default_factory=list)
    known: dict[str, KnownDocument] = field(default_factory=dict)
    compared: set[str] = field(default_factory=set)
    found: dict[str, Body | Unread] = field(default_factory=dict)
    chunks: dict[str, list[NewChunk]] = field(default_factory=dict)
    embedded: set[str] = field(default_factory=set)
    outdated: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)
    began_s: float = field(default_factory=time.monotonic)

    @property
    def is_small(self) -> bool:
        """Say whether it is too small and too young for a commit of its own."""
        age_s = time.monotonic() - self.began_s
        return len(self.events) < MAX_QUIET and age_s < MAX_QUIET_S

    def joined(self, later: Page) -> Page:
        """Return this page, grown by the next one that was compared."""
        self.events += later.events
        self.counts.add(later.counts)
        self.known |= later.known
        self.compared |= later.compared
        self.outdated |= later.outdated
        return self

    def leave_out(self, ids: Collection[str]) -> None:
        """Leave out what was listed of these ids: they were erased."""
        if ids:
            self.counts.erased += len(ids)
            self.events = [event for event in self.events if event.id not in ids]

    @property
    def items(self) -> list[Item]:
        """Return the documents that exist, each once, as listed last."""
        return [event for event in self._last.values() if isinstance(event, Item)]

    @property
    def gone(self) -> list[Gone]:
        """Return the documents that were deleted, and not listed again after that."""
        return [event for event in self._last.values() if isinstance(event, Gone)]

    @property
    def failed(self) -> list[Failed]:
        """Return what could not be listed."""
        return [event for event in self.events if isinstance(event, Failed)]

    @property
    def _last(self) -> dict[str, Item | Gone]:
        return {event.id: event for event in self.events if not isinstance(event, Failed)}

    @property
    def ids(self) -> set[str]:
        """Return the ids of all that was listed."""
        return {event.id for event in self.events}

    @property
    def bodies(self) -> dict[str, Body]:
        """Return what was read."""
        return {key: body for key, body in self.found.items() if isinstance(body, Body)}

    def is_new(self, item: Item) -> bool:
        """Say whether the item's content must be read."""
        known = self.known.get(item.id)
        if known is None or not known.is_live or known.version != item.version:
            return True
        return item.id in self.outdated

    def is_kept(self, item: Item, body: Body) -> bool:
        """Say whether only the source's version of the same content changed."""
        known = self.known.get(item.id)
        same = known is not None and known.is_live and known.content_sha256 == body.content_sha256
        return same and item.id not in self.embedded
