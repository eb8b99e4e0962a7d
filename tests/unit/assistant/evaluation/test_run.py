"""Whole evaluations of small sets with known figures."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.domain import Answer, Citation, Lang, Passage, Sentence
from assistant.errors import InvalidRequest
from assistant.evaluation import datasets
from assistant.evaluation.corpus import reading
from assistant.evaluation.run import evaluate
from assistant.retrieval.rerank import Reranking

if TYPE_CHECKING:
    from tests.unit.assistant.evaluation.conftest import WordEmbedder


def quote_best(question: str, lang: Lang, passages: tuple[Passage, ...]) -> Answer:
    """Quote the best passage, or abstain if the question is about painting."""
    if "painted" in question:
        return Answer("Nothing found.", lang, abstained=True)
    best = passages[0]
    citation = Citation(1, best, best.text, 0, len(best.text))
    return Answer(best.text, lang, abstained=False, sentences=(Sentence(best.text, (citation,)),))


def test_every_system_finds_the_gold_documents(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    steps: list[tuple[str, int, int]] = []
    (found,) = evaluate(
        [datasets.load(small_set)],
        word_embedder,
        tmp_path / "cache",
        progress=lambda what, done, total: steps.append((what, done, total)),
    )
    assert (found.name, found.lang, found.n_docs, found.n_queries) == ("small", "en", 4, 3)
    assert found.n_chunks >= 4
    assert found.seconds > 0
    assert list(found.systems) == ["bm25", "dense", "hybrid"]
    for ranking in found.systems.values():
        assert ranking.recall == ranking.reciprocal_rank == 1
        assert 0.9 < ranking.ndcg <= 1
    assert found.answers is None
    assert {what for what, _, _ in steps} == {"chunking", "embedding", "indexing", "searching"}
    assert all(done <= total for _, done, total in steps)


class LastFirst:
    """A reranker that finds the last passages the best."""

    name = "last-first"

    def reads(self, lang: str) -> bool:
        return lang == "en"

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.arange(len(texts), dtype=np.float32)


def test_a_reranker_is_measured_beside_the_search(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    (found,) = evaluate(
        [datasets.load(small_set)],
        word_embedder,
        tmp_path / "cache",
        systems=("hybrid", "reranked"),
        n_answers=0,
        reranking=Reranking(LastFirst()),
    )
    assert found.systems["hybrid"].recall == found.systems["reranked"].recall == 1
    assert list(found.systems) == ["hybrid", "reranked"]


def test_a_second_run_embeds_nothing_and_gives_the_same(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    dataset = datasets.load(small_set)
    (first,) = evaluate([dataset], word_embedder, tmp_path / "cache")
    word_embedder.n_embedded = 0
    (second,) = evaluate([dataset], word_embedder, tmp_path / "cache")
    assert word_embedder.n_embedded == 0
    assert second.systems == first.systems


def test_words_alone_need_no_vectors(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    dataset = datasets.load(small_set)
    (alone,) = evaluate([dataset], word_embedder, tmp_path / "cache", systems=("bm25",))
    assert word_embedder.n_embedded == 0
    (every,) = evaluate([dataset], word_embedder, tmp_path / "cache")
    assert alone.systems["bm25"] == every.systems["bm25"]


def test_answers_are_measured(small_set: Path, tmp_path: Path, word_embedder: WordEmbedder) -> None:
    (found,) = evaluate(
        [datasets.load(small_set)],
        word_embedder,
        tmp_path / "cache",
        systems=("hybrid",),
        answer=quote_best,
    )
    assert found.answers is not None
    assert found.answers.containment == 1
    assert found.answers.citation_valid == 1
    assert found.answers.citation_precision == 1
    assert found.answers.abstained_unanswerable == 1
    assert found.answers.false_abstention == 0
    assert found.answers.leaks == 0


def test_answers_are_asked_of_a_sample(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    asked: list[str] = []

    def count(question: str, lang: Lang, passages: tuple[Passage, ...]) -> Answer:
        asked.append(question)
        return quote_best(question, lang, passages)

    dataset = datasets.load(small_set)
    evaluate([dataset], word_embedder, tmp_path / "cache", answer=count, n_answers=2)
    assert asked == [dataset.questions[0].text, dataset.questions[1].text]


def test_an_invented_quote_and_a_foreign_passage_are_not_valid(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    kept: list[Passage] = []

    def invent(question: str, lang: Lang, passages: tuple[Passage, ...]) -> Answer:
        kept.extend(passages)
        stale = Citation(1, kept[0], kept[0].text, 0, len(kept[0].text))
        made_up = Citation(2, passages[0], "nobody wrote this", 0, 17)
        return Answer("x", lang, abstained=False, sentences=(Sentence("x", (stale, made_up)),))

    dataset = datasets.load(small_set)
    (found,) = evaluate(
        [dataset], word_embedder, tmp_path / "cache", answer=invent, n_passages=1, systems=()
    )
    assert found.systems == {}
    assert found.answers is not None
    assert found.answers.containment == 0
    assert found.answers.abstained_unanswerable == 0
    assert found.answers.citation_valid == pytest.approx(1 / 6)


def test_a_question_is_searched_with_the_rights_of_its_asker(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    rows = (small_set / "queries.jsonl").read_text("utf-8")
    restricted = rows.replace('"answerable": true', '"answerable": true, "acl_hints": ["public"]')
    (small_set / "queries.jsonl").write_text(restricted, "utf-8")
    seen: list[str] = []

    def look(question: str, lang: Lang, passages: tuple[Passage, ...]) -> Answer:
        if "painted" not in question:
            seen.extend(passage.document_id for passage in passages)
        return Answer("", lang, abstained=True)

    (found,) = evaluate([datasets.load(small_set)], word_embedder, tmp_path / "cache", answer=look)
    assert set(seen) == {"small/bank#p0", "small/bank#p1", "small/devolucao"}
    assert found.systems["hybrid"].recall == 0.5
    assert found.answers is not None
    assert found.answers.false_abstention == 1


def test_mixed_sets_share_an_index(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(small_set, twin)
    both = [datasets.load(small_set), datasets.load(twin)]
    apart = evaluate(both, word_embedder, tmp_path / "cache")
    mixed = evaluate(both, word_embedder, tmp_path / "cache", mixed=True)
    assert [found.name for found in mixed] == ["small", "twin"]
    assert [found.n_chunks for found in mixed] == [found.n_chunks for found in apart]
    for alone, together in zip(apart, mixed, strict=True):
        assert together.systems["dense"].recall == 1
        assert together.systems["dense"].ndcg < alone.systems["dense"].ndcg + 1e-9
    ranks = {found.systems["dense"].reciprocal_rank for found in mixed}
    assert min(ranks) < 1


def test_a_set_without_questions_is_only_searched_through(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(small_set, twin)
    silent = datasets.load(twin, lang="fr", needs_questions=False)
    assert not silent.questions
    (alone,) = evaluate([datasets.load(small_set)], word_embedder, tmp_path / "cache")
    (found,) = evaluate(
        [datasets.load(small_set), silent], word_embedder, tmp_path / "cache", mixed=True
    )
    assert found.name == "small"
    assert found.systems["dense"].ndcg < alone.systems["dense"].ndcg


def test_sets_of_one_name_are_refused(
    small_set: Path, tmp_path: Path, word_embedder: WordEmbedder
) -> None:
    dataset = datasets.load(small_set)
    with pytest.raises(InvalidRequest, match="same folder name"):
        evaluate([dataset, dataset], word_embedder, tmp_path / "cache")


def test_a_document_is_read_line_by_line(small_set: Path) -> None:
    seen = reading(datasets.load(small_set).documents[0])
    assert (seen.title, seen.lang) == ("Annual report — page 1", "en")
    assert [(block.kind, block.page) for block in seen.blocks] == [("paragraph", 1)] * 2
