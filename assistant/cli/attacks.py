"""Attacking the whole assistant, in a database and a folder of its own that are thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from fastapi import FastAPI

from assistant import wiring
from assistant.api.app import create_app
from assistant.cli.models import embedder_progress
from assistant.evaluation.attacks import run
from assistant.evaluation.attacks.company import Company
from assistant.evaluation.attacks.obedient import Obedient
from assistant.evaluation.attacks.remembered import Remembered
from assistant.models.quotes import Quotes
from assistant.ports import Embedder, Generator
from assistant.settings import DatabaseSettings, Settings
from assistant.store.database import Database

Writer = Literal["obedient", "quotes"]


def attack(settings: Settings, folders: list[Path], writer: Writer) -> dict[str, run.Outcome]:
    """Run the attacks of folders and return what happened, by the folder's name."""
    model = Remembered(wiring.embedder(settings, embedder_progress()))
    found = {}
    for folder in folders:
        with tempfile.TemporaryDirectory(prefix="assistant-attacks-") as place:
            root = Path(place)
            own = DatabaseSettings(url=None)
            private = settings.model_copy(update={"data_dir": root / "data", "database": own})
            with wiring.database(private) as opened:
                found[str(folder)] = attacked(private, opened, model, folder, writer, root)
    return found


def attacked(
    settings: Settings,
    opened: Database,
    model: Embedder,
    folder: Path,
    writer: Writer,
    root: Path,
) -> run.Outcome:
    """Run the attacks of one folder in an empty database."""

    @contextmanager
    def serve(generator: Generator) -> Iterator[FastAPI]:
        made = wiring.assembled(settings, opened, model, generator)
        try:
            yield create_app(made)
        finally:
            made.retriever.close()

    generator: Generator = Obedient() if writer == "obedient" else Quotes(model)
    audit = wiring.audit_log(settings, opened)
    company = Company(settings, opened, model, audit, serve, root)
    return run.run(folder, company, generator)
