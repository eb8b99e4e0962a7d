"""The index of this process, kept up with the catalog's change feed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from assistant.domain import DocumentId
from assistant.errors import DependencyError
from assistant.store import columns, embeddings, feed, heads, lists
from assistant.store.feed import DocumentChange, StoredChunk
from indexes import rebuilt, saved
from indexes.hybrid import HybridIndex
from indexes.model import Entry

_BATCH = 2000


class StaleEmbeddings(DependencyError):
    """Stored vectors come from another model; run `assistant index build`."""

    slug = "stale-embeddings"


class Follower:
    """Applies committed changes to an index, those after `generation`; thread-safe.

    `embedder` names the model whose vectors the index holds, `source_ids` are the sources whose
    documents may be in it, `n_erasures` how many erasures there were when it was made.
    """

    def __init__(
        self,
        index: HybridIndex,
        embedder: str,
        generation: int = 0,
        source_ids: frozenset[int] = frozenset(),
        n_erasures: int = 0,
    ) -> None:
        self.index = index
        self.embedder = embedder
        self.generation = generation
        self.source_ids = source_ids
        self.n_erasures = n_erasures
        self.must_forget = False
        """Whether something was erased since: files still hold words of what the index deleted."""
        self.lock = threading.Lock()
        """Held while changes are applied: index and `generation` belong together outside it."""

    def refresh(self, conn: Connection) -> int:
        """Apply the catalog's newer changes to the index; return the newest change's number.

        An index that has none yet is filled at once. Raises `StaleEmbeddings` if a changed
        document was embedded by another model.
        """
        with self.lock:
            if self.generation == 0:
                self._fill(conn)
            else:
                self._follow(conn)
            return self.generation

    def adopt(self, fresh: Follower) -> HybridIndex:
        """Go on with an index that was made anew; returns the old one, which may be in use."""
        with self.lock:
            old, self.index = self.index, fresh.index
            self.generation, self.source_ids = fresh.generation, fresh.source_ids
            self.n_erasures, self.must_forget = fresh.n_erasures, False
        return old

    def _follow(self, conn: Connection) -> None:
        news = feed.news_since(conn, self.generation)
        self.must_forget = news.n_erasures > self.n_erasures
        if news.head > self.generation:
            self._drop_removed(conn, news.source_ids)
            self._apply(conn, news.changes)
            self.generation = news.head

    def _fill(self, conn: Connection) -> None:
        """Fill the empty index; what is committed meanwhile has a number after the head's."""
        source_ids, head = feed.source_ids(conn), heads.feed_head(conn)
        self.n_erasures = heads.n_erasures(conn)
        if head == 0:
            return
        if (other := embeddings.other_model(conn, self.embedder)) is not None:
            raise _stale(other, self.embedder)
        rebuilt.fill(
            self.index,
            columns.columns(conn),
            columns.vectors(conn, self.embedder, self.index.dimension),
            columns.texts(conn),
            lists.grouping(conn, self.embedder, self.index.dimension),
        )
        self.source_ids, self.generation = source_ids, head

    def _drop_removed(self, conn: Connection, sources: frozenset[int]) -> None:
        """Delete what the feed can't: the documents of removed sources, whose rows are gone.

        Their deletion has moved the head.
        """
        if not sources >= self.source_ids:
            live = feed.live_documents(conn)
            held = saved.documents(self.index)
            self.index.delete([name for name in held if DocumentId(name) not in live])
        self.source_ids = sources

    def _apply(self, conn: Connection, changes: Iterable[DocumentChange]) -> None:
        gone: list[str] = []
        rewritten: list[DocumentChange] = []
        for change in changes:
            if change.is_live and change.content_seq <= self.generation:
                self.index.set_access(change.document_id, change.access_id)
                continue
            gone.append(change.document_id)
            if change.is_live:
                rewritten.append(change)
        self.index.delete(gone)
        for batch in _batches(rewritten):
            found = feed.load_chunks(conn, batch, self.embedder)
            self.index.add([entry_of(chunk, self.embedder, chunk.access_id) for chunk in found])


def entry_of(chunk: StoredChunk, embedder: str, access_id: int) -> Entry:
    """Return a stored chunk for an index of this model; raises `StaleEmbeddings`."""
    if chunk.embedder != embedder:
        raise _stale(chunk.embedder, embedder)
    return Entry(
        chunk_id=chunk.chunk_id,
        document_id=chunk.document_id,
        access_id=access_id,
        text=chunk.searched_text,
        vector=chunk.vector,
        facets=chunk.facets,
        title=chunk.searched_title,
    )


def _stale(found: str, wanted: str) -> StaleEmbeddings:
    return StaleEmbeddings(
        f"Stored vectors come from {found}, but `models.embedder` is now {wanted}. Change the "
        "setting back, or run `assistant index build` and `assistant index swap`."
    )


def _batches(changes: Iterable[DocumentChange]) -> Iterator[list[DocumentId]]:
    """Yield documents of about `_BATCH` chunks together."""
    batch: list[DocumentId] = []
    n_chunks = 0
    for change in changes:
        batch.append(change.document_id)
        n_chunks += change.n_chunks
        if n_chunks >= _BATCH:
            yield batch
            batch, n_chunks = [], 0
    if batch:
        yield batch
