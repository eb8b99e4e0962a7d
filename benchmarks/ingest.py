"""What a sync costs beyond embedding: the throughput of the pipeline ÷ that of the embedder.

    python -m benchmarks.ingest [--data DIR] [--json]

Each sample company is synced into a fresh database; then the passages that were embedded on the
way are embedded once more by themselves. `--data` is where the model's converted weights are kept
between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from assistant import wiring
from assistant.models import embedder
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.store import sources
from examples.generate import GENERATORS, build


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


def measured(folder: Path, model: Embedder) -> list[dict[str, Any]]:
    """Sync and embed each company; return what each took, in seconds."""
    build(folder / "companies")
    settings = Settings(data_dir=folder / "data")
    rows = []
    with wiring.database(settings) as database:
        for name in GENERATORS:
            recorder = Recorder(model)
            config: dict[str, JsonValue] = {"path": str(folder / "companies" / name)}
            with database.begin() as conn:
                source = sources.put_source(conn, name, "files", config, title=name)
            start = time.perf_counter()
            report = asyncio.run(wiring.sync_run(settings, database, recorder, source).run())
            synced = time.perf_counter()
            model.embed_documents(recorder.texts)
            ended = time.perf_counter()
            rows.append(
                {
                    "company": name,
                    "documents": report.counts.added,
                    "passages": len(recorder.texts),
                    "stages": dict(report.seconds),
                    "sync": synced - start,
                    "embedder": ended - synced,
                }
            )
    return rows


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = embedder.load(embedder.BUNDLED, chosen.data or Path(folder) / "model")
        rows = measured(Path(folder), model)
    ratio = sum(row["embedder"] for row in rows) / sum(row["sync"] for row in rows)
    if chosen.json:
        print(json.dumps({"companies": rows, "ratio": ratio}))
        return 0
    for row in rows:
        stages = "  ".join(f"{name} {s:.1f}" for name, s in row["stages"].items())
        print(
            f"{row['company']:<24} {row['documents']:>3} documents {row['passages']:>5} passages  "
            f"sync {row['sync']:6.1f} s ({stages})  embedder alone {row['embedder']:6.1f} s"
        )
    print(f"The pipeline reaches {ratio:.0%} of the embedder's throughput.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
