"""One evaluation: sets are chunked, embedded, indexed and searched as in production."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.domain import Answer, Lang, Passage
from assistant.errors import InvalidRequest
from assistant.evaluation import metrics
from assistant.evaluation.corpus import SYSTEMS, Corpus, Progress, System
from assistant.evaluation.datasets import Dataset, spread
from assistant.evaluation.vectors import CachedEmbedder, Vectors, WithoutVectors
from assistant.ports import Embedder
from assistant.retrieval.rerank import Reranking

AnswerFunction = Callable[[str, Lang, tuple[Passage, ...]], Answer]
"""Answers a question in a language from numbered passages; called one question at a time."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well a system ranks documents, as means over the answerable questions."""

    ndcg: float
    recall: float
    reciprocal_rank: float


@dataclass(frozen=True, slots=True)
class Answers:
    """How good the answers are; None where no question or citation tells.

    `containment`: share of answerable questions whose answer holds a gold answer.
    `citation_valid`: share of citations whose quote stands in a passage the question was given.
    `citation_precision`: share of an answerable question's citations to gold documents.
    `leaks`: number of citations to documents that the asker may not read.
    """

    containment: float | None
    citation_valid: float | None
    citation_precision: float | None
    abstained_unanswerable: float | None
    false_abstention: float | None
    leaks: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one set; `seconds` include chunking, embedding and indexing."""

    name: str
    lang: str
    n_docs: int
    n_chunks: int
    n_queries: int
    seconds: float
    systems: dict[System, Ranking]
    answers: Answers | None = None


def evaluate(
    datasets: Sequence[Dataset],
    embedder: Embedder,
    cache: Path,
    *,
    systems: Sequence[System] = SYSTEMS,
    answer: AnswerFunction | None = None,
    reranking: Reranking | None = None,
    n_passages: int = 8,
    n_answers: int | None = None,
    mixed: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> list[Evaluation]:
    """Evaluate each set, in an index of its own or, if `mixed`, in one index of all.

    A set without questions is only searched through: it has no figures.
    `answer` adds the figures of answers over the best `n_passages` of hybrid search, for a
    sample of `n_answers` questions of a set or for all. `cache` is the folder where embeddings
    are kept. `reranking` is what the system `reranked` adds to hybrid search. Raises
    `InvalidRequest` if two sets share a name.
    """
    if len({dataset.name for dataset in datasets}) < len(datasets):
        raise InvalidRequest("Two sets have the same folder name: rename one of the folders.")
    needs_vectors = answer is not None or set(systems) - {"bm25"}
    remembered = CachedEmbedder(embedder, cache) if needs_vectors else WithoutVectors()
    evaluations: list[Evaluation] = []
    for group in [list(datasets)] if mixed else [[dataset] for dataset in datasets]:
        started = time.perf_counter()
        corpus = Corpus(group, remembered, progress, reranking)
        shared = time.perf_counter() - started
        for dataset in (dataset for dataset in group if dataset.questions):
            started = time.perf_counter()
            remembered.queries([q.text for q in dataset.questions], lambda n, total: None)
            ranked = _rankings(dataset, corpus, remembered, systems, progress)
            n_asked = n_answers if answer and n_answers else len(dataset.questions)
            asked = spread(dataset.questions, n_asked)
            answered = answer and _answers(
                replace(dataset, questions=tuple(asked)),
                corpus,
                remembered,
                answer,
                n_passages,
                progress,
            )
            evaluations.append(
                Evaluation(
                    dataset.name,
                    dataset.lang,
                    len(dataset.documents),
                    corpus.n_chunks(dataset.name),
                    len(dataset.questions),
                    round(shared + time.perf_counter() - started, 3),
                    ranked,
                    answered,
                )
            )
    return evaluations


def _rankings(
    dataset: Dataset,
    corpus: Corpus,
    embedder: Vectors,
    systems: Sequence[System],
    progress: Progress,
) -> dict[System, Ranking]:
    asked = [question for question in dataset.questions if question.answerable and question.gold]
    found: dict[System, list[tuple[float, float, float]]] = {system: [] for system in systems}
    for done, question in enumerate(asked, 1):
        query = corpus.query(question, embedder)
        for system in systems:
            ranked = corpus.ranked(corpus.search(query, system), question, dataset.name)
            found[system].append(
                (
                    metrics.ndcg(ranked, question.grades),
                    metrics.recall(ranked, question.gold),
                    metrics.reciprocal_rank(ranked, question.gold),
                )
            )
        progress("searching", done, len(asked))
    return {
        system: Ranking(*(sum(column) / len(rows) for column in zip(*rows, strict=True)))
        for system, rows in found.items()
        if rows
    }


def _answers(
    dataset: Dataset,
    corpus: Corpus,
    embedder: Vectors,
    answer: AnswerFunction,
    n_passages: int,
    progress: Progress,
) -> Answers:
    contained: list[bool] = []
    abstained: dict[bool, list[bool]] = {True: [], False: []}
    valid: list[bool] = []
    precise: list[bool] = []
    leaks = 0
    for done, question in enumerate(dataset.questions, 1):
        query = corpus.query(question, embedder)
        passages = corpus.passages(corpus.search(query, "hybrid")[:n_passages])
        given = answer(question.text, question.lang, passages)
        abstained[question.answerable].append(given.abstained)
        if question.answerable and question.answers:
            contained.append(metrics.contains_answer(given.text, question.answers))
        for citation in given.citations:
            passage = citation.passage
            known = passage in passages
            quoted = passage.text[citation.start : citation.end] == citation.quote
            valid.append(known and quoted and bool(citation.quote))
            leaks += known and not corpus.may_read(query, corpus.document(passage))
            if question.answerable and question.gold:
                precise.append(known and corpus.is_gold(passage, question, dataset.name))
        progress("answering", done, len(dataset.questions))
    return Answers(
        containment=metrics.mean(contained),
        citation_valid=metrics.mean(valid),
        citation_precision=metrics.mean(precise),
        abstained_unanswerable=metrics.mean(abstained[False]),
        false_abstention=metrics.mean(abstained[True]),
        leaks=leaks,
    )
