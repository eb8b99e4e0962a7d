"""The check before each sentence: the same passages again and again, as cheaply as is exact."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from assistant.access import acl
from assistant.domain import Caller, ChunkId
from assistant.store.break_glass import next_end
from assistant.store.database import Database
from assistant.store.heads import Moment, moment


@dataclass(frozen=True, slots=True)
class _Known:
    """What was decided on these chunks at a moment, and until when time alone can't change it."""

    asked: frozenset[ChunkId]
    allowed: frozenset[ChunkId]
    at: Moment
    until: datetime | None

    def holds(self, asked: frozenset[ChunkId], now: Moment) -> bool:
        if not asked <= self.asked or (now.feed, now.epoch) != (self.at.feed, self.at.epoch):
            return False
        return self.until is None or self.at.time <= now.time < self.until


class Recheck:
    """Tells which of some chunks a caller may still read; for one answer at a time.

    Nothing that decides on access changes without moving the change feed or the policy epoch, but
    for time: requests of access for a while expire, and access data grows too old. So one query
    for these two numbers and the database's clock tells whether what was decided still holds.
    """

    def __init__(self, database: Database, caller: Caller, max_age_s: float) -> None:
        self._database = database
        self._caller = caller
        self._max_age_s = max_age_s
        self._known: _Known | None = None

    def __call__(self, chunk_ids: Collection[ChunkId]) -> frozenset[ChunkId]:
        """Return those that are live and that the caller may read now."""
        asked = frozenset(chunk_ids)
        with self._database.reading() as conn:
            now, known = moment(conn), self._known
            if known is None or not known.holds(asked, now):
                # Decided after the moment was read: what is known may be newer, never older.
                known = self._decided(conn, asked, now)
        self._known = known
        return known.allowed & asked

    def _decided(self, conn: Connection, asked: frozenset[ChunkId], now: Moment) -> _Known:
        ends = [end] if (end := next_end(conn)) else []
        checked = acl.recheck(conn, self._caller, asked, self._max_age_s)
        allowed = frozenset(key for key, one in checked.items() if one.decision.allowed)
        if self._max_age_s > 0:
            age = timedelta(seconds=self._max_age_s)
            confirmed = {one.row.document.access_as_of for one in checked.values()}
            ends += [at + age if at is not None else now.time for at in confirmed]
        return _Known(asked, allowed, now, min(ends, default=None))
