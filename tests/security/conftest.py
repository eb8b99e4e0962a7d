"""The company of the API's tests behind a live server, and attacks on a company of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.cli.attacks import Writer, attacked
from assistant.evaluation.attacks.run import Outcome
from assistant.settings import Settings
from assistant.store.database import Database
from tests.integration.api.conftest import assistant, company, generator, sign_in, url
from tests.support.hashing import HashingEmbedder

__all__ = ["assistant", "attack", "company", "generator", "sign_in", "url"]

Attack = Callable[..., Outcome]


@pytest.fixture
def attack(database: Database, tmp_path: Path) -> Attack:
    """Runs the attacks of a folder."""

    def attack(folder: Path, writer: Writer = "obedient") -> Outcome:
        root = tmp_path / "root"
        settings = Settings(data_dir=root / "data")
        settings.data_dir.mkdir(parents=True)
        return attacked(settings, database, HashingEmbedder(), folder, writer, root)

    return attack
