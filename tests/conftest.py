"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
import sqlalchemy as sa

from assistant.models import embedder, weights
from assistant.models.embedder import SentenceEmbedder
from assistant.settings import DatabaseSettings, Settings
from assistant.store.database import Database, open_database
from assistant.store.embedded import EmbeddedServer

ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# A slow machine is no failure: no deadline for single examples.
hypothesis.settings.register_profile("patient", deadline=None)
# Asked for by --hypothesis-profile=thorough.
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=300)
# Asked for by `make test-nightly`.
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run renew the pictures of the documentation."""
    parser.addoption("--update-screenshots", action="store_true", help="write docs/images")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real development data beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"not run: there is no development data at {folder}")
    return folder


@pytest.fixture(scope="session")
def model_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the bundled embedding model is converted once for all tests."""
    folder = tmp_path_factory.mktemp("model")
    weights.bundled(folder)
    return folder


@pytest.fixture(scope="session")
def bundled(model_data_dir: Path) -> SentenceEmbedder:
    """The bundled embedding model."""
    return embedder.load("bundled", model_data_dir, device="cpu", precision="float32")


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """One embedded PostgreSQL for the whole run, with a migrated database as a template."""
    folder = Path(tempfile.mkdtemp(prefix="assistant-tests-"))
    server = EmbeddedServer(folder)
    try:
        # Tests need no durability; the product keeps it on.
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
            _admin(server, statement)
        _admin(server, "CREATE DATABASE template_assistant")
        template = _open(server, "template_assistant", folder)
        template.migrate()
        template.close()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres: EmbeddedServer) -> Iterator[str]:
    """The URL of a database of its own for a test, already migrated."""
    name = f"test_{uuid4().hex}"
    _admin(postgres, f"CREATE DATABASE {name} TEMPLATE template_assistant")
    yield postgres.url(name)
    _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(postgres_url: str, tmp_path: Path) -> Iterator[Database]:
    """An open, migrated, empty database."""
    opened = open_database(settings_for(postgres_url, tmp_path))
    yield opened
    opened.close()


def settings_for(url: str, data_dir: Path) -> Settings:
    """Settings with a database and a data folder."""
    return Settings(data_dir=data_dir, database=DatabaseSettings.model_validate({"url": url}))


def _open(server: EmbeddedServer, name: str, folder: Path) -> Database:
    return open_database(settings_for(server.url(name), folder))


def _admin(server: EmbeddedServer, statement: str) -> None:
    engine = sa.create_engine(
        server.url("postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        conn.execute(sa.text(statement))
