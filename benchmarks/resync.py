"""What a second look at a large source costs: nothing changed, then only who may read.

    python -m benchmarks.resync [--items 100000] [--json]

A folder of small files whose documents are in the catalog is synced: unchanged; and with other
readers for a tenth of its files. Each sync is a process of its own, whose memory at its highest
is taken. What it fetches, reads and embeds is counted. The catalog is filled directly, as a first
sync would have; `benchmarks.ingest` measures that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psutil
import sqlalchemy as sa
from numpy.typing import NDArray

from assistant import wiring
from assistant.access.principals import qualify
from assistant.audit.log import AuditLog
from assistant.ingest.body import facts
from assistant.ingest.duplicates import settle
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import Settings
from assistant.store import acls, curations, sources, tables
from assistant.store.curations import Curation
from assistant.store.database import Database
from assistant.store.sources import Source
from benchmarks.rounds import Plain
from connectors.contract import Complete, Item
from connectors.files import Files, FilesConfig

FILES_PER_FOLDER = 1000
PER_INSERT = 1000


@dataclass
class Work:
    """What a sync did besides looking: bodies fetched, files read, passages embedded."""

    fetched: int = 0
    read: int = 0
    embedded: int = 0


@dataclass
class Cost:
    """What a sync found and took; `memory` in bytes at its highest, `cpu` without the database."""

    name: str
    counts: dict[str, int]
    work: Work
    seconds: float
    cpu: float
    memory: int


class CountingReads(Silent):
    """Counts the files that are read, or could not be."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def read(self, item_id: str, cause: str | None) -> None:
        """Count."""
        self._work.read += 1


class CountingFiles(Files):
    """A folder that counts what is fetched from it."""

    work: Work

    def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Count, and fetch."""
        self.work.fetched += 1
        return super().fetch(item)


class Words:
    """An embedder that costs next to nothing, and counts."""

    name = "counted-words@1"
    dimension = 32

    def __init__(self, work: Work) -> None:
        self._work = work

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the lengths of the first words, as unit vectors."""
        self._work.embedded += len(texts)
        vectors = np.ones((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            lengths = [len(word) for word in text.split()[: self.dimension]]
            row[: len(lengths)] += lengths
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions as documents are."""
        return self.embed_documents(texts)


def write(folder: Path, n: int) -> None:
    """Write `n` notes of two lines, a thousand a folder, each folder with its readers."""
    for number in range(n):
        place = folder / f"{number // FILES_PER_FOLDER:04}"
        if number % FILES_PER_FOLDER == 0:
            place.mkdir(parents=True)
            (place / ".access.toml").write_text(f'allow = ["group:g{number % 7}"]\n')
        (place / f"note-{number:06}.md").write_text(
            f"# Note {number}\n\nLine {number} costs {number * 7 % 1000} reais.\n"
        )


def revoke(folder: Path) -> None:
    """Give every tenth folder other readers."""
    for place in sorted(folder.iterdir())[::10]:
        (place / ".access.toml").write_text('allow = ["user:ana"]\n')


def fill(opened: Database, notes: Path) -> None:
    """Store what a first sync of the folder would have: one passage for each file."""
    with opened.begin() as conn:
        source = sources.put_source(conn, "notes", "files", {})
    connector = Files(FilesConfig(path=notes))
    vector = Words(Work()).embed_documents(["Note"])[0].astype("<f2").tobytes()

    async def story() -> None:
        items: list[Item] = []
        async for event in connector.changes(None):
            items += [event] if isinstance(event, Item) else []
            if len(items) >= PER_INSERT or isinstance(event, Complete):
                _insert(opened, source, items, vector)
                items.clear()

    asyncio.run(story())


def _insert(opened: Database, source: Source, items: Sequence[Item], vector: bytes) -> None:
    rows, texts = [], []
    with opened.begin() as conn:
        for item in items:
            allow = [qualify(source.name, name) for name in item.access.allow]
            known = facts(item, source, title=item.id, lang="en", media_type="text/markdown")
            row: dict[str, Any] = {**asdict(known), "superseded_by_external": None}
            row |= {"id": str(uuid4()), "source_id": source.id, "external_id": item.id}
            row |= {"version": item.version, "version_no": 1, "content_sha256": item.version}
            row |= {"access_id": acls.acl_id(conn, allow), "n_chunks": 1}
            row.pop("superseded_by")
            rows.append(row)
            text = {"document_id": row["id"], "version_no": 1, "ord": 0, "text": item.id}
            text |= {"start": 0, "end": 1, "sha256": item.version}
            texts.append({**text, "embedding": vector, "embedder": Words.name})
        if rows:
            conn.execute(sa.insert(tables.documents), rows)
            conn.execute(sa.insert(tables.chunks), texts)
            found = {item.id: _curation(item) for item in items}
            curations.put(conn, source.id, found)
    settle(opened)


def _curation(item: Item) -> Curation:
    """Return what is kept of a note without anything special in it."""
    return Curation("keep", item.version, b"", "", (), (), (), (), {})


def sync(name: str, data: Path, notes: Path) -> Cost:
    """Sync the folder once in this process."""
    settings, work = Settings(data_dir=data), Work()
    connector = CountingFiles(FilesConfig(path=notes))
    connector.work = work
    with wiring.database(settings) as opened:
        with opened.begin() as conn:
            source = sources.source_named(conn, "notes")
        run = SyncRun(
            source,
            connector,
            database=opened,
            embedder=Words(work),
            audit=AuditLog(opened, data),
            settings=settings.sync,
            progress=CountingReads(work),
        )
        started, cpu = time.perf_counter(), psutil.Process().cpu_times()
        report = asyncio.run(run.run())
        spent = psutil.Process().cpu_times()
        seconds = time.perf_counter() - started
    return Cost(
        name,
        report.counts.as_dict(),
        work,
        seconds,
        spent.user + spent.system - cpu.user - cpu.system,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def measured(folder: Path, n: int) -> list[Cost]:
    """Sync a folder of `n` files that the catalog knows, each time in a process of its own."""
    notes, data = folder / "notes", folder / "data"
    write(notes, n)
    with wiring.database(Settings(data_dir=data)) as opened:
        fill(opened, notes)
        costs = [_in_child("unchanged", data, notes)]
        revoke(notes)
        return [*costs, _in_child("other readers for a tenth", data, notes)]


def _in_child(name: str, data: Path, notes: Path) -> Cost:
    command = [sys.executable, "-m", "benchmarks.resync", "--sync", name, str(data), str(notes)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    return Cost(**{**found, "work": Work(**found["work"])})


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Plain)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sync", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.sync:
        name, data, notes = chosen.sync
        print(json.dumps(asdict(sync(name, Path(data), Path(notes)))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        costs = measured(Path(folder), chosen.items)
    if chosen.json:
        print(json.dumps({"syncs": [asdict(cost) for cost in costs]}))
        return 0
    for cost in costs:
        did = {**cost.counts, **asdict(cost.work)}
        print(
            f"{cost.name}: {cost.seconds:.1f} s, {cost.cpu:.1f} s CPU, "
            f"{cost.memory / 1e6:,.0f} MB at most\n  "
            + ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in did.items() if n)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
