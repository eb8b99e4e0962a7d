"""Search by words under permissions: ours, SQLite's FTS5 and, if it is installed, bm25s.

    python -m benchmarks.lexical [--n N] [--questions N] [--json]

Chunks are a hundred made-up words, questions five of them. `forbidden` counts hits that the
caller may not read, `short` results with fewer hits than there are. Each engine is asked two
questions in a row: `first` are the times of the first, after other engines have had the caches.
The exit code is 1 if
anything of ours is.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import rounds, texts
from benchmarks.access import Access, Case, granted
from benchmarks.rounds import Engine, Plain, Run
from indexes.lexical import Lexical
from indexes.model import MetadataFilter
from indexes.scribe import Text
from indexes.selection import Selection

K = 10
CASES = tuple(Case(share, "random" if share < 1 else "all") for share in (1.0, 0.1, 0.01, 0.0001))
OURS = "ours (tantivy)"


class Ours:
    """`indexes.lexical` as the index uses it: admitted cells are a term of the query."""

    def __init__(self, chunks: Sequence[str], access: Access, folder: Path) -> None:
        self._lexical = Lexical(folder / "ours")
        cells = access.access_ids.tolist()
        self._lexical.add(
            Text(serial, cell, 0, "", chunk)
            for serial, (cell, chunk) in enumerate(zip(cells, chunks, strict=True))
        )
        self._lexical.commit()
        self._selections = {case: _selection(access, case) for case in access.masks}

    def search(self, question: str, case: Case) -> list[int]:
        """Return the best admitted chunks."""
        found: list[int] = self._lexical.search(
            question, "", self._selections[case], K
        ).serials.tolist()
        return found

    def close(self) -> None:
        """Let go of the folder."""
        self._lexical.close()


class Fts5:
    """SQLite: readers are words of a second column, or looked up in a table of their own."""

    def __init__(self, chunks: Sequence[str], access: Access, folder: Path) -> None:
        self._conn = sqlite3.connect(folder / "fts5.sqlite")
        keys = access.keys()
        self._conn.execute("create table readers (key text, id int, primary key (key, id))")
        self._conn.execute("create virtual table chunks using fts5 (body, acl)")
        self._conn.executemany(
            "insert into readers values (?, ?)",
            ((key, i) for i, acl in enumerate(keys) for key in acl),
        )
        self._conn.executemany(
            "insert into chunks (rowid, body, acl) values (?, ?, ?)",
            ((i, chunk, " ".join(keys[i])) for i, chunk in enumerate(chunks)),
        )
        self._conn.execute("insert into chunks (chunks) values ('optimize')")
        self._conn.commit()

    def search(self, question: str, case: Case) -> list[int]:
        """Search with the reader as one more word."""
        match = _any_word(question)
        return self._found(f"acl : {case.key} AND ({match})" if case.key else match, "", ())

    def search_joined(self, question: str, case: Case) -> list[int]:
        """Search with the reader's chunks looked up in a table."""
        match = _any_word(question)
        if not case.key:
            return self._found(match, "", ())
        return self._found(
            match, "and +rowid in (select id from readers where key = ?)", (case.key,)
        )

    def close(self) -> None:
        """Close the database."""
        self._conn.close()

    def _found(self, match: str, where: str, arguments: tuple[str, ...]) -> list[int]:
        rows = self._conn.execute(
            f"select rowid from chunks where chunks match ? {where} "
            f"order by bm25(chunks, 1.0, 0.0) limit {K}",
            (match, *arguments),
        )
        return [row[0] for row in rows]


class Bm25s:
    """bm25s: all chunks are scored, those that may not be read with zero."""

    def __init__(self, chunks: Sequence[str], access: Access) -> None:
        import bm25s

        self._tokenized = partial(bm25s.tokenize, stopwords=None, show_progress=False)
        self._index = bm25s.BM25()
        self._index.index(self._tokenized(list(chunks)), show_progress=False)
        self._masks = {case: mask.astype(np.float32) for case, mask in access.masks.items()}

    def search(self, question: str, case: Case) -> list[int]:
        """Return the best admitted chunks; those without a word are dropped."""
        found, scores = self._index.retrieve(
            self._tokenized([question]),
            k=K,
            show_progress=False,
            weight_mask=self._masks[case] if case.key else None,
        )
        return [int(i) for i, score in zip(found[0], scores[0], strict=True) if score > 0]


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Plain)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--budget", type=float, default=6.0, help="seconds an engine has a case")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="lexical-") as folder:
        report = measured(chosen.n, chosen.questions, chosen.budget, Path(folder))
    if chosen.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        _print(report)
    ours = [row for row in report["rows"] if row["engine"] == OURS]
    return 1 if any(row["forbidden"] or row["short"] for row in ours) else 0


def measured(n: int, n_questions: int, budget: float, folder: Path) -> dict[str, Any]:
    """Return the whole report."""
    made = texts.Texts()
    questions, chunks = made.questions(n_questions), list(made.chunks(n))
    access = granted(lambda share, _: texts.readable(n, share), CASES)
    start = perf_counter()
    ours = Ours(chunks, access, folder)
    loaded = {OURS: perf_counter() - start}
    start = perf_counter()
    fts5 = Fts5(chunks, access, folder)
    loaded["SQLite FTS5"] = perf_counter() - start
    searches = {
        OURS: ours.search,
        "SQLite FTS5, reader as a word": fts5.search,
        "SQLite FTS5, readers in a table": fts5.search_joined,
    }
    missing = []
    if importlib.util.find_spec("bm25s"):
        start = perf_counter()
        searches["bm25s"] = Bm25s(chunks, access).search
        loaded["bm25s"] = perf_counter() - start
    else:
        missing.append("bm25s not run: pip install '.[bench]'")
    engines = [Engine(name, partial(_ask, search, questions)) for name, search in searches.items()]
    gc.collect()
    gc.freeze()
    rows = []
    for case in CASES:
        n_hits = [min(K, n) for n in _holders(chunks, questions, access.masks[case])]
        for name, run in rounds.asked(engines, case, len(questions), budget).items():
            rows.append(_figures(case, name, run, access.masks[case], n_hits))
    gc.unfreeze()
    ours.close()
    fts5.close()
    return {
        "n": n,
        "machine": rounds.machine("tantivy", "bm25s") | {"sqlite": sqlite3.sqlite_version},
        "load_seconds": {name: round(seconds, 1) for name, seconds in loaded.items()},
        "rows": rows,
        "missing": missing,
    }


def _ask(search: Any, questions: Sequence[str], i: int, case: Case) -> Sequence[int]:
    found: Sequence[int] = search(questions[i], case)
    return found


def _figures(
    case: Case, name: str, run: Run, mask: NDArray[np.bool_], n_hits: Sequence[int]
) -> dict[str, Any]:
    return {
        "may read": str(case),
        "engine": name,
        "questions/s": round(1 / float(np.mean(run.next)), 1),
        "p50 ms": rounds.milliseconds(run.next),
        "p95 ms": rounds.milliseconds(run.next, 95),
        "first p50 ms": rounds.milliseconds(run.first),
        "forbidden": sum(not mask[i] for _, rows in run.found for i in rows),
        "short": sum(len(rows) < n_hits[i] for i, rows in run.found),
        "questions": len(run.next),
    }


def _holders(
    chunks: Sequence[str], questions: Sequence[str], mask: NDArray[np.bool_]
) -> Iterator[int]:
    """Yield how many admitted chunks hold a word of each question."""
    asked = {word for question in questions for word in question.split()}
    holders: dict[str, set[int]] = defaultdict(set)
    for row in np.flatnonzero(mask).tolist():
        for word in asked.intersection(chunks[row].split()):
            holders[word].add(row)
    for question in questions:
        yield len(set().union(*(holders[word] for word in question.split())))


def _selection(access: Access, case: Case) -> Selection:
    mask, readers = access.masks[case], access.filter(case)
    admitted = np.array([i in readers.access_ids for i in range(len(access.lists) + 1)])
    return Selection(readers, MetadataFilter(), mask, int(mask.sum()), admitted=admitted)


def _any_word(question: str) -> str:
    return "body : (" + " OR ".join(question.split()) + ")"


def _print(report: dict[str, Any]) -> None:
    machine = report["machine"]
    print(f"{report['n']:,} chunks; {machine['cores']} x {machine['cpu']}\n")
    rounds.printed(report["rows"])
    print()
    loaded = report["load_seconds"].items()
    rounds.printed([{"engine": name, "seconds to load": s} for name, s in loaded])
    for line in report["missing"]:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
