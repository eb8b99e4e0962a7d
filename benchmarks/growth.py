"""How search, memory and changes grow with the index, each size in a process of its own.

    python -m benchmarks.growth [--sizes N ...] [--questions N] [--json]

Memory is what the process holds in addition once the index is there, the saved files that it
maps included. An addition or a deletion is timed until a search by words has seen it.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import itertools
import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks import corpora, plans, rounds
from benchmarks.access import Access, Case, granted
from benchmarks.corpora import Corpus
from benchmarks.rounds import Plain
from benchmarks.texts import Texts
from indexes.hybrid import HybridIndex
from indexes.manifest import Facts
from indexes.model import Entry, Facets, Query
from indexes.saved import restored, state_of
from indexes.snapshot import Snapshots

K = 10
CASES = (Case(1.0, "all"), Case(0.01, "random"))
_BATCH = 5000
_N_ADDED = 100
_N_TIMES = 5


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Plain)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 300_000, 1_000_000]
    )
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = [_apart(size, chosen.questions) for size in chosen.sizes]
    packages = ("numpy", "faiss-cpu", "numba", "tantivy")
    report = {"machine": rounds.machine(*packages), "rows": rows}
    if chosen.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        machine = rounds.machine()
        print(f"{machine['cores']} x {machine['cpu']}\n")
        rounds.printed(_turned(rows))
    return 0


def measured(n: int, n_questions: int) -> dict[str, Any]:
    """Return the figures of an index of `n` chunks."""
    corpus, texts = corpora.synthetic(n, n_questions), Texts()
    asked = texts.questions(n_questions)
    access = granted(corpus.readable, CASES)
    _warm(corpus, access)
    before = _memory()
    with TemporaryDirectory(prefix="growth-") as name:
        folder = Path(name)
        index = HybridIndex(corpus.vectors.shape[1], folder / "words")
        figures: dict[str, Any] = {"chunks": n}
        figures["add, s"] = _seconds(_fill, index, corpus, access, texts)
        figures["fold, s"] = _seconds(index.fold)
        figures["memory, bytes a chunk"] = round((_memory() - before) / n)
        figures |= _searched(index, corpus, access, asked)
        figures |= _saved(index, folder, n)
        figures |= _changed(index, corpus, texts)
        index.close()
    return figures


def _apart(n: int, n_questions: int) -> dict[str, Any]:
    print(f"{n:,} chunks", file=sys.stderr, flush=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(measured, n, n_questions).result()


def _warm(corpus: Corpus, access: Access) -> None:
    """Load all code, so that it isn't counted as memory of the index."""
    index = HybridIndex(corpus.vectors.shape[1])
    entries = itertools.islice(_entries(corpus, access, Texts()), _N_ADDED)
    index.add(list(entries))
    index.search(Query("", corpus.questions[0], plans.LANG), 1)
    index.close()


def _fill(index: HybridIndex, corpus: Corpus, access: Access, texts: Texts) -> None:
    batch: list[Entry] = []
    for entry in _entries(corpus, access, texts):
        batch.append(entry)
        if len(batch) == _BATCH:
            index.add(batch)
            batch = []
    index.add(batch)
    index.search_dense(Query("", corpus.questions[0], plans.LANG), 1)


def _entries(corpus: Corpus, access: Access, texts: Texts) -> Iterator[Entry]:
    facets = Facets(lang=plans.LANG)
    documents, access_ids = corpus.documents.tolist(), access.access_ids.tolist()
    for row, text in enumerate(texts.chunks(len(corpus.vectors))):
        yield Entry(row, str(documents[row]), access_ids[row], text, corpus.vectors[row], facets)


def _searched(
    index: HybridIndex, corpus: Corpus, access: Access, asked: list[str]
) -> dict[str, float]:
    searches = {
        "vectors": index.search_dense,
        "words": index.search_lexical,
        "both": index.search,
    }
    figures = {}
    with threadpool_limits(1):
        for case in CASES:
            queries = [
                Query(text, vector, plans.LANG, access.filter(case))
                for text, vector in zip(asked, corpus.questions, strict=True)
            ]
            for name, search in searches.items():
                search(queries[0], K)
                seconds = [_seconds(search, query, K) for query in queries]
                figures[f"{name}, {case}, p50 ms"] = round(1000 * float(np.median(seconds)), 3)
    return figures


def _saved(index: HybridIndex, folder: Path, n: int) -> dict[str, float]:
    """Save the index, and bring it back as a start does."""
    snapshots = Snapshots(folder / "saved")
    query = Query("", np.ones(index.dimension, np.float32), plans.LANG)

    def save() -> None:
        with state_of(index, folder) as state:
            snapshots.publish(state, Facts(1, "synthetic", index.dimension, n))

    def start() -> HybridIndex:
        (folder / "again").mkdir()
        back = restored(snapshots.open().state, folder / "again")
        back.search(query, 1)
        return back

    figures = {"save, s": _seconds(save)}
    begin = perf_counter()
    back = start()
    figures["restore, s"] = round(perf_counter() - begin, 3)
    back.close()
    manifest = snapshots.manifest()
    assert manifest is not None
    figures["saved, bytes a chunk"] = round(manifest.n_bytes / n)
    return figures


def _changed(index: HybridIndex, corpus: Corpus, texts: Texts) -> dict[str, float]:
    """Add a hundred chunks some times, and delete a document as often."""
    query = Query(texts.questions(1)[0], corpus.questions[0], plans.LANG)
    facets = Facets(lang=plans.LANG)
    first, adds, deletes = len(corpus.vectors), [], []

    def add(entries: list[Entry]) -> None:
        index.add(entries)
        index.search_lexical(query, K)

    def delete(document_id: str) -> None:
        index.delete([document_id])
        index.search_lexical(query, K)

    for i in range(_N_TIMES):
        ids = range(first + i * _N_ADDED, first + (i + 1) * _N_ADDED)
        entries = [
            Entry(chunk_id, f"new {i}", 1, text, corpus.vectors[chunk_id - first], facets)
            for chunk_id, text in zip(ids, texts.chunks(_N_ADDED), strict=True)
        ]
        adds.append(_seconds(add, entries))
        deletes.append(_seconds(delete, str(corpus.documents[i * _N_ADDED])))
    return {
        "add 100 chunks, ms": round(1000 * float(np.median(adds)), 1),
        "delete a document, ms": round(1000 * float(np.median(deletes)), 1),
    }


def _seconds(action: Callable[..., object], *arguments: object) -> float:
    start = perf_counter()
    action(*arguments)
    return round(perf_counter() - start, 6)


def _memory() -> int:
    """Return the process's resident bytes, what can be given back given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_info().rss)


def _turned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the table with a column for each size."""
    return [
        {"figure": name, **{f"{row['chunks']:,}": row[name] for row in rows}}
        for name in rows[0]
        if name != "chunks"
    ]


if __name__ == "__main__":
    sys.exit(main())
