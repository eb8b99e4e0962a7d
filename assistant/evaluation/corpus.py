"""The chunks of evaluation sets in one index, made and searched as in production."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.domain import Chunk, ChunkId, DocumentId, Passage
from assistant.evaluation.datasets import Dataset, Document, GoldenQuestion
from assistant.evaluation.vectors import Vectors
from assistant.ingest.chunk import chunk
from assistant.retrieval.rerank import Reranking, Text
from assistant.text.context import embedding_text
from connectors.readers.model import Block, Reading
from indexes.fusion import Candidates
from indexes.hybrid import HybridIndex
from indexes.model import AccessFilter, Entry, Facets, Hit, Query

System = Literal["bm25", "dense", "hybrid", "reranked"]
SYSTEMS: tuple[System, ...] = ("bm25", "dense", "hybrid")
RERANKED: System = "reranked"
"""Hybrid search with the reranker of the settings: only where there is one."""

N_CHUNKS = 100
"""Chunks a search fetches, to be folded to documents."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many of how many are."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a chunk of the index came from."""

    set_name: str
    document: Document
    chunk: Chunk


class Corpus:
    """Every set's chunks in one index; documents are readable by the kind of their `acl_hint`."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        embedder: Vectors,
        progress: Progress,
        reranking: Reranking | None = None,
    ) -> None:
        self._reranking = reranking
        self._index = HybridIndex(embedder.dimension)
        self._sources = dict(enumerate(sources(datasets, progress), 1))
        hints = sorted({source.document.acl_hint for source in self._sources.values()})
        self._access = {hint: number for number, hint in enumerate(hints, 1)}
        texts = [embedding_text(s.document.title, s.chunk) for s in self._sources.values()]
        vectors = embedder.documents(texts, lambda n, total: progress("embedding", n, total))
        progress("indexing", 0, len(texts))
        self._index.add(
            [
                Entry(
                    chunk_id=number,
                    document_id=f"{source.set_name}/{source.document.id}",
                    access_id=self._access[source.document.acl_hint],
                    text=text,
                    vector=vector,
                    facets=Facets(lang=source.chunk.lang, industry=source.document.industry),
                    title=" › ".join(filter(None, (source.document.title, *source.chunk.heading))),
                )
                for (number, source), text, vector in zip(
                    self._sources.items(), texts, vectors, strict=True
                )
            ]
        )
        progress("indexing", len(texts), len(texts))

    def n_chunks(self, set_name: str) -> int:
        """Return how many chunks a set has."""
        return sum(source.set_name == set_name for source in self._sources.values())

    def query(self, question: GoldenQuestion, embedder: Vectors) -> Query:
        """Return the search for a question, with the rights of its asker."""
        hints = self._access if question.acl_hints is None else question.acl_hints
        access = frozenset(self._access[hint] for hint in hints if hint in self._access)
        vector = embedder.queries([question.text], lambda n, total: None)[0]
        return Query(question.text, vector, question.lang, AccessFilter(access))

    def search(self, query: Query, system: System) -> list[Hit]:
        """Return the best chunks by one system."""
        search = {
            "bm25": self._index.search_lexical,
            "dense": self._index.search_dense,
            "hybrid": self._index.search,
            RERANKED: self._search_reranked,
        }[system]
        return search(query, N_CHUNKS)

    def _search_reranked(self, query: Query, k: int) -> list[Hit]:
        hits = self._index.search(query, k)
        if self._reranking is None:
            return hits
        found = [self._sources[hit.chunk_id] for hit in hits]
        texts = [Text(embedding_text(s.document.title, s.chunk), s.chunk.lang) for s in found]
        return [hits[i] for i in self._reranking.order(query.text, query.lang, texts)]

    def candidates(self, query: Query) -> Candidates:
        """Return what hybrid search chooses from."""
        return self._index.candidates(query, N_CHUNKS)

    def ranked(self, hits: Iterable[Hit], question: GoldenQuestion, set_name: str) -> list[str]:
        """Fold chunks to documents (or their parents), each at the place of its best chunk.

        Documents of other sets keep their place under a name that is no question's gold.
        """
        identities = self.identities([hit.chunk_id for hit in hits], question, set_name)
        return list(dict.fromkeys(identities))

    def identities(
        self, chunk_ids: Iterable[int], question: GoldenQuestion, set_name: str
    ) -> list[str]:
        """Return for each chunk the document (or its parent) that a question's gold may name."""
        names = []
        for chunk_id in chunk_ids:
            source = self._sources[chunk_id]
            identity = source.document.parent if question.by_parent else source.document.id
            own = source.set_name == set_name
            names.append(identity if own else f"{source.set_name}/{identity}")
        return names

    def passages(self, hits: Iterable[Hit]) -> tuple[Passage, ...]:
        """Number the chunks as passages of an answer."""
        return tuple(self._passage(n, hit) for n, hit in enumerate(hits, 1))

    def document(self, passage: Passage) -> Document:
        """Return the document that a passage came from."""
        return self._sources[passage.chunk_id].document

    def is_gold(self, passage: Passage, question: GoldenQuestion, set_name: str) -> bool:
        """Say whether a passage is of a document that answers the question of this set."""
        document = self.document(passage)
        identity = document.parent if question.by_parent else document.id
        return passage.collection == set_name and identity in question.gold

    def may_read(self, query: Query, document: Document) -> bool:
        """Say whether the asker may read a document."""
        return self._access[document.acl_hint] in query.access.access_ids

    def _passage(self, n: int, hit: Hit) -> Passage:
        source = self._sources[hit.chunk_id]
        document, piece = source.document, source.chunk
        return Passage(
            n=n,
            chunk_id=ChunkId(hit.chunk_id),
            document_id=DocumentId(f"{source.set_name}/{document.id}"),
            version=1,
            title=document.title,
            uri=document.id,
            text=piece.text,
            sha256=hashlib.sha256(piece.text.encode()).hexdigest(),
            score=hit.score,
            lang=piece.lang,
            kind=piece.kind,
            heading=piece.heading,
            page=piece.page,
            collection=source.set_name,
            industry=document.industry,
        )


def reading(document: Document) -> Reading:
    """Present a document as a reader would: a paragraph for each line of its text."""
    lines = (line.strip() for line in document.text.splitlines())
    blocks = tuple(Block("paragraph", line, page=document.page) for line in lines if line)
    return Reading("text/plain", document.title, blocks, document.lang)


def sources(datasets: Sequence[Dataset], progress: Progress) -> Iterator[Source]:
    """Cut the documents of sets into chunks, as a sync does."""
    total = sum(len(dataset.documents) for dataset in datasets)
    done = 0
    for dataset in datasets:
        for document in dataset.documents:
            for piece in chunk(reading(document), document.lang):
                yield Source(dataset.name, document, piece)
            done += 1
            if done % 100 == 0 or done == total:
                progress("chunking", done, total)
