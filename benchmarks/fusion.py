"""Fits the constants of `indexes.fusion` to evaluation sets, and says how far to trust them.

    python -m benchmarks.fusion [SETS] [--data DIR] [--limit N] [--fit] [--json]

SETS is a folder of evaluation sets (docs/how-to/evaluate.md), `../shared/data` if not named.
Each set is a row, as is each of its translations: nDCG@10 of BM25, of vectors and of the fusion
in use. `--fit` climbs to better constants, one at a time, and then does so again without each set
in turn, which shows what the left-out set would lose. `--data` is where embeddings are kept
between runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation import datasets
from assistant.evaluation.corpus import Corpus
from assistant.evaluation.datasets import Dataset
from assistant.evaluation.metrics import ndcg
from assistant.evaluation.vectors import CachedEmbedder
from assistant.models import embedder
from indexes.fusion import WEIGHTS, Candidates, Weights, fused

STEPS = {
    "words": (0.002, 0.003, 0.004, 0.006),
    "strangers": (0.02, 0.035, 0.05, 0.075, 0.1),
    "n_terse": (6.0, 8.0, 10.0, 13.0),
    "terse": (0.0, 0.75, 1.0, 1.5, 2.0),
    "coverage": (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
    "entity": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
    "step": (0.001, 0.0025, 0.005, 0.01),
}
START = Weights(
    words=0.006, strangers=0.1, terse=0.0, n_terse=10.0, coverage=0.0, entity=0.0, step=0.001
)
"""Words count alike in every question: a fit knows nothing of a set that was left out."""
FLOOR = 0.0
"""A set that loses more than this against the better of its two systems counts three times."""

Scores = Callable[[Candidates], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's candidates, the document each belongs to, and what each document is worth."""

    found: Candidates
    documents: tuple[str, ...]
    grades: dict[str, float]

    def ndcg(self, scores: NDArray[np.float32]) -> float:
        """Return the nDCG@10 of documents, each at the place of its best finite score."""
        order = np.lexsort((self.found.chunk_ids, -scores))[: np.isfinite(scores).sum()]
        return ndcg(list(dict.fromkeys(self.documents[i] for i in order)), self.grades)


@dataclass(frozen=True, slots=True)
class Row:
    """A set in one language of questions, with what BM25 and vectors reach alone."""

    name: str
    lang: str
    asked: tuple[Asked, ...]
    bm25: float
    dense: float

    def ndcg(self, weights: Weights) -> float:
        """Return the mean nDCG@10 under these constants."""
        return _mean(self.asked, lambda found: fused(found, weights))

    def gain(self, weights: Weights) -> float:
        """Return what fusion gains over the better of the two."""
        return self.ndcg(weights) - max(self.bm25, self.dense)


def main() -> None:
    """Print the table, and the fits if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("sets", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if not chosen.sets.is_dir():
        parser.error(f"there is no folder {chosen.sets}; name a folder of evaluation sets")
    rows = list(_rows(chosen.sets, chosen.data, chosen.limit))
    report: dict[str, object] = {"weights": asdict(WEIGHTS), "rows": _figures(rows)}
    if chosen.fit:
        best = fit(rows)
        left_out = [_without(rows, name) for name in dict.fromkeys(row.name for row in rows)]
        report["fitted"] = {"weights": asdict(best), "rows": _figures(rows, best)}
        report["left_out"] = [figure for figures in left_out for figure in figures]
    if chosen.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return
    for name in ("rows", "left_out"):
        if name in report:
            _print(name, report[name])  # type: ignore[arg-type]
    if chosen.fit:
        print("best constants", asdict(best))


def fit(rows: Sequence[Row]) -> Weights:
    """Climb from `START`, one constant at a time, until none gets better."""
    best, reached = START, _objective(rows, START)
    is_better = True
    while is_better:
        is_better = False
        for name, values in STEPS.items():
            for value in values:
                tried = replace(best, **{name: value})
                worth = _objective(rows, tried)
                if worth > reached + 1e-5:
                    best, reached, is_better = tried, worth, True
    return best


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def _objective(rows: Sequence[Row], weights: Weights) -> float:
    gains = np.array([row.gain(weights) for row in rows])
    return float((gains + 2 * np.minimum(gains - FLOOR, 0)).mean())


def _without(rows: Sequence[Row], name: str) -> list[dict[str, object]]:
    fitted = fit([row for row in rows if row.name != name])
    return _figures([row for row in rows if row.name == name], fitted)


def _figures(rows: Sequence[Row], weights: Weights = WEIGHTS) -> list[dict[str, object]]:
    return [
        {
            "set": row.name,
            "lang": row.lang,
            "questions": len(row.asked),
            "bm25": round(row.bm25, 4),
            "dense": round(row.dense, 4),
            "hybrid": round(row.ndcg(weights), 4),
            "gain": round(row.gain(weights), 4),
        }
        for row in rows
    ]


def _print(title: str, figures: list[dict[str, object]]) -> None:
    print(f"{title:24} lang questions   bm25  dense hybrid    gain")
    for f in figures:
        print(
            f"{f['set']:24} {f['lang']:4} {f['questions']:9} {f['bm25']:6.3f} {f['dense']:6.3f} "
            f"{f['hybrid']:6.3f} {f['gain']:+7.3f}"
        )
    print(f"{'mean':56} {np.mean([float(str(f['gain'])) for f in figures]):+7.3f}")


def _rows(folder: Path, data: Path, limit: int) -> Iterator[Row]:
    model = CachedEmbedder(embedder.load("bundled", data), data / "eval-cache")
    for path in sorted(folder.iterdir()):
        if not list(path.glob("corpus.jsonl*")):
            continue
        dataset = datasets.load(path, limit=limit)
        corpus = Corpus([dataset], model, lambda what, done, total: None)
        langs = [p.stem.removeprefix("queries_") for p in sorted(path.glob("queries_*.jsonl"))]
        translated = [datasets.load(path, lang=lang, limit=limit) for lang in langs]
        for version in (dataset, *translated):
            model.queries([q.text for q in version.questions], lambda done, total: None)
            yield _row(version, corpus, model)


def _row(dataset: Dataset, corpus: Corpus, model: CachedEmbedder) -> Row:
    asked = []
    for question in dataset.questions:
        if question.answerable and question.gold:
            found = corpus.candidates(corpus.query(question, model))
            documents = corpus.identities(found.chunk_ids.tolist(), question, dataset.name)
            asked.append(Asked(found, tuple(documents), dict(question.grades)))
    return Row(
        dataset.name,
        dataset.lang,
        tuple(asked),
        _mean(asked, lambda found: np.where(found.lexical > 0, found.lexical, -np.inf)),
        _mean(asked, lambda found: found.dense),
    )


def _mean(asked: Sequence[Asked], scores: Scores) -> float:
    return float(np.mean([one.ndcg(scores(one.found)) for one in asked]))


if __name__ == "__main__":
    main()
