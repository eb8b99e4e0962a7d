"""The index of this process, kept up with the catalog's change feed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Connection

from assistant.domain import DocumentId
from assistant.errors import DependencyError
from assistant.store import feed, heads
from assistant.store.feed import DocumentChange, StoredChunk
from indexes.hybrid import HybridIndex
from indexes.model import Entry

_BATCH = 2000


class StaleEmbeddings(DependencyError):
    """Stored vectors come from another model; run `assistant index build`."""

    slug = "stale-embeddings"


class Follower:
    """Applies committed changes to an index, those after `generation`; thread-safe.

    `embedder` names the model whose vectors the index holds.
    """

    def __init__(self, index: HybridIndex, embedder: str, generation: int = 0) -> None:
        self.index = index
        self.embedder = embedder
        self.generation = generation
        self.lock = threading.Lock()
        """Held while changes are applied: index and `generation` belong together outside it."""

    def refresh(self, conn: Connection) -> int:
        """Apply the catalog's newer changes to the index; return the newest change's number.

        Raises `StaleEmbeddings` if a changed document was embedded by another model.
        """
        with self.lock:
            head = heads.feed_head(conn)
            if head > self.generation:
                self._apply(conn, feed.changes_since(conn, self.generation))
                self.generation = head
            return self.generation

    def _apply(self, conn: Connection, changes: Iterable[DocumentChange]) -> None:
        gone: list[str] = []
        rewritten: list[DocumentId] = []
        for change in changes:
            if change.is_live and change.content_seq <= self.generation:
                self.index.set_access(change.document_id, change.access_id)
                continue
            gone.append(change.document_id)
            if change.is_live:
                rewritten.append(change.document_id)
        self.index.delete(gone)
        if rewritten:
            for batch in _batches(feed.load_chunks(conn, rewritten, self.embedder)):
                self.index.add([self._entry(chunk) for chunk in batch])

    def _entry(self, chunk: StoredChunk) -> Entry:
        if chunk.embedder != self.embedder:
            raise StaleEmbeddings(
                f"Stored vectors come from {chunk.embedder}, but `models.embedder` is now "
                f"{self.embedder}. Change the setting back, or run `assistant index build` and "
                "`assistant index swap`."
            )
        return Entry(
            chunk_id=chunk.chunk_id,
            document_id=chunk.document_id,
            access_id=chunk.access_id,
            text=" › ".join(filter(None, (chunk.title, *chunk.heading))) + "\n" + chunk.text,
            vector=chunk.vector,
            facets=chunk.facets,
        )


def _batches(chunks: Iterator[StoredChunk]) -> Iterator[list[StoredChunk]]:
    while batch := list(islice(chunks, _BATCH)):
        yield batch
