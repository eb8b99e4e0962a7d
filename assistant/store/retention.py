"""What is older than the retention: keys of personal fields by month, and what they seal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.lifecycle_tables import subject_keys
from assistant.store.tables import documents

Shard = tuple[str, str]
"""A subject and a month, `2026-11`: what is kept or forgotten as one."""

_PROMPTED = sa.text(
    """
    SELECT DISTINCT person_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM')
    FROM audit_terms
    WHERE type = 'query.prompted' AND subjects && CAST(:ids AS text[])
        AND at < to_date(:before, 'YYYY-MM') AT TIME ZONE 'UTC'
    """
)

_OLD = """
    SELECT m.id, m.conversation_id
    FROM messages m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.created_at < to_date(:before, 'YYYY-MM') AT TIME ZONE 'UTC'
        AND c.person_id <> ALL(CAST(:persons AS text[]))
        AND c.person_id || ' ' || to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM')
            <> ALL(CAST(:shards AS text[]))
"""

_COUNT_MESSAGES = sa.text(f"SELECT count(*) FROM ({_OLD}) AS old")  # noqa: S608 - constants
_DELETE_MESSAGES = sa.text(
    f"DELETE FROM messages USING ({_OLD}) AS old WHERE messages.id = old.id"  # noqa: S608
)

_DELETE_EMPTY = sa.text(
    """
    DELETE FROM conversations c
    WHERE c.updated_at < to_date(:before, 'YYYY-MM') AT TIME ZONE 'UTC'
        AND c.person_id <> ALL(CAST(:persons AS text[]))
        AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id)
    """
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What holds keep: all of some people, by id and `login:NAME`, and single months of others."""

    subjects: frozenset[str] = frozenset()
    shards: frozenset[Shard] = frozenset()

    def has(self, shard: Shard) -> bool:
        """Whether a hold keeps a shard."""
        return shard[0] in self.subjects or shard in self.shards


def shards(conn: Connection, before: str) -> dict[str, Shard]:
    """Return the shards of months before this one, by the id of their key."""
    rows = conn.execute(sa.select(subject_keys).where(subject_keys.c.month < before))
    return {row.id: (row.subject, row.month) for row in rows}


def prompted_with(conn: Connection, document_ids: Collection[str], before: str) -> set[Shard]:
    """Return whose questions of which months before this one were answered from documents."""
    if not document_ids:
        return set()
    rows = conn.execute(_PROMPTED, {"ids": list(document_ids), "before": before})
    return {(row[0], row[1]) for row in rows}


def documents_in(conn: Connection, collection: str) -> list[str]:
    """Return the ids of a collection's documents, the deleted ones too."""
    query = sa.select(documents.c.id).where(documents.c.collection == collection)
    return list(conn.scalars(query))


def n_messages(conn: Connection, before: str, kept: Kept) -> int:
    """Count the messages of conversations from months before this one that no hold keeps."""
    return conn.scalar(_COUNT_MESSAGES, _values(before, kept)) or 0


def forget(conn: Connection, key_ids: Collection[str], before: str, kept: Kept) -> None:
    """Delete keys, the messages of those months, and conversations that are empty then."""
    conn.execute(sa.delete(subject_keys).where(subject_keys.c.id.in_(list(key_ids))))
    conn.execute(_DELETE_MESSAGES, _values(before, kept))
    conn.execute(_DELETE_EMPTY, {"before": before, "persons": sorted(kept.subjects)})


def _values(before: str, kept: Kept) -> dict[str, object]:
    pairs = sorted(f"{subject} {month}" for subject, month in kept.shards)
    return {"before": before, "persons": sorted(kept.subjects), "shards": pairs}
