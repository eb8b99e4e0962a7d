"""The tables of the audit log: events that only get more, the tree's frontier, its signed heads.

`audit_terms` is derived from the events, to find them by; it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.store.tables import audit_events, audit_frontier, audit_terms, tree_heads

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event at its place: `seq` counts from 0 without gaps."""

    seq: int
    leaf: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Terms:
    """What an event can be found by; `at` is written as the event has it."""

    at: str
    type: str
    person_id: str
    query_id: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What events to find: those that have all that is given; a type also as its beginning.

    An event is about a subject if it names it, or something sealed with one of the subject's keys.
    """

    type: str = ""
    person_id: str = ""
    query_id: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_seq: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The tree over the first `size` events; `nodes` are its perfect subtrees' hashes, joined."""

    size: int
    nodes: bytes


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A signed root of the tree over the first `size` events."""

    size: int
    root: bytes
    key_id: str
    signature: bytes
    sealed_at: str


def frontier(conn: Connection, *, lock: bool = False) -> Frontier | None:
    """Return the frontier, with `lock` for this transaction alone until its end.

    None if the row is missing, which only tampering explains.
    """
    query = sa.select(audit_frontier.c.size, audit_frontier.c.nodes)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return Frontier(row.size, bytes(row.nodes)) if row is not None else None


_APPEND = sa.text(
    """
    WITH event AS (
        INSERT INTO audit_events (seq, leaf, body) VALUES (:seq, :leaf, :body)
    ), subtrees AS (
        INSERT INTO audit_subtrees (seq, roots)
        SELECT :seq, :roots WHERE length(:roots) > 0
    ), terms AS (
        INSERT INTO audit_terms (seq, at, type, person_id, query_id, subjects)
        VALUES (:seq, :at, :type, :person_id, :query_id, :subjects)
    )
    UPDATE audit_frontier SET size = :size, nodes = :nodes
    """
)


def append_event(
    conn: Connection, event: StoredEvent, terms: Terms, grown: Frontier, roots: bytes
) -> None:
    """Store an event and the frontier that holds it; the caller has locked the frontier.

    `roots` are those of the subtrees that it completes, see `assistant.store.subtrees`.
    """
    conn.execute(
        _APPEND,
        {
            "seq": event.seq,
            "leaf": event.leaf,
            "body": event.body,
            "at": terms.at,
            "type": terms.type,
            "person_id": terms.person_id,
            "query_id": terms.query_id,
            "subjects": list(terms.subjects),
            "size": grown.size,
            "nodes": grown.nodes,
            "roots": roots,
        },
    )


def find(conn: Connection, wanted: Wanted, limit: int) -> list[StoredEvent]:
    """Return the newest events that have all that is wanted, the newest first."""
    terms = audit_terms.c
    query = sa.select(audit_events).join(audit_terms, terms.seq == audit_events.c.seq)
    if wanted.before_seq is not None:
        query = query.where(terms.seq < wanted.before_seq)
    if wanted.type:
        query = query.where(terms.type.startswith(wanted.type, autoescape=True))
    if wanted.person_id:
        query = query.where(terms.person_id == wanted.person_id)
    if wanted.query_id:
        query = query.where(terms.query_id == wanted.query_id)
    if wanted.subject:
        query = query.where(terms.subjects.overlap([wanted.subject, *wanted.keys]))
    if wanted.since is not None:
        query = query.where(terms.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(terms.at < wanted.until)
    rows = conn.execute(query.order_by(terms.seq.desc()).limit(limit))
    return [StoredEvent(row.seq, bytes(row.leaf), bytes(row.body)) for row in rows]


def events(conn: Connection, start: int = 0, end: int | None = None) -> Iterator[StoredEvent]:
    """Stream the events with `start <= seq < end`; consume them within the transaction."""
    query = sa.select(audit_events).where(audit_events.c.seq >= start).order_by(audit_events.c.seq)
    if end is not None:
        query = query.where(audit_events.c.seq < end)
    with conn.execute(query.execution_options(yield_per=_BATCH)) as rows:
        for row in rows:
            yield StoredEvent(row.seq, bytes(row.leaf), bytes(row.body))


def leaves(conn: Connection, size: int, start: int = 0) -> list[bytes]:
    """Return the leaf hashes of the events with `start <= seq < size`: 32 bytes each."""
    seq = audit_events.c.seq
    rows = conn.execute(
        sa.select(audit_events.c.leaf).where(seq >= start, seq < size).order_by(seq)
    )
    return [bytes(leaf) for leaf in rows.scalars()]


def add_head(conn: Connection, head: StoredHead) -> bool:
    """Store a signed head; False if another process has sealed this size already."""
    added = conn.scalar(
        insert(tree_heads)
        .values(
            size=head.size,
            root=head.root,
            key_id=head.key_id,
            signature=head.signature,
            sealed_at=head.sealed_at,
        )
        .on_conflict_do_nothing()
        .returning(tree_heads.c.size)
    )
    return added is not None


def heads(
    conn: Connection, start: int = 0, end: int | None = None, limit: int | None = None
) -> list[StoredHead]:
    """Return the signed heads with `start <= size <= end`, the smallest first."""
    query = sa.select(tree_heads).where(tree_heads.c.size >= start).order_by(tree_heads.c.size)
    if end is not None:
        query = query.where(tree_heads.c.size <= end)
    return [_head(row) for row in conn.execute(query.limit(limit))]


def newest_head(conn: Connection) -> StoredHead | None:
    """Return the largest signed head, or None."""
    row = conn.execute(
        sa.select(tree_heads).order_by(tree_heads.c.size.desc()).limit(1)
    ).one_or_none()
    return _head(row) if row is not None else None


def _head(row: sa.Row[int, bytes, str, bytes, str]) -> StoredHead:
    return StoredHead(
        size=row.size,
        root=bytes(row.root),
        key_id=row.key_id,
        signature=bytes(row.signature),
        sealed_at=row.sealed_at,
    )
