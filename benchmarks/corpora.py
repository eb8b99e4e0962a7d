"""Corpora to search: synthetic vectors that behave like embeddings, and who may read them.

Topics, documents of a topic and chunks of a document lie ever closer together; the spectrum falls
by a power law and there is a common direction, as in embeddings of sentences. Access belongs to
documents: `random` grants documents of all topics, `topics` whole topics, as departments do,
while the questions are about everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from assistant.evaluation import datasets
from assistant.evaluation.corpus import Source, sources
from assistant.evaluation.vectors import Vectors
from assistant.text.context import embedding_text

_Floats = NDArray[np.float32]

DIMENSION = 384
N_CHUNKS_A_DOCUMENT = 10
_BATCH = 20_000


@dataclass(frozen=True)
class Corpus:
    """Unit vectors, one a chunk, with the document and the topic of each, and questions."""

    name: str
    vectors: _Floats
    questions: _Floats
    documents: NDArray[np.int64]
    topics: NDArray[np.int64]

    def readable(self, share: float, kind: str, seed: int = 1) -> NDArray[np.bool_]:
        """Return which chunks somebody may read who may read this share of the documents."""
        rng = np.random.default_rng(seed + int(1e6 * share))
        n = int(self.documents.max()) + 1
        if share >= 1:
            return np.ones(len(self.vectors), np.bool_)
        order = rng.permutation(n)
        if kind == "topics":
            topic = np.zeros(n, np.int64)
            topic[self.documents] = self.topics
            rank = rng.permutation(int(topic.max()) + 1)
            order = np.argsort(rank[topic], kind="stable")
        allowed = np.zeros(n, np.bool_)
        allowed[order[: max(1, round(n * share))]] = True
        return allowed[self.documents]


def synthetic(n: int, n_questions: int, seed: int = 0) -> Corpus:
    """Return `n` chunks; questions are chunks with noise, so each has near neighbours."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, DIMENSION + 1) ** -0.45
    spectrum = (spectrum / np.linalg.norm(spectrum)).astype(np.float32)
    rotation = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)

    def noise(count: int) -> _Floats:
        return rng.standard_normal((count, DIMENSION), np.float32) * spectrum

    n_topics = max(200, n // 1000)
    sizes = rng.pareto(1.5, n_topics) + 1
    topics = rng.choice(n_topics, n // N_CHUNKS_A_DOCUMENT, p=sizes / sizes.sum())
    centres = 0.5 * noise(1) + noise(n_topics)
    vectors = np.empty((n, DIMENSION), np.float32)
    for start in range(0, len(topics), _BATCH):
        batch = topics[start : start + _BATCH]
        documents = centres[batch] + 0.7 * noise(len(batch))
        chunks = np.repeat(documents, N_CHUNKS_A_DOCUMENT, axis=0)
        chunks = unit((chunks + 0.55 * noise(len(chunks))) @ rotation)
        vectors[start * N_CHUNKS_A_DOCUMENT :][: len(chunks)] = chunks
    asked = vectors[rng.choice(n, n_questions, replace=False)]
    away = np.asarray((0.6 * noise(n_questions)) @ rotation, np.float32)
    questions = unit(asked + away)
    own = np.repeat(np.arange(len(topics)), N_CHUNKS_A_DOCUMENT)
    return Corpus(f"synthetic {n:,}", vectors, questions, own, topics[own])


def loaded(path: Path, n: int, n_questions: int) -> Corpus:
    """Return at most so many chunks and questions of an .npz file.

    It has unit vectors, `vectors` and `questions`, and may have `documents` and `topics`, whole
    numbers for each chunk. Without them, ten chunks are a document, and topics are learnt.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    vectors = unit(arrays["vectors"][:n])
    documents = arrays.get("documents", np.arange(len(vectors)) // N_CHUNKS_A_DOCUMENT)[:n]
    own = np.unique(documents, return_inverse=True)[1].astype(np.int64)
    topics = arrays["topics"][:n] if "topics" in arrays else _learnt(vectors, own)
    questions = unit(arrays["questions"][:n_questions])
    return Corpus(path.stem, vectors, questions, own, topics.astype(np.int64))


def of_sets(folder: Path, model: Vectors, n_questions: int) -> Corpus:
    """Return the chunks of all evaluation sets in a folder; each set is a topic.

    Questions are spread over the sets alike.
    """
    paths = sorted(path for path in folder.iterdir() if list(path.glob("corpus.jsonl*")))
    each = [datasets.load(path, limit=-(-n_questions // len(paths))) for path in paths]
    made = list(sources(each, lambda what, done, total: None))
    texts = [embedding_text(source.document.title, source.chunk) for source in made]
    asked = [question.text for dataset in each for question in dataset.questions][:n_questions]
    documents = {key: i for i, key in enumerate(dict.fromkeys(map(_document, made)))}
    topics = {dataset.name: i for i, dataset in enumerate(each)}
    return Corpus(
        f"{len(paths)} evaluation sets",
        model.documents(texts, lambda done, total: None),
        model.queries(asked, lambda done, total: None),
        np.array([documents[_document(source)] for source in made], np.int64),
        np.array([topics[source.set_name] for source in made], np.int64),
    )


def unit(vectors: _Floats) -> _Floats:
    """Return the directions of vectors."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _document(source: Source) -> tuple[str, str]:
    return source.set_name, source.document.id


def _learnt(vectors: _Floats, documents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the topic of each chunk: where the mean of its document lies."""
    sums = np.zeros((int(documents.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, documents, vectors)
    means = unit(sums)
    kmeans = faiss.Kmeans(means.shape[1], max(2, min(200, len(means) // 50)), seed=1)
    kmeans.train(means)
    topics: NDArray[np.int64] = kmeans.index.search(means, 1)[1][:, 0]
    return topics[documents]
