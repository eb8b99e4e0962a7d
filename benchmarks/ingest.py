"""What a sync costs beyond embedding: the throughput of the pipeline ÷ that of the embedder.

    python -m benchmarks.ingest [--documents 120] [--rounds 2] [--data DIR] [--json]

Two corpora are synced into fresh databases: the four sample companies, each a source of about 28
short files, and one folder of documents as long as real ones. After each sync the passages that
were embedded on the way are embedded once more by themselves, in one call. CPU seconds are those
of this process and of its readers, without the database server. `--data` is where the model's
converted weights are kept between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from pydantic import JsonValue

from assistant import wiring
from assistant.models import embedder
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.store import sources
from assistant.store.database import Database
from benchmarks import folders
from benchmarks.rounds import Plain
from examples.generate import GENERATORS, build

WARM_UP = ["The pump is inspected every 90 days.", "A bomba é inspecionada a cada 90 dias."]


@dataclass
class Recorder:
    """An embedder that remembers what it embedded."""

    inner: Embedder
    texts: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.inner.name

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return self.inner.dimension

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages."""
        self.texts += texts
        return self.inner.embed_documents(texts)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions."""
        return self.inner.embed_queries(texts)


@dataclass
class Cost:
    """Seconds of the clock and of the processors."""

    wall: float = 0.0
    cpu: float = 0.0

    def measure(self, work: Callable[[], object]) -> None:
        """Do something and add what it took."""
        wall, cpu = time.perf_counter(), _cpu()
        work()
        self.wall += time.perf_counter() - wall
        self.cpu += _cpu() - cpu


@dataclass
class Row:
    """What all syncs of one corpus took, and the embedder alone for the same passages."""

    corpus: str
    documents: int = 0
    passages: int = 0
    stages: dict[str, float] = field(default_factory=dict)
    sync: Cost = field(default_factory=Cost)
    embedder: Cost = field(default_factory=Cost)

    @property
    def ratio(self) -> float:
        """Return the share of the embedder's throughput that the pipeline reached."""
        return self.embedder.wall / self.sync.wall

    @property
    def cpu_ratio(self) -> float:
        """Return the share of CPU time that went into embedding."""
        return self.embedder.cpu / self.sync.cpu


def _cpu() -> float:
    spent = psutil.Process().cpu_times()
    return float(spent.user + spent.system + spent.children_user + spent.children_system)


def measure(row: Row, settings: Settings, opened: Database, model: Embedder, folder: Path) -> None:
    """Sync a folder that the database doesn't know, embed its passages alone; add to the row."""
    recorder = Recorder(model)
    config: dict[str, JsonValue] = {"path": str(folder)}
    with opened.begin() as conn:
        source = sources.put_source(conn, folder.name, "files", config, title=folder.name)
    run = wiring.sync_run(settings, opened, recorder, source)

    def sync() -> None:
        report = asyncio.run(run.run())
        row.documents += report.counts.added
        for stage, seconds in report.seconds.items():
            row.stages[stage] = row.stages.get(stage, 0.0) + seconds

    row.sync.measure(sync)
    row.passages += len(recorder.texts)
    row.embedder.measure(lambda: model.embed_documents(recorder.texts))


def measured(folder: Path, model: Embedder, n_documents: int, n_rounds: int) -> list[Row]:
    """Measure both corpora in turn, `n_rounds` times."""
    build(folder / "companies")
    folders.write(folder / "made", n_documents)
    companies, made = Row("sample companies"), Row(f"{n_documents} longer documents")
    model.embed_documents(WARM_UP * 8)
    for number in range(n_rounds):
        settings = Settings(data_dir=folder / f"data-{number}")
        with wiring.database(settings) as opened:
            for name in GENERATORS:
                measure(companies, settings, opened, model, folder / "companies" / name)
            measure(made, settings, opened, model, folder / "made")
    return [companies, made]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Plain)
    parser.add_argument("--documents", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = embedder.load(embedder.BUNDLED, chosen.data or Path(folder) / "model")
        rows = measured(Path(folder), model, chosen.documents, chosen.rounds)
    if chosen.json:
        found = [{**asdict(r), "ratio": r.ratio, "cpu_ratio": r.cpu_ratio} for r in rows]
        print(json.dumps({"corpora": found}))
        return 0
    for row in rows:
        stages = ", ".join(f"{name} {s:.1f}" for name, s in row.stages.items())
        print(
            f"{row.corpus}: {row.documents} documents, {row.passages} passages\n"
            f"  sync           {row.sync.wall:7.1f} s, {row.sync.cpu:7.1f} s CPU ({stages})\n"
            f"  embedder alone {row.embedder.wall:7.1f} s, {row.embedder.cpu:7.1f} s CPU\n"
            f"  {row.ratio:.0%} of the embedder's throughput; "
            f"{row.cpu_ratio:.0%} of CPU time is embedding"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
