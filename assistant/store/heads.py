"""The counters that every process watches: change feed, policy epoch, erasures.

The feed numbers committed document changes. A writer leaves `documents.seq` empty;
`Database.begin` numbers those rows at the end of the transaction under the lock of the feed's
row, so the order of numbers is the order of commits and a reader that has seen a number has seen
all below it. The epoch counts changes of ACLs, groups and people; caches carry it in their key.
Erasures are counted so that whoever holds an index from before one makes it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.tables import heads

_RESTORING = "restoring"
_EPOCH_MOVED = "assistant.epoch_moved"

_ADVANCE = sa.text(
    "UPDATE heads SET value = value + :by WHERE name = :name RETURNING value"
).columns(value=sa.BigInteger)

_MOMENT = sa.text(
    "SELECT max(value) FILTER (WHERE name = 'feed') AS feed,"
    " max(value) FILTER (WHERE name = 'epoch') AS epoch, clock_timestamp() AS time FROM heads"
)

# Rows without a number are this transaction's own: nobody else's can be seen.
_NUMBER = sa.text(
    """
    WITH fresh AS (
        SELECT id, row_number() OVER (ORDER BY source_id, external_id) AS n
        FROM documents WHERE seq IS NULL
    ), counted AS (
        SELECT count(*) AS n FROM fresh
    ), moved AS (
        UPDATE heads SET value = value + counted.n
        FROM counted WHERE heads.name = 'feed' AND counted.n > 0
        RETURNING value - counted.n AS base
    ), numbered AS (
        UPDATE documents
        SET
            seq = moved.base + fresh.n,
            content_seq = coalesce(documents.content_seq, moved.base + fresh.n)
        FROM fresh, moved
        WHERE documents.id = fresh.id
        RETURNING documents.id, documents.seq, access_id, version_no, state
    )
    INSERT INTO document_history (document_id, seq, access_id, version_no, live)
    SELECT id, seq, access_id, version_no, state = 'live' FROM numbered
    """
)


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the change feed and the policy epoch are, and the time of the database."""

    feed: int
    epoch: int
    time: datetime


def moment(conn: Connection) -> Moment:
    """Return where things stand."""
    return Moment(*conn.execute(_MOMENT).one())


def feed_head(conn: Connection) -> int:
    """Return the number of the newest committed document change; 0 before the first."""
    return _read(conn, "feed")


def policy_epoch(conn: Connection) -> int:
    """Return the number of policy changes so far."""
    return _read(conn, "epoch")


def n_erasures(conn: Connection) -> int:
    """Return how many erasures there were so far, one done again after a restore included."""
    return _read(conn, "erasures")


def count_erasure(conn: Connection) -> None:
    """Let every process know that words of deleted documents must leave the disk now."""
    conn.execute(_ADVANCE, {"by": 1, "name": "erasures"})


def mark_restoring(conn: Connection, name: int) -> None:
    """Note that a restore has brought rows of the backup with this name, and not ended yet."""
    conn.execute(sa.insert(heads).values(name=_RESTORING, value=name))


def restoring(conn: Connection) -> int | None:
    """Return the name of the backup whose restore has not ended, or None."""
    if not sa.inspect(conn).has_table("heads"):
        return None
    query = sa.select(heads.c.value).where(heads.c.name == _RESTORING)
    return conn.execute(query).scalar_one_or_none()


def end_restoring(conn: Connection) -> None:
    """Note that a restore has ended."""
    conn.execute(sa.delete(heads).where(heads.c.name == _RESTORING))


def bump_epoch(conn: Connection) -> None:
    """Move the policy epoch at the end of this transaction, by one however often it is called."""
    conn.info[_EPOCH_MOVED] = True


def is_epoch_moving(conn: Connection) -> bool:
    """Return whether this transaction has changed what the epoch counts."""
    return _EPOCH_MOVED in conn.info


def forget(conn: Connection) -> None:
    """Drop what a rolled back transaction of this pooled connection had left."""
    conn.info.pop(_EPOCH_MOVED, None)


def publish(conn: Connection) -> None:
    """Number the changed documents and move the epoch: the last thing of a transaction."""
    conn.execute(_NUMBER)
    if conn.info.pop(_EPOCH_MOVED, False):
        conn.execute(_ADVANCE, {"by": 1, "name": "epoch"})


def _read(conn: Connection, name: str) -> int:
    value: int = conn.execute(sa.select(heads.c.value).where(heads.c.name == name)).scalar_one()
    return value
