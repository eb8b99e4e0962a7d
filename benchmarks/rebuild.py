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
from time import perf_counter
from typing import Any

import numpy as np
import psycopg

from assistant import wiring
from assistant.domain import Chunk, Principal
from assistant.retrieval.follower import Follower
from assistant.retrieval.generations import Generations
from assistant.settings import Settings
from assistant.store import catalog, columns, lists, sources
from assistant.store.acls import acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from benchmarks import corpora, rounds
from benchmarks.corpora import DIMENSION, N_CHUNKS_A_DOCUMENT
from benchmarks.texts import Texts
from indexes import rebuilt
from indexes.model import AccessFilter, Query
from indexes.rows import Rows

MODEL, LANG = "synthetic@1", "en"
N_LISTS_OF_ACCESS = 100
N_ADDED = 100
_N_TIMES = 30
_COLUMNS = "document_id, version_no, ord, text, kind, lang, start, \"end\", sha256, embedding, embedder"


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
            figures |= _loaded(database, chosen.n)
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
                    place = i % N_CHUNKS_A_DOCUMENT
                    copy.write_row(
                        (_name(document), 1, place, text, "paragraph", LANG, 0, len(text))
                        + ("0" * 64, halves, MODEL)
                    )
