"""The index as it was: what is left of the chunks that were live after a change, and their ACLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from assistant.domain import DocumentId
from assistant.retrieval.follower import entry_of
from assistant.store import feed, history
from indexes.hybrid import HybridIndex

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Past:
    """An index in memory of what was live at a generation and still is, unchanged.

    `access` has the ACL that each document had then. `lost` are the documents that were there and
    have been deleted or replaced since: their chunks can't be searched again.
    """

    index: HybridIndex
    access: Mapping[DocumentId, int]
    lost: frozenset[DocumentId]


def past(conn: Connection, generation: int, embedder: str, dimension: int) -> Past:
    """Build the index as of a generation: about as long as a start without a saved one takes."""
    then = history.documents_at(conn, generation)
    now = feed.live_versions(conn, list(then))
    kept = [name for name, one in then.items() if now.get(name) == one.version_no]
    index = HybridIndex(dimension)
    for at in range(0, len(kept), _BATCH):
        chunks = feed.load_chunks(conn, kept[at : at + _BATCH], embedder)
        index.add([entry_of(c, embedder, then[c.document_id].access_id) for c in chunks])
    access = {name: one.access_id for name, one in then.items()}
    return Past(index, access, frozenset(then.keys() - set(kept)))
