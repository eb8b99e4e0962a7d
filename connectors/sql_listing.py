"""One pass over the rows of one kind: what each is listed as, and what to remember of it."""

from __future__ import annotations

import hashlib
from collections import deque
from datetime import datetime
from typing import Any

from connectors.contract import ConnectorError, Failed, Gone
from connectors.sql_cursor import MAX_SEEN, Reach, Value, lowered
from connectors.sql_row import Document, Kind, Row, document, is_deleted, item_id


class Listing:
    """Looks at rows in order; a full pass is in the order of ids, another in that of changes."""

    def __init__(
        self, kind: Kind, overlap: float, now: datetime, reach: Reach, *, is_full: bool = False
    ) -> None:
        self._kind, self._overlap, self._now = kind, overlap, now
        self._reach, self._is_full = reach, is_full
        self._known = frozenset(reach.seen)
        self._recent: deque[tuple[Any, str]] = deque(maxlen=MAX_SEEN)
        self._high: Any = None
        self._last: Any = None
        self._is_unclear = False

    def look(self, row: Row) -> list[Document | Gone | Failed]:
        """Return what a row is listed as: nothing if it was before, exactly so."""
        listed, digest = self._listed(row)
        changed = row[self._kind.changed] if self._kind.changed else None
        low = self._reach.low
        if changed is not None and (low is None or changed >= low):
            self._recent.append((changed, digest))
            self._high = changed
        if not self._is_full:
            return [] if digest in self._known else listed
        if row[self._kind.id] == self._last:
            name, column = self._kind.name, self._kind.id
            why = f"Several rows of {name} have {self._last} in {column}; only one is listed."
            return [Failed(id=f"{name} (not unique)", error=why)]
        self._last = row[self._kind.id]
        return [event for event in listed if not isinstance(event, Gone)]

    @property
    def seen(self) -> tuple[str, ...]:
        """Return what a full pass, with those before it, listed of what the next run reads."""
        return (*self._reach.seen, *(digest for _, digest in self._recent))[-MAX_SEEN:]

    @property
    def reach(self) -> Reach:
        """Return how far a finished pass in the order of changes got."""
        if self._high is None:
            return Reach(self._reach.low, self._reach.seen)
        low: Value | None = lowered(self._high, self._overlap, self._now)
        return Reach(low, tuple(digest for changed, digest in self._recent if changed >= low))

    def _listed(self, row: Row) -> tuple[list[Document | Gone | Failed], str]:
        path = self._kind.name
        try:
            path = item_id(self._kind, row[self._kind.id])
            if is_deleted(self._kind, row):
                return [Gone(id=path)], _digest(f"gone {path}")
            found = document(self._kind, row)
        except ConnectorError as error:
            return [Failed(id=path, error=str(error))], _digest(f"failed {path} {error}")
        if found.is_clear or self._is_unclear:
            return [found], found.digest
        self._is_unclear = True
        why = f"{path} names somebody who is neither user:LOGIN, group:NAME nor everyone"
        unclear = Failed(id=f"{self._kind.name} (readers)", error=f"{why}; they may not read it.")
        return [found, unclear], found.digest


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
