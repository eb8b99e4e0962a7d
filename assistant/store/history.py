"""What replays need of the past: who a reader was, and which documents there were under which ACL.

Neither holds a document's content: what was deleted or replaced since can't be searched again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import DocumentId, Principal
from assistant.store.tables import principal_sets

_NEWEST = sa.text(
    """
    SELECT DISTINCT ON (document_id) document_id, access_id, version_no, live
    FROM document_history
    WHERE seq <= :generation
    ORDER BY document_id, seq DESC
    """
)


@dataclass(frozen=True, slots=True)
class PastDocument:
    """A document as it was after some change: its ACL, and its version from 1 on."""

    access_id: int
    version_no: int


def keep_principals(conn: Connection, sha256: str, principals: Iterable[Principal]) -> None:
    """Keep the set of principals that a hash in the audit log names."""
    row = insert(principal_sets).values(sha256=sha256, principals=sorted(principals))
    conn.execute(row.on_conflict_do_nothing())


def principals_named(conn: Connection, sha256: str) -> frozenset[Principal] | None:
    """Return the set of principals with this hash, or None if it was never kept."""
    query = sa.select(principal_sets.c.principals).where(principal_sets.c.sha256 == sha256)
    found = conn.scalar(query)
    return None if found is None else frozenset(map(Principal, found))


def documents_at(conn: Connection, generation: int) -> dict[DocumentId, PastDocument]:
    """Return the documents that were live after the change of this number in the feed."""
    rows = conn.execute(_NEWEST, {"generation": generation})
    return {
        DocumentId(row.document_id): PastDocument(row.access_id, row.version_no)
        for row in rows
        if row.live
    }
