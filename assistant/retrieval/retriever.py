"""The only caller of the index: hybrid search under the caller's filter, then a second look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import Connection

from assistant.access import acl, identity
from assistant.access.acl import CheckedPassage
from assistant.access.policy import policy_at
from assistant.access.recheck import Recheck
from assistant.domain import Caller, ChunkId, DocumentId, Passage, Principal
from assistant.errors import IndexUnusable
from assistant.ports import Embedder
from assistant.retrieval import as_of
from assistant.retrieval.diversity import Found, distinct
from assistant.retrieval.follower import Follower
from assistant.retrieval.generations import Generations
from assistant.retrieval.recency import Dated, newest_first
from assistant.retrieval.rerank import Reranking, Text
from assistant.store.database import Database
from assistant.store.passages import DocumentRow, PassageRow, passages
from assistant.text.context import embedding_text
from indexes.model import AccessFilter, Hit, MetadataFilter, Query, SearchIndexError


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages of one question, best first, numbered from 1.

    `n_found` counts the permitted chunks that the search brought; `generation` is the number of
    the newest document change that the search knew; `access` is the filter that held at the end,
    `embedder` the model of the vectors.
    """

    passages: tuple[Passage, ...]
    n_found: int
    generation: int
    access: AccessFilter
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class PastRetrieved:
    """What a search as of a past change brings, and the documents that it could not search."""

    passages: tuple[Passage, ...]
    lost: frozenset[DocumentId]


class Retriever:
    """Hybrid search over what a caller may read; thread-safe.

    Before every search the index applies the committed changes it has not seen, so a deletion
    or a revocation counts from the next search on, whichever process made it. After the search
    every hit is looked up in the catalog, under the policy as it is then.
    """

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        follower: Follower,
        generations: Generations | None = None,
        *,
        n_candidates: int = 100,
        acl_max_age_s: float = 0.0,
        reranking: Reranking | None = None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._follower = follower
        self._generations = generations
        self._n_candidates = n_candidates
        self._acl_max_age_s = acl_max_age_s
        self._reranking = reranking

    @property
    def n_chunks(self) -> int:
        """Return how many chunks the index holds."""
        return len(self._follower.index)

    @property
    def trouble(self) -> str:
        """What keeps newer passages from being found by their words; empty if nothing does."""
        return self._follower.index.trouble

    def retrieve(
        self,
        text: str,
        caller: Caller,
        *,
        k: int,
        lang: str = "",
        metadata: MetadataFilter | None = None,
    ) -> Retrieved:
        """Return the `k` best passages that the caller may read at the time of the return."""
        vector = self._embedder.embed_queries([text])[0]
        with self._database.reading() as conn:
            generation = self.refresh(conn)
            access = acl.access_filter(conn, caller)
        hits = self._follower.index.search(
            Query(text, vector, lang, access, metadata or MetadataFilter()), self._n_candidates
        )
        checked = self.still_permitted(caller, [ChunkId(hit.chunk_id) for hit in hits])
        best = self._best(text, lang, hits, checked, k)
        return Retrieved(best, len(checked), generation, access, self._embedder.name)

    def _best(
        self,
        text: str,
        lang: str,
        hits: Sequence[Hit],
        checked: Mapping[ChunkId, CheckedPassage],
        k: int,
    ) -> tuple[Passage, ...]:
        """Rerank and order the hits that were checked, and number the best."""
        allowed = [hit for hit in hits if hit.chunk_id in checked]
        if self._reranking is not None:
            texts = [_text(checked[ChunkId(hit.chunk_id)].row) for hit in allowed]
            allowed = [allowed[i] for i in self._reranking.order(text, lang, texts)]
        best = islice(_in_order(text, allowed, checked), k)
        return tuple(_passage(n, hit, checked) for n, hit in enumerate(best, 1))

    def retrieve_as_of(
        self,
        text: str,
        principals: frozenset[Principal],
        generation: int,
        *,
        k: int,
        lang: str = "",
        metadata: MetadataFilter | None = None,
        policy_epoch: int = 0,
    ) -> PastRetrieved:
        """Search again as these principals did after the change of this number.

        Documents that were deleted or replaced since can't be found any more; titles and dates of
        the others are those of today.
        """
        vector = self._embedder.embed_queries([text])[0]
        with self._database.snapshot() as conn:
            past = as_of.past(conn, generation, self._embedder.name, self._embedder.dimension)
            access = set(past.access.values())
            decided = acl.decisions(conn, access, principals)
            readable = frozenset(name for name, one in decided.items() if one.allowed)
            index = past.index
            closed = policy_at(conn, policy_epoch).closed(principals)
            held = AccessFilter(readable, closed_collections=closed)
            query = Query(text, vector, lang, held, metadata or MetadataFilter())
            hits = index.search(query, self._n_candidates)
            rows = passages(conn, [ChunkId(hit.chunk_id) for hit in hits])
        index.close()
        checked = {
            key: CheckedPassage(row, decided[past.access[row.document.id]])
            for key, row in rows.items()
        }
        return PastRetrieved(self._best(text, lang, hits, checked, k), past.lost)

    def still_permitted(
        self, caller: Caller, chunk_ids: Collection[ChunkId]
    ) -> dict[ChunkId, CheckedPassage]:
        """Return the chunks that are live and that the caller may read now, from the catalog."""
        with self._database.reading() as conn:
            checked = acl.recheck(conn, caller, chunk_ids, self._acl_max_age_s)
        return {key: found for key, found in checked.items() if found.decision.allowed}

    def recheck(self, caller: Caller) -> Recheck:
        """Return what tells again and again, during one answer, what of it may still be read."""
        return Recheck(self._database, caller, self._acl_max_age_s)

    def check_welcome(self, caller: Caller) -> None:
        """Raise `Unauthenticated` once the caller, or what they came with, was locked out."""
        with self._database.reading() as conn:
            identity.check_welcome(conn, caller)

    def refresh(self, conn: Connection) -> int:
        """Apply the catalog's newer changes to the index; return the newest change's number.

        Raises `IndexUnusable` if the index can't take them, `StaleEmbeddings` as it does.
        """
        try:
            generation = self._follower.refresh(conn)
        except SearchIndexError as error:
            raise IndexUnusable(str(error)) from error
        if self._generations is not None:
            self._generations.keep(self._follower)
        return generation

    def catch_up(self) -> None:
        """Apply the newer changes now: what was erased leaves the disk without a search too."""
        with self._database.reading() as conn:
            self.refresh(conn)

    def close(self) -> None:
        """Let go of the index; the retriever can't be used any more."""
        if self._generations is not None:
            self._generations.close(self._follower)
        else:
            self._follower.index.close()


def _in_order(
    text: str, hits: Sequence[Hit], rows: Mapping[ChunkId, CheckedPassage]
) -> Iterator[Hit]:
    """Put the newest first where the question asks for it, and leave out near-duplicates."""
    found = [rows[ChunkId(hit.chunk_id)].row for hit in hits]
    dated = [Dated(row.document.facts.title, row.chunk.text, _day(row.document)) for row in found]
    order = newest_first(text, dated)
    return (hits[order[kept]] for kept in distinct([_found(found[i]) for i in order]))


def _text(row: PassageRow) -> Text:
    """Return a passage with its title and headings, as it was embedded."""
    return Text(embedding_text(row.document.facts.title, row.chunk), row.chunk.lang)


def _found(row: PassageRow) -> Found:
    document = row.document
    return Found(
        text=row.chunk.text,
        document=document.id,
        superseded=document.superseded,
        successor=document.successor_id,
        newest=_day(document),
    )


def _day(document: DocumentRow) -> date | None:
    """Return the day a document is of, otherwise the day it was last changed."""
    facts = document.facts
    return facts.dated or (facts.modified_at.date() if facts.modified_at else None)


def _passage(n: int, hit: Hit, rows: Mapping[ChunkId, CheckedPassage]) -> Passage:
    checked = rows[ChunkId(hit.chunk_id)]
    document, chunk = checked.row.document, checked.row.chunk
    return Passage(
        n=n,
        chunk_id=checked.row.chunk_id,
        document_id=document.id,
        version=document.version_no,
        title=document.facts.title,
        uri=document.facts.uri,
        text=chunk.text,
        sha256=checked.row.sha256,
        score=hit.score,
        lang=chunk.lang,
        kind=chunk.kind,
        heading=chunk.heading,
        page=chunk.page,
        boxes=chunk.boxes,
        instruction=chunk.instruction,
        media_type=document.facts.media_type,
        collection=document.facts.collection,
        industry=document.facts.industry,
        modified_at=document.facts.modified_at,
        superseded=document.superseded,
        rule=checked.decision.rule,
    )
