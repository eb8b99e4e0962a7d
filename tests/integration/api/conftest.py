"""A company behind a live API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from assistant.api.app import create_app
from assistant.settings import Settings
from assistant.store.database import Database
from assistant.wiring import Assistant
from tests.support.company import Company, assembled, served, signed_in
from tests.support.scripted import ScriptedGenerator

SignIn = Callable[[str], httpx.Client]


@pytest.fixture
def company(database: Database) -> Company:
    """A company with two departments, a person in each, and documents for each and for all."""
    company = Company(database)
    company.person("ana", "finance")
    company.person("bruno", "sales", lang="pt")
    company.document(
        "annual-report",
        "The net income of 2025 was 41 million reais.",
        "The bank has 187 branches in nine states.",
        allow=["group:finance"],
    )
    company.document(
        "sales-targets",
        "The sales target of the north region is 12 million reais.",
        allow=["group:sales"],
    )
    company.document("canteen", "The canteen opens at noon and closes at three.")
    return company


@pytest.fixture
def generator() -> ScriptedGenerator:
    """A generator that quotes every passage, unless a test gives it another script."""
    return ScriptedGenerator()


@pytest.fixture
def assistant(company: Company, generator: ScriptedGenerator, tmp_path: Path) -> Assistant:
    """The assembled assistant over the company."""
    return assembled(Settings(data_dir=tmp_path), company.database, generator)


@pytest.fixture
def url(assistant: Assistant) -> Iterator[str]:
    """The address of a live server."""
    app = create_app(assistant, lambda person: [f"What is new, {person.name}?"])
    with served(app) as address:
        yield address


@pytest.fixture
def sign_in(url: str, database: Database) -> Iterator[SignIn]:
    """Begins a session of a person and returns their client."""
    with ExitStack() as stack:
        yield lambda login: stack.enter_context(closing(signed_in(url, database, login)))
