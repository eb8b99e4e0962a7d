"""How long an index is away: filled from the database, damaged in part, restored; durable adds.

    python -m benchmarks.rebuild [--n N] [--folder FOLDER] [--json]

`FOLDER` keeps the built-in database with its N synthetic chunks, so that a second run needs not
load them again. Every stage has a process of its own with an empty index.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import psycopg
import sqlalchemy as sa

from assistant import wiring
from assistant.domain import Chunk, Principal
from assistant.retrieval.follower import Follower
from assistant.retrieval.generations import Generations
from assistant.settings import Settings
from assistant.store import catalog, columns, lists, sources
from assistant.store.acls import acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from assistant.store.heads import feed_head
from benchmarks import corpora, rounds
from benchmarks.corpora import DIMENSION, N_CHUNKS_A_DOCUMENT
from benchmarks.texts import Texts
from indexes import rebuilt
from indexes.model import AccessFilter, Query
from indexes.rows import Rows
from indexes.snapshot import Snapshots

MODEL, LANG = "synthetic@1", "en"
N_LISTS_OF_ACCESS = 100
N_ADDED = 100
_N_TIMES = 30
_COLUMNS = (
    'document_id, version_no, ord, text, kind, lang, start, "end", sha256, embedding, embedder'
)


_ANALYSE = sa.text("ANALYZE")
_SERVER = sa.text("SELECT pg_backend_pid()")

Stage = Callable[[Database, Path], dict[str, float]]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=rounds.Plain)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rebuild-") as name:
        folder = chosen.folder or Path(name)
        figures: dict[str, Any] = {"chunks": chosen.n}
        with wiring.database(Settings(data_dir=folder)) as database:
            with database.begin() as conn:
                is_empty = feed_head(conn) == 0
            if is_empty:
                loaded(database, chosen.n)
            for stage in chosen.stages:
                print(stage, file=sys.stderr, flush=True)
                figures |= _apart(stage, folder)
    packages = ("numpy", "faiss-cpu", "numba", "tantivy", "psycopg")
    report = {"machine": rounds.machine(*packages), "figures": figures}
    if chosen.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        rounds.printed([{"figure": key, "value": value} for key, value in figures.items()])
    return 0


def loaded(database: Database, n: int) -> None:
    """Fill an empty catalog with `n` chunks by COPY, as fast as the server takes them."""
    corpus, texts = corpora.synthetic(n, 1), Texts().chunks(n)
    n_documents = int(corpus.documents.max()) + 1
    with database.begin() as conn:
        source = sources.put_source(conn, "hr", "files", {"folder": "/nowhere"}, title="HR")
        access = [acl_id(conn, {Principal(f"hr/group:{i}")}) for i in range(N_LISTS_OF_ACCESS)]
        driver = conn.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor:
            named = "COPY documents (id, source_id, external_id, version, version_no, title, lang, "
            named += "collection, access_id, content_sha256, n_chunks) FROM STDIN"
            with cursor.copy(named) as copy:
                for i in range(n_documents):
                    own = access[i % len(access)]
                    title, where = f"Document {i}", f"collection {i % 7}"
                    count = N_CHUNKS_A_DOCUMENT
                    copy.write_row(
                        (_name(i), source.id, str(i), "1", 1, title, LANG, where, own, "", count)
                    )
            with cursor.copy(f"COPY chunks ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
                types = "text int4 int4 text text text int4 int4 text bytea text"
                copy.set_types(types.split())
                for i, text in enumerate(texts):
                    document = int(corpus.documents[i])
                    halves = corpus.vectors[i].astype("<f2").tobytes()
                    placed = (_name(document), 1, i % N_CHUNKS_A_DOCUMENT, text, "paragraph", LANG)
                    copy.write_row((*placed, 0, len(text), "0" * 64, halves, MODEL))
        conn.execute(_ANALYSE)


def learn(database: Database, folder: Path) -> dict[str, float]:
    """Fill an index, learn its lists, store these, save a generation."""
    with _started(database, folder) as (kept, follower):
        figures = {"learn lists, s": _seconds(follower.index.fold)}
        figures["store lists, s"] = _seconds(kept.keep_lists, follower)
        figures["save a generation, s"] = _seconds(kept.save, follower)
    return figures


def dense(database: Database, folder: Path) -> dict[str, float]:
    """Bring rows, vectors and lists from the database, as a rebuild does."""
    with database.snapshot() as conn:
        server = psutil.Process(conn.scalar(_SERVER))
        begin, busy = perf_counter(), _busy(server)
        own = columns.columns(conn)
        rows = Rows.restored(own.arrays(), own.tables())
        arrived = perf_counter()
        grouping = lists.grouping(conn, MODEL, DIMENSION)
        rebuilt.filled(rows, DIMENSION, columns.vectors(conn, MODEL, DIMENSION), grouping)
        end = perf_counter()
        (own_s, server_s) = (now - then for now, then in zip(_busy(server), busy, strict=True))
    return {
        "rows, s": arrived - begin,
        "vectors with lists, s": end - arrived,
        "rows and vectors, s": end - begin,
        "rows and vectors, processor seconds": own_s,
        "rows and vectors, the server's processor seconds": server_s,
    }


def words(database: Database, folder: Path) -> dict[str, float]:
    """Index all words from the database."""
    with tempfile.TemporaryDirectory(dir=folder) as empty, database.snapshot() as conn:
        own = columns.columns(conn)
        rows = Rows.restored(own.arrays(), own.tables())
        begin, busy = perf_counter(), process_time()
        lexical = rebuilt.worded(rows, Path(empty), columns.texts(conn))
        figures = {
            "words, s": perf_counter() - begin,
            "words, processor seconds": process_time() - busy,
        }
        lexical.close()
    return figures


def start(database: Database, folder: Path) -> dict[str, float]:
    """Start without a saved generation, all from the database."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        begin = perf_counter()
        with _started(database, Path(name)) as (_, follower):
            _ask(follower)
            seconds = perf_counter() - begin
    return {"start from the database, s": seconds}


def warm(database: Database, folder: Path) -> dict[str, float]:
    """Start from the saved generation."""
    begin = perf_counter()
    with _started(database, folder) as (_, follower):
        _ask(follower)
        return {"start from a generation, s": perf_counter() - begin}


def repair_vectors(database: Database, folder: Path) -> dict[str, float]:
    """Start from the saved generation with its vectors damaged."""
    return {"start with damaged vectors, s": _repaired(database, folder, "base_halves.npy")}


def repair_words(database: Database, folder: Path) -> dict[str, float]:
    """Start from the saved generation with its words damaged."""
    return {"start with damaged words, s": _repaired(database, folder, "files/*.term")}


def add(database: Database, folder: Path) -> dict[str, float]:
    """Add documents of a hundred chunks, each committed, followed and found, then delete them."""
    rng = np.random.default_rng(1)
    texts = Texts(seed=9)
    names = ("commit", "follow", "search", "all", "all, of this process's processor")
    times: dict[str, list[float]] = {name: [] for name in names}
    with _started(database, folder) as (_, follower):
        _ask(follower)
        with database.begin() as conn:
            source = sources.put_source(conn, "hr", "files", {"folder": "/nowhere"}, title="HR")
            access = acl_id(conn, {Principal("hr/group:0")})
        for i in range(_N_TIMES):
            raw = rng.standard_normal((N_ADDED, DIMENSION)).astype(np.float32)
            made = [
                NewChunk(Chunk(text, (), "paragraph", LANG, 0, len(text), None, ()), vector, MODEL)
                for text, vector in zip(texts.chunks(N_ADDED), corpora.unit(raw), strict=True)
            ]
            new = NewDocument(source.id, f"new {i}", "1", "", access, Facts(f"New {i}", lang=LANG))
            begin, busy = perf_counter(), process_time()
            with database.begin() as conn:
                catalog.upsert_document(conn, new, made)
            committed = perf_counter()
            with database.reading() as conn:
                follower.refresh(conn)
            followed = perf_counter()
            hits = follower.index.search(_query(made[0]), 10)
            end = perf_counter()
            spent = (committed - begin, followed - committed, end - followed, end - begin)
            assert hits[0].dense is not None
            assert hits[0].dense > 0.99
            for name, seconds in zip(names, (*spent, process_time() - busy), strict=True):
                times[name].append(1000 * seconds)
    return {
        f"add {N_ADDED} durably: {name}, {quantile} ms": float(np.percentile(own, at))
        for name, own in times.items()
        for quantile, at in (("p50", 50), ("p95", 95))
    }


STAGES: dict[str, Stage] = {
    "learn": learn,
    "dense": dense,
    "words": words,
    "start": start,
    "warm": warm,
    "repair vectors": repair_vectors,
    "repair words": repair_words,
    "add": add,
}


def staged(stage: str, folder: Path) -> dict[str, float]:
    """Run a stage in this process, with the most memory that the process had."""
    with wiring.database(Settings(data_dir=folder)) as database:
        found = STAGES[stage](database, folder)
    found[f"memory at most ({stage}), MB"] = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    )
    return found


def _apart(stage: str, folder: Path) -> dict[str, float]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(staged, stage, folder).result()


@contextmanager
def _started(database: Database, folder: Path) -> Iterator[tuple[Generations, Follower]]:
    kept = Generations(database, folder / "index")
    follower = kept.start(MODEL, DIMENSION)
    try:
        yield kept, follower
    finally:
        kept.close(follower)


def _repaired(database: Database, folder: Path, pattern: str) -> float:
    """Return the seconds of a start with one byte of a file changed, and change it back."""
    snapshots = Snapshots(folder / "index")
    path = next((snapshots.folder / snapshots.roles().current).glob(pattern))
    _flip(path)
    try:
        begin = perf_counter()
        with _started(database, folder) as (_, follower):
            _ask(follower)
            return perf_counter() - begin
    finally:
        _flip(path)


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, io.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, io.SEEK_END)
        file.write(bytes([byte ^ 1]))


def _ask(follower: Follower) -> None:
    made = Chunk("a question", (), "paragraph", LANG, 0, 10, None, ())
    vector = np.full(DIMENSION, DIMENSION**-0.5, np.float32)
    follower.index.search(_query(NewChunk(made, vector, MODEL)), 10)


def _query(made: NewChunk) -> Query:
    access = AccessFilter(frozenset(range(1, N_LISTS_OF_ACCESS + 1)))
    return Query(made.chunk.text[:60], made.embedding.astype(np.float32), LANG, access)


def _busy(server: psutil.Process) -> tuple[float, float]:
    """Return the seconds that this process and the server's have had of processors."""
    times = server.cpu_times()
    return process_time(), times.user + times.system


def _seconds(action: Callable[..., object], *arguments: object) -> float:
    begin = perf_counter()
    action(*arguments)
    return perf_counter() - begin


def _name(i: int) -> str:
    return str(UUID(int=i))


if __name__ == "__main__":
    sys.exit(main())
