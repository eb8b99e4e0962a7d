"""The benchmark of rebuilds runs through, on a small catalog."""

from __future__ import annotations

from pathlib import Path

from assistant.store.database import Database
from benchmarks.rebuild import STAGES, loaded


def test_every_stage_is_measured(database: Database, tmp_path: Path) -> None:
    loaded(database, 1000)
    figures: dict[str, float] = {}
    for stage in STAGES.values():
        figures |= stage(database, tmp_path)
    assert len(figures) > 15
    assert all(value >= 0 for value in figures.values())
