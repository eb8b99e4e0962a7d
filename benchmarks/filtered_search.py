"""Search under permissions: our plan beside other engines, on the same vectors and questions.

    python -m benchmarks.filtered_search [--n N] [--questions N] [--rivals NAME ...] [--json]

Callers may read from all documents down to one in ten thousand. Every engine is asked each
question in turn, on one thread where that can be set, and compared with an exact search over the
vectors that our plan searches. `recall` is recall@10, `forbidden` counts hits that the caller
may not read, `short` results with fewer hits than there are. Each engine is asked two questions
in a row: `first` are the times of the first, after other engines have had the caches.

The exit code is 1 if our plan's recall is below 0.99, or anything of it forbidden or short.
Instead of made-up vectors, `--sets` takes a folder of evaluation sets (docs/how-to/evaluate.md),
each a topic, with `--data` for the folder where embeddings are kept, and `--real` an .npz file
with `vectors`, `questions` and perhaps `documents` and `topics`.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from assistant.evaluation.vectors import CachedEmbedder
from assistant.models import embedder
from benchmarks import corpora, exact, plans, rounds
from benchmarks.access import CASES, Access, Case, granted
from benchmarks.corpora import Corpus
from benchmarks.rival import Search, Tunable
from benchmarks.rivals import RIVALS
from benchmarks.rounds import Engine, Plain, Run

K = 10
RECALL = 0.99
FIGURES = ("recall", "forbidden", "short", "p50 ms", "p95 ms", "times ours", "first times ours")


@dataclass(frozen=True, slots=True)
class Truth:
    """What is right in one case: the best scores of each question, and who may be returned."""

    vectors: NDArray[np.float32]
    questions: NDArray[np.float32]
    scores: NDArray[np.float32]
    mask: NDArray[np.bool_]

    @classmethod
    def of(
        cls, vectors: NDArray[np.float32], questions: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> Truth:
        """Find it out."""
        return cls(vectors, questions, exact.best(vectors, questions, mask, K)[1], mask)

    def recall(self, found: Iterable[tuple[int, Sequence[int]]]) -> float:
        """Return the mean recall of questions' results; forbidden ones don't count."""
        recalls = [
            exact.recall(
                [row for row in rows if self.mask[row]],
                self.vectors,
                self.questions[i],
                self.scores[i],
            )
            for i, rows in found
        ]
        return float(np.mean(recalls))

    def is_enough(self, found: Sequence[Sequence[int]]) -> bool:
        """Return whether the results of all questions reach `RECALL`."""
        return self.recall(enumerate(found)) >= RECALL

    def depth(self) -> int:
        """Return how many of all vectors must be fetched to reach `RECALL`."""
        ranks = [
            np.searchsorted(np.sort(-(self.vectors @ question)), -wanted + exact.TIE)
            for question, wanted in zip(self.questions, self.scores, strict=True)
        ]
        return int(np.quantile(np.concatenate(ranks), RECALL, method="higher"))

    def figures(self, case: Case, name: str, run: Run, ours: Run) -> dict[str, Any]:
        """Return the row of the table."""
        wanted = self.scores.shape[1]
        p50, first_p50 = rounds.milliseconds(run.next), rounds.milliseconds(run.first)
        return {
            "may read": str(case),
            "engine": name,
            "recall": round(self.recall(run.found), 4),
            "forbidden": sum(not self.mask[i] for _, rows in run.found for i in rows),
            "short": sum(len(rows) < wanted for _, rows in run.found),
            "p50 ms": p50,
            "p95 ms": rounds.milliseconds(run.next, 95),
            "times ours": round(p50 / rounds.milliseconds(ours.next), 2),
            "first p50 ms": first_p50,
            "first times ours": round(first_p50 / rounds.milliseconds(ours.first), 2),
            "questions": len(run.next),
        }


@dataclass(slots=True)
class Field:
    """The engines that take part, how long each took to load, and who couldn't."""

    questions: NDArray[np.float32]
    engines: list[Engine]
    loaded: dict[str, float]
    tunable: list[Tunable]
    missing: list[str]

    def add(
        self, name: str, stack: ExitStack, vectors: NDArray[np.float32], access: Access
    ) -> None:
        """Load a rival, if it is installed."""
        kind = RIVALS[name]
        if not kind.is_installed():
            self.missing.append(f"{name} not run: it needs {kind.package}; pip install '.[bench]'")
            return
        _say(f"loading {name}")
        rival = kind()
        stack.callback(rival.close)
        start = perf_counter()
        rival.load(vectors, access.keys())
        self.loaded[name] = round(perf_counter() - start, 1)
        for title, way in rival.ways().items():
            self.engines.append(Engine(title, self._asker(way)))
            if isinstance(way, Tunable):
                self.tunable.append(way)

    def _asker(self, way: Search) -> Callable[[int, Case], Sequence[int]]:
        return lambda i, case: way(self.questions[i], case.key, K)


def main() -> int:
    """Print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Plain)
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--rivals", nargs="*", choices=list(RIVALS), default=[])
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--real", type=Path)
    parser.add_argument("--budget", type=float, default=6.0, help="seconds an engine has a case")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        report = measured(_corpus(chosen), chosen.rivals, chosen.budget, stack)
    if chosen.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        printed(report)
    return 0 if all(is_good(row) for row in report["rows"]) else 1


def measured(
    corpus: Corpus, rivals: Sequence[str], budget: float, stack: ExitStack
) -> dict[str, Any]:
    """Return the whole report; engines are closed with the stack."""
    access = granted(corpus.readable)
    _say("building our plan")
    start = perf_counter()
    plan = plans.Plan(corpus, access)
    vectors, questions = plan.centred(), plan.directions(corpus.questions)
    built = perf_counter()
    whole = plans.WholeIndex(corpus, access)
    stack.callback(whole.close)
    loaded = {plans.PLAN: built - start, plans.WHOLE: perf_counter() - built}
    loaded = {name: round(seconds, 1) for name, seconds in loaded.items()}
    engines = [
        Engine(plans.PLAN, lambda i, case: plan.search(corpus.questions[i], case, K)),
        Engine(plans.WHOLE, lambda i, case: whole.search(corpus.questions[i], case, K)),
    ]
    field = Field(questions, engines, loaded, [], [])
    for name in rivals:
        field.add(name, stack, vectors, access)
    # Loaded objects are many: without them, a collection in the midst of a search is short.
    gc.collect()
    gc.freeze()
    stack.callback(gc.unfreeze)
    rows = [row for case in CASES for row in _rows(field, case, vectors, access, budget)]
    return {
        "corpus": corpus.name,
        "n": len(vectors),
        "dimension": vectors.shape[1],
        "machine": rounds.machine(
            "numpy", "faiss-cpu", "numba", *(RIVALS[r].package for r in rivals)
        ),
        "load_seconds": field.loaded,
        "rows": rows,
        "missing": field.missing,
    }


def is_good(row: dict[str, Any]) -> bool:
    """Return whether a row is another engine's, or as good as ours must be."""
    if row["engine"] not in {plans.PLAN, plans.WHOLE}:
        return True
    return row["recall"] >= RECALL and not row["forbidden"] and not row["short"]


def _rows(
    field: Field, case: Case, vectors: NDArray[np.float32], access: Access, budget: float
) -> list[dict[str, Any]]:
    _say(f"asking: {case}")
    truth = Truth.of(vectors, field.questions, access.masks[case])
    with threadpool_limits(1):
        for way in field.tunable:
            way.tune(case.key, truth, K)
        runs = rounds.asked(field.engines, case, len(field.questions), budget)
    ours = runs[plans.PLAN]
    return [truth.figures(case, name, run, ours) for name, run in runs.items()]


def _corpus(chosen: argparse.Namespace) -> Corpus:
    if chosen.sets:
        bundled = embedder.load(embedder.BUNDLED, chosen.data)
        model = CachedEmbedder(bundled, chosen.data / "eval-cache")
        return corpora.of_sets(chosen.sets, model, chosen.questions)
    if chosen.real:
        return corpora.loaded(chosen.real, chosen.n, chosen.questions)
    return corpora.synthetic(chosen.n, chosen.questions)


def printed(report: dict[str, Any]) -> None:
    """Print a table for each figure: engines down, callers across."""
    machine = report["machine"]
    print(f"{report['corpus']}, {report['n']:,} vectors; {machine['cores']} x {machine['cpu']}")
    for figure in FIGURES:
        print(f"\n{figure}\n")
        rounds.printed(_crossed(report["rows"], figure))
    print("\nover all callers\n")
    rounds.printed(_summed(report["rows"]))
    print("\nseconds to load\n")
    rounds.printed([{"engine": e, "seconds": s} for e, s in report["load_seconds"].items()])
    for line in report["missing"]:
        print(line)


def _crossed(rows: Sequence[dict[str, Any]], figure: str) -> list[dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for row in rows:
        table.setdefault(row["engine"], {"engine": row["engine"]})[row["may read"]] = row[figure]
    return list(table.values())


def _summed(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    by_engine: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_engine.setdefault(row["engine"], []).append(row)
    return [
        {
            "engine": engine,
            "worst recall": min(row["recall"] for row in own),
            "worst p50 ms": max(row["p50 ms"] for row in own),
            "times ours, at least": min(row["times ours"] for row in own),
            "at most": max(row["times ours"] for row in own),
        }
        for engine, own in by_engine.items()
    ]


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
