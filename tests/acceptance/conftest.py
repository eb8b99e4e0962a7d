"""The sample companies, built and synced once for all acceptance tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assistant import wiring
from assistant.cli import demonstration, sync
from assistant.settings import load


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory, model_data_dir: Path) -> Path:
    """A data folder that holds what `assistant demo` prepares."""
    settings = load(data_dir=tmp_path_factory.mktemp("demo") / "data")
    settings.data_dir.mkdir()
    (settings.data_dir / "models").symlink_to(model_data_dir / "models")
    with wiring.database(settings) as database:
        demonstration.prepare(settings, database)
        reports = sync.run_all(settings, database, wiring.embedder(settings))
    assert sum(report.counts.added for report in reports) >= 80
    assert all(report.counts.failed == 0 for report in reports)
    return settings.data_dir


def assistant(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    command = [sys.executable, "-m", "assistant.cli.main", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
