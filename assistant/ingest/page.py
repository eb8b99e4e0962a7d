"""What a source listed since the last mark, and what was found in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from assistant.ingest.body import Body
from assistant.ingest.progress import Counts
from assistant.store.document import KnownDocument, NewChunk
from connectors.contract import Failed, Gone, Item


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

    `embedded` are the items whose chunks were not found among the stored ones, `outdated` those
    that were curated under other rules.
    """

    events: list[Item | Gone | Failed] = field(default_factory=list)
    known: dict[str, KnownDocument] = field(default_factory=dict)
    found: dict[str, Body | Unread] = field(default_factory=dict)
    chunks: dict[str, list[NewChunk]] = field(default_factory=dict)
    embedded: set[str] = field(default_factory=set)
    outdated: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)

    @property
    def items(self) -> list[Item]:
        """Return the documents that exist, each once, as listed last."""
        return list({e.id: e for e in self.events if isinstance(e, Item)}.values())

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
