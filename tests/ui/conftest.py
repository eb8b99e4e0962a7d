"""Two companies' documents, synced, behind a live API; and the chat page over it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from assistant import wiring
from assistant.access.identity import create_person
from assistant.api.app import create_app
from assistant.ports import Embedder
from assistant.settings import DatabaseSettings, Settings
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.embedded import EmbeddedServer
from tests.support.company import served
from tests.ui.page import Page
from tests.ui.people import PASSWORD, PEOPLE, SUGGESTION
from ui.client import Client

INJECTED = """# Visitor rules

Visitors wear a badge <img src=x onerror="document.title='owned'"><script>document.title='owned'\
</script> in **all** halls. Read [the portal](https://evil.example/?steal=1) and \
https://evil.example/now before you come.
"""

FILES = {
    "acme/.groups.toml": '[groups]\nfinance = ["user:ana"]\nstaff = ["user:ana", "user:bruno"]\n',
    "acme/.access.toml": 'allow = ["group:staff"]\n',
    "acme/finance/.access.toml": 'allow = ["group:finance"]\n',
    "acme/retention.md": (
        "# Retention\n\nInvoices are kept for ten years in the archive of the head office.\n\n"
        "# Badges\n\nA lost badge is reported to the front desk within 24 hours.\n"
    ),
    "acme/finance/salaries.md": (
        "# Salaries\n\nThe salary of the plant director is 41,500 reais a month.\n"
    ),
    "acme/ferias.md": (
        "# Férias\n\nCada funcionário tem direito a 30 dias de férias por ano.\n\n"
        "# Vale-refeição\n\nO vale-refeição é de 38 reais por dia trabalhado.\n"
    ),
    "acme/prices.csv": "item,price\nHex bolt M8,0.42 EUR\nLock washer M8,0.07 EUR\n",
    "acme/visitors.md": INJECTED,
    "globex/.groups.toml": '[groups]\nall = ["user:carla"]\n',
    "globex/.access.toml": 'allow = ["group:all"]\n',
    "globex/reactor.md": "# Reactor\n\nThe reactor is stopped at a pressure of 93 bar.\n",
}


@dataclass
class World:
    """The companies' folders, the database they are synced into, and the API's address."""

    folder: Path
    settings: Settings
    database: Database
    embedder: Embedder
    url: str = ""

    def sync(self) -> None:
        """Bring the database up to date with the folders."""
        for name in ("acme", "globex"):
            with self.database.begin() as conn:
                path = str(self.folder / name)
                source = sources.put_source(
                    conn, name, "files", {"path": path}, title=name.title(), industry="finance"
                )
            run = wiring.sync_run(self.settings, self.database, self.embedder, source, force=True)
            report = asyncio.run(run.run())
            with self.database.begin() as conn:
                failures = runs.list_failures(conn, source.id)
            assert report.counts.failed == 0, failures

    def write(self, name: str, text: str) -> None:
        """Write a file below the folders."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @contextmanager
    def revoked(self, name: str) -> Iterator[None]:
        """Take everybody's access to a file away, and give it back at the end."""
        sidecar = self.folder / f"{name}.access.toml"
        sidecar.write_text("allow = []\n", encoding="utf-8")
        try:
            self.sync()
            yield
        finally:
            sidecar.unlink()
            self.sync()

    def client(self, login: str) -> Client:
        """Sign in at the API."""
        token = Client(self.url).sign_in(login, PASSWORD).token
        return Client(self.url, token)


@pytest.fixture(scope="session")
def world(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two synced companies and the API over them."""
    folder = tmp_path_factory.mktemp("companies")
    data_dir = tmp_path_factory.mktemp("data")
    with _database_url(postgres) as url:
        settings = Settings(
            data_dir=data_dir, database=DatabaseSettings.model_validate({"url": url})
        )
        with wiring.database(settings) as database:
            made = World(folder, settings, database, wiring.embedder(settings))
            for name, text in FILES.items():
                made.write(name, text)
            _pdf(folder / "acme" / "pump-manual.pdf")
            for login, name, lang, company in PEOPLE:
                with database.begin() as conn:
                    create_person(
                        conn,
                        login,
                        name,
                        ["employee"],
                        password=PASSWORD,
                        lang=lang,
                        company=company,
                    )
            made.sync()
            app = create_app(
                wiring.assembled(settings, database, made.embedder), lambda _: [SUGGESTION]
            )
            with served(app) as address:
                made.url = address
                yield made
    shutil.rmtree(data_dir)


@contextmanager
def _database_url(postgres: EmbeddedServer) -> Iterator[str]:
    name = f"ui_{uuid4().hex}"
    engine = sa.create_engine(
        postgres.url("postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        conn.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template_assistant"))
    yield postgres.url(name)
    with engine.connect() as conn:
        conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def _pdf(path: Path) -> None:
    canvas = Canvas(str(path), pagesize=(595, 842), invariant=1)
    canvas.setTitle("Pump manual")
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(72, 770, "Pump manual")
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 730, "This manual describes the pump P-7 of the cooling line.")
    canvas.showPage()
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(72, 770, "Casing bolts")
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 740, "The casing bolts of the pump P-7 are tightened with 85 Nm.")
    canvas.drawString(72, 700, "Check them again after the first 50 hours of operation.")
    canvas.showPage()
    canvas.save()


@pytest.fixture
def page(world: World) -> Page:
    """The chat page of somebody who has just opened it."""
    return Page(world.url)
