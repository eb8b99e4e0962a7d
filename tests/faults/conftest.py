"""A small company and the place it is backed up from, and empty places to restore into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from assistant.lifecycle import sealed
from assistant.models.embedder import SentenceEmbedder
from assistant.store.database import Database, open_database
from assistant.store.embedded import EmbeddedServer
from tests.conftest import _admin, settings_for
from tests.support.company import Company
from tests.support.place import Place


@pytest.fixture
def empty(
    postgres: EmbeddedServer, bundled: SentenceEmbedder, tmp_path: Path
) -> Iterator[Callable[[], Place]]:
    """Makes empty databases with folders of their own."""
    made: list[tuple[str, Place]] = []

    def make() -> Place:
        name = f"empty_{uuid4().hex}"
        _admin(postgres, f"CREATE DATABASE {name}")
        folder = tmp_path / name
        place = Place(open_database(settings_for(postgres.url(name), folder)), folder, bundled)
        made.append((name, place))
        return place

    yield make
    for name, place in made:
        place.database.close()
        _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def company(database: Database, bundled: SentenceEmbedder) -> Company:
    company = Company(database, bundled)
    company.person("ana", "finance", password="correct horse battery")
    company.document("report", "The net income of 2025 was 41 million.", "It rose by a tenth.")
    company.document("secret", "The net income of 2026 is a secret.", allow=["group:board"])
    return company


@pytest.fixture
def origin(company: Company, tmp_path: Path) -> Place:
    place = Place(company.database, tmp_path / "origin", company.embedder)
    sealed.make_identity(tmp_path / "identity", place.folder)
    return place
