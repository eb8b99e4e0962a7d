"""How soon a committed revocation or deletion is seen by another process, and whether always.

    python -m benchmarks.revocation [--operations N] [--documents N] [--json]

One process changes documents of a catalog at random: who may read them, new versions, deletions.
After each commit it asks another one, which holds the index, for all that a random reader may
see, and compares the answer with what it knows itself. The time runs from the commit to the end
of that search, so it has the searcher's look into the change feed in it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from assistant import wiring
from assistant.domain import Chunk, Principal
from assistant.retrieval.follower import Follower
from assistant.settings import Settings
from assistant.store import catalog, passages, sources
from assistant.store.acls import acl_id, plainly_allowing
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from indexes.hybrid import HybridIndex
from indexes.model import AccessFilter, Query

DIMENSION, MODEL = 384, "random@1"
GROUPS = [f"hr/group:{n}" for n in range(12)]
KINDS = ("allow", "allow", "allow", "delete", "write")
QUANTILES = ("p50", "p95", "p99")


@dataclass
class World:
    """The catalog, changed at random, and what each document should look like."""

    database: Database
    rng: random.Random
    vectors: np.random.Generator
    source_id: int = 0
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    chunks: dict[str, frozenset[int]] = field(default_factory=dict)

    def write(self, name: str) -> None:
        """Add a document, or a new version of it."""
        allowed = frozenset(self.rng.sample(GROUPS, 2))
        raw = self.vectors.standard_normal((self.rng.randrange(1, 5), DIMENSION))
        chunks = [
            NewChunk(
                Chunk(f"{name} part {n}", (), "paragraph", "en", n, n + 1, None, ()),
                vector / np.linalg.norm(vector),
                MODEL,
            )
            for n, vector in enumerate(raw)
        ]
        version = str(self.rng.random())
        with self.database.begin() as conn:
            access = acl_id(conn, {Principal(group) for group in allowed})
            facts = Facts(title=name, lang="en", collection="all")
            new = NewDocument(self.source_id, name, version, version, access, facts)
            document_id = catalog.upsert_document(conn, new, chunks)
            rows = passages.document_chunks(conn, document_id)
        self.chunks[name] = frozenset(row.chunk_id for row in rows)
        self.groups[name] = allowed

    def allow(self, name: str) -> None:
        """Let other groups read a document."""
        allowed = frozenset(self.rng.sample(GROUPS, 2))
        with self.database.begin() as conn:
            access = acl_id(conn, {Principal(group) for group in allowed})
            catalog.set_document_access(conn, self.source_id, name, access)
        self.groups[name] = allowed

    def delete(self, name: str) -> None:
        """Delete a document."""
        with self.database.begin() as conn:
            catalog.delete_document(conn, self.source_id, name)
        del self.groups[name]

    def visible(self, reader: str) -> list[int]:
        """Return the ids of the chunks that a member of one group may read, ascending."""
        readable = [self.chunks[name] for name, groups in self.groups.items() if reader in groups]
        return sorted(chain.from_iterable(readable))


def changed(world: World, n_documents: int) -> str:
    """Change one document at random; return what was done."""
    name = f"document-{world.rng.randrange(n_documents)}"
    kind = world.rng.choice(KINDS)
    if name not in world.groups or kind == "write":
        world.write(name)
        return "write"
    if kind == "allow":
        world.allow(name)
    else:
        world.delete(name)
    return kind


def run(folder: Path, n_operations: int, n_documents: int) -> dict[str, Any]:
    """Change and ask; return the counts and the times in milliseconds."""
    settings = Settings(data_dir=folder)
    rng = random.Random(7)
    with wiring.database(settings) as database:
        world = World(database, rng, np.random.default_rng(7))
        with database.begin() as conn:
            source = sources.put_source(conn, "hr", "files", {"folder": "/nowhere"}, title="HR")
        world.source_id = source.id
        for n in range(n_documents):
            world.write(f"document-{n}")
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        n_different = 0
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.revocation", "--searcher", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as searcher:
            assert searcher.stdin is not None
            assert searcher.stdout is not None
            searcher.stdout.readline()
            for _ in range(n_operations):
                kind = changed(world, n_documents)
                committed = time.monotonic_ns()
                reader = rng.choice(GROUPS)
                print(reader, file=searcher.stdin, flush=True)
                answer = json.loads(searcher.stdout.readline())
                times[kind].append((answer["ended"] - committed) / 1e6)
                n_different += sorted(answer["chunks"]) != world.visible(reader)
    return {
        "operations": n_operations,
        "documents": n_documents,
        "differences": n_different,
        "ms": {
            kind: dict(zip(QUANTILES, np.percentile(own, (50, 95, 99)).tolist(), strict=True))
            for kind, own in times.items()
        },
    }


def answers(follower: Follower, database: Database, readers: Iterator[str]) -> Iterator[str]:
    """Answer what each reader may see now, as JSON."""
    vector = np.eye(DIMENSION, dtype=np.float32)[0]
    for reader in readers:
        with database.reading() as conn:
            follower.refresh(conn)
            found = plainly_allowing(conn, {Principal(reader.strip())})
        access = AccessFilter(found)
        hits = follower.index.search_dense(Query("", vector, "en", access), 1_000_000)
        ended = time.monotonic_ns()
        yield json.dumps({"ended": ended, "chunks": [hit.chunk_id for hit in hits]})


def search(folder: Path) -> None:
    """Be the process that searches: a line names a reader, the answer is a line too."""
    settings = Settings(data_dir=folder)
    with wiring.database(settings) as database, tempfile.TemporaryDirectory() as words:
        follower = Follower(HybridIndex(DIMENSION, Path(words)), MODEL)
        with database.begin() as conn:
            follower.refresh(conn)
        print("ready", flush=True)
        for answer in answers(follower, database, iter(sys.stdin)):
            print(answer, flush=True)
        follower.index.close()


def table(found: dict[str, Any]) -> str:
    """Return the figures for reading."""
    lines = [
        f"{found['operations']} changes of {found['documents']} documents, "
        f"{found['differences']} differences. From the commit to the end of the next search:",
    ]
    for kind, own in found["ms"].items():
        lines.append(f"{kind:>7} " + "  ".join(f"{q} {ms:6.1f} ms" for q, ms in own.items()))
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark, or its second process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--searcher", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.searcher is not None:
        search(chosen.searcher)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), chosen.operations, chosen.documents)
    print(json.dumps(found) if chosen.json else table(found))
    return int(found["differences"] > 0)


if __name__ == "__main__":
    sys.exit(main())
