from __future__ import annotations

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from assistant.evaluation.vectors import WithoutVectors
from benchmarks import exact, plans
from benchmarks.access import CASES, Case, granted
from benchmarks.corpora import loaded, of_sets, synthetic, unit
from benchmarks.filtered_search import RECALL, Truth, is_good, measured
from benchmarks.rivals import RIVALS, Chroma
from benchmarks.rounds import Engine, Run, asked

SOME = Case(0.1, "topics")


def test_the_exact_search_is_that_of_a_sort() -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng.standard_normal((300, 8), np.float32))
    questions = unit(rng.standard_normal((4, 8), np.float32))
    mask = rng.random(300) < 0.2
    found, scores = exact.best(vectors, questions, mask, 5)
    for i, question in enumerate(questions):
        order = sorted(
            np.flatnonzero(mask).tolist(), key=lambda row: -float(vectors[row] @ question)
        )
        assert found[i].tolist() == order[:5]
        assert exact.recall(order[:4], vectors, question, scores[i]) == 0.8


def test_equally_good_rows_count_alike_but_once() -> None:
    vectors = np.eye(2, dtype=np.float32)[[0, 0, 1]]
    question = vectors[0]
    _, scores = exact.best(vectors, question[np.newaxis], np.array([True, True, True]), 1)
    assert exact.recall([1], vectors, question, scores[0]) == 1
    _, scores = exact.best(vectors, question[np.newaxis], np.array([True, True, True]), 2)
    assert exact.recall([1, 1], vectors, question, scores[0]) == 0.5


def test_a_chunk_is_in_the_lists_of_those_who_may_read_it() -> None:
    corpus = synthetic(2000, 1)
    access = granted(corpus.readable)
    keys = access.keys()
    for case in CASES[1:]:
        mask = access.masks[case]
        assert mask.tolist() == [case.key in acl for acl in keys]
        assert (
            mask.tolist()
            == np.isin(access.access_ids, list(access.filter(case).access_ids)).tolist()
        )


def test_each_evaluation_set_is_a_topic(tmp_path: Path) -> None:
    for name, n in (("a", 3), ("b", 2)):
        folder = tmp_path / name
        folder.mkdir()
        rows = [{"doc_id": f"{i}", "title": f"{name} {i}", "text": "Some words."} for i in range(n)]
        (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        asked = [{"qid": f"q{i}", "question": "Which?", "gold_doc_ids": ["0"]} for i in range(9)]
        (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    (tmp_path / "no set").mkdir()
    corpus = of_sets(tmp_path, WithoutVectors(), 5)
    assert corpus.topics.tolist() == [0, 0, 0, 1, 1]
    assert corpus.documents.tolist() == [0, 1, 2, 3, 4]
    assert len(corpus.questions) == 5
    assert len(corpus.vectors) == 5


def test_forbidden_and_short_results_are_counted() -> None:
    corpus = synthetic(2000, 3)
    mask = corpus.readable(SOME.share, SOME.kind)
    truth = Truth.of(corpus.vectors, corpus.questions, mask)
    best, _ = exact.best(corpus.vectors, corpus.questions, mask, 10)
    refused = np.flatnonzero(~mask)[:10].tolist()
    right = Run([(i, rows.tolist()) for i, rows in enumerate(best)], [0.1], [0.1])
    wrong = Run([(0, refused), (1, best[1][:4].tolist()), (2, [])], [0.3], [0.2])
    good = truth.figures(SOME, plans.PLAN, right, right)
    bad = truth.figures(SOME, plans.PLAN, wrong, right)
    assert (good["recall"], good["forbidden"], good["short"]) == (1, 0, 0)
    assert (bad["forbidden"], bad["short"], bad["times ours"]) == (10, 2, 2)
    assert bad["recall"] == pytest.approx(0.4 / 3, abs=1e-3)
    assert is_good(good)
    assert not is_good(bad)


def test_the_depth_is_how_many_must_be_fetched() -> None:
    corpus = synthetic(2000, 5)
    truth = Truth.of(corpus.vectors, corpus.questions, corpus.readable(SOME.share, SOME.kind))
    order = np.argsort(-(corpus.questions @ corpus.vectors.T), axis=1)[:, : truth.depth()]
    found = [(i, [row for row in rows if truth.mask[row]][:10]) for i, rows in enumerate(order)]
    assert RECALL - 0.02 <= truth.recall(found) <= 1


def test_engines_answer_every_question_twice_within_their_budget() -> None:
    counts = {"quick": 0, "slow": 0}

    def ask(name: str, i: int, case: Case) -> list[int]:
        counts[name] += 1
        return [i]

    engines = [Engine(name, partial(ask, name)) for name in counts]
    runs = asked(engines, SOME, 6, 60)
    assert counts == {"quick": 13, "slow": 13}
    for run in runs.values():
        assert len(run.first) == len(run.next) == 6
        assert sorted(i for i, _ in run.found) == sorted([*range(6)] * 2)
    runs = asked(engines, SOME, 6, 0)
    assert all(len(run.next) == 1 for run in runs.values())


def test_our_plan_is_measured_and_others_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chroma, "module", "no_such_module")
    with ExitStack() as stack:
        report = measured(synthetic(3000, 4), ["chroma"], 60, stack)
    assert len(report["rows"]) == 2 * len(CASES)
    assert all(is_good(row) for row in report["rows"])
    (line,) = report["missing"]
    assert "chromadb" in line
    assert "[bench]" in line


def test_every_rival_has_a_package() -> None:
    assert all(kind.package and kind.module for kind in RIVALS.values())


def test_vectors_come_from_a_file(tmp_path: Path) -> None:
    made = synthetic(1200, 3)
    np.savez(tmp_path / "real.npz", vectors=made.vectors, questions=made.questions)
    corpus = loaded(tmp_path / "real.npz", 1000, 2)
    assert corpus.vectors.shape == (1000, 384)
    assert corpus.questions.shape == (2, 384)
    assert corpus.readable(0.1, "topics").sum() == 100
