"""Loaders of an installed package: what is allowed to run, what is listed, what gets searched."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from pydantic import JsonValue, SecretStr, ValidationError

from assistant import wiring
from assistant.audit.log import AuditLog
from assistant.ingest import connections
from assistant.ingest.connections import Draft
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import Settings, SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from assistant.vault import vault
from connectors.conformance import Conformance, listing
from connectors.contract import Complete, Connector, ConnectorError, Item
from connectors.following import Ability, Following
from connectors.langchain import LangChain, LangChainConfig
from tests.support.hashing import HashingEmbedder

LOADERS = """
from pathlib import Path
from langchain_core.document_loaders import BaseLoader, LangSmithLoader
from langchain_core.documents import Document


class Paragraphs(BaseLoader):
    def __init__(self, folder, token=""):
        self.folder, self.token = Path(folder), token

    def lazy_load(self):
        if self.token == "s3cret-wrong":
            raise PermissionError(f"the token {self.token} was refused")
        for path in sorted(self.folder.iterdir()):
            for text in path.read_text().split("\\n\\n"):
                meta = {"source": path.name, "title": path.stem, "odd": object(), "pages": 3}
                yield Document(page_content=text, metadata=meta)


class Numbers(BaseLoader):
    def __init__(self, n):
        self.n = n

    def lazy_load(self):
        for i in range(self.n):
            yield Document(page_content=f"number {i % (self.n - 1)}")


def not_a_loader(**_):
    raise AssertionError("called")
"""

OUTSIDE = """
raise AssertionError("imported")
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that allows one module of its own."""
    site = tmp_path / "site"
    info = site / "acme_loaders-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_loaders.py").write_text(LOADERS)
    (site / "acme_loaders_too.py").write_text(OUTSIDE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-loaders\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[assistant.langchain]\nacme = acme_loaders\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "acme_loaders", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "texts"
    root.mkdir()
    (root / "Über uns.txt").write_text("We make pumps.\n\nSince 1950.")
    (root / ("long" * 50)).write_text("A long name.")
    (root / "empty.txt").write_text("")
    return root


def langchain(loader: str = "acme_loaders.Paragraphs", **config: Any) -> LangChain:
    return LangChain(LangChainConfig.model_validate({"loader": loader, **config}))


def items(connector: LangChain) -> dict[str, Item]:
    async def story() -> list[Item]:
        try:
            return (await listing(connector, None)).items
        finally:
            await connector.aclose()

    return {item.id: item for item in asyncio.run(story())}


def refusal(connector: LangChain) -> str:
    with pytest.raises(ConnectorError) as caught:
        asyncio.run(connector.check())
    return str(caught.value)


def test_secrets_of_a_source_reach_the_loader_and_not_its_errors(
    folder: Path, database: Database, tmp_path: Path
) -> None:
    chosen = Settings(data_dir=tmp_path / "data")
    chosen.data_dir.mkdir()
    arguments: JsonValue = {"folder": str(folder)}
    config: dict[str, JsonValue] = {"loader": "acme_loaders.Paragraphs", "arguments": arguments}
    found = {}
    for name, token in (("good", "s3cret"), ("bad", "s3cret-wrong")):
        draft = Draft(name, "langchain", config, {"secrets.token": SecretStr(token)})
        with database.begin() as conn:
            log = AuditLog(database, tmp_path)
            stored = connections.put(conn, log, partial(vault, chosen), draft)
        assert "s3cret" not in str(stored.config) + str(stored.secrets)
        found[name] = wiring.connector(chosen, stored)
    assert asyncio.run(connections.look(found["good"])).n_items == 4
    with pytest.raises(ConnectorError, match="was refused") as caught:
        asyncio.run(connections.look(found["bad"]))
    assert "s3cret" not in str(caught.value)


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def texts(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> Connector:
        return langchain(arguments={"folder": str(self.folder)}, allow=["everyone"])

    def make_unusable(self) -> Connector:
        return langchain(arguments={"folder": str(self.folder / "missing")})


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "throttle": "A loader has no way to ask for patience.",
        "revoke": "A loader knows no readers; one list for all is in the configuration.",
        "expire": "Every run loads everything: the cursor is not looked at.",
    }
    names = ("Ação – 文档 🙂 #1 100%", " blank 'quoted' & [odd]+", "long " + "n" * 190)

    @pytest.fixture(autouse=True)
    def texts(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> Connector:
        return langchain(arguments={"folder": str(self.folder)}, allow=["everyone"])

    def make_unusable(self) -> Connector:
        return langchain(arguments={"folder": str(self.folder / "missing")})

    def add(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    change = add

    def delete(self, name: str) -> None:
        (self.folder / name).unlink()

    def empty(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()

    def fill(self, n: int) -> None:
        paragraphs = [f"Paragraph {i}." for i in range(n)]
        (self.folder / "many").write_text("\n\n".join(paragraphs))


@pytest.mark.parametrize(
    "path",
    ["os.system", "acme_loaders_too.Loader", "langchain_core.document_loaders.LangSmithLoader"],
)
def test_a_module_that_no_package_allows_is_not_even_imported(path: str) -> None:
    said = refusal(langchain(path, arguments={"folder": "."}))
    assert "not allowed; allowed are: acme_loaders." in said
    assert "acme_loaders_too" not in sys.modules


def test_what_an_allowed_module_merely_imported_is_refused() -> None:
    assert "which is not allowed" in refusal(langchain("acme_loaders.LangSmithLoader"))
    assert "not a LangChain BaseLoader" in refusal(langchain("acme_loaders.Path"))
    assert "not a LangChain BaseLoader" in refusal(langchain("acme_loaders.not_a_loader"))
    assert "not a LangChain BaseLoader" in refusal(langchain("acme_loaders.Missing"))


@pytest.mark.parametrize("path", ["os", "a..b", "a:b", "os.system('ls')", ""])
def test_only_import_paths_are_taken(path: str) -> None:
    with pytest.raises(ValidationError):
        langchain(path)


def test_ids_titles_and_metadata_come_from_the_documents(folder: Path) -> None:
    found = items(langchain(arguments={"folder": str(folder)}, collection="web"))
    assert sorted(found) == ["empty.txt", "long" * 50, "Über uns.txt", "Über uns.txt#2"]
    second = found["Über uns.txt#2"]
    assert (second.title, second.uri) == ("Über uns", "Über uns.txt")
    assert second.meta == {"collection": "web", "pages": 3}
    assert second.access.allow == frozenset()


def test_a_secret_is_passed_on_and_never_shown(folder: Path) -> None:
    connector = langchain(arguments={"folder": str(folder)}, secrets={"token": "s3cret-wrong"})
    said = refusal(connector)
    assert "the token … was refused" in said
    assert "s3cret" not in repr(connector._config) + said


def test_wrong_arguments_are_said() -> None:
    assert "unexpected keyword argument 'speed'" in refusal(langchain(arguments={"speed": 1}))


def test_thousands_without_a_source_are_named_by_content() -> None:
    async def story() -> tuple[int, int, int]:
        connector = langchain("acme_loaders.Numbers", arguments={"n": 5001})
        found = await listing(connector, None)
        await connector.aclose()
        assert isinstance(found.marks[-1], Complete)
        return len(found.items), len({item.id for item in found.items}), max(map(len, found.pages))

    assert asyncio.run(story()) == (5000, 5000, 100)


def test_a_text_is_fetched_by_a_connector_that_did_not_list_it(folder: Path) -> None:
    config: dict[str, Any] = {"arguments": {"folder": str(folder)}}
    item = items(langchain(**config))["Über uns.txt#2"]

    async def story() -> bytes:
        connector = langchain(**config)
        try:
            return b"".join([piece async for piece in connector.fetch(item)])
        finally:
            await connector.aclose()

    assert asyncio.run(story()) == b"Since 1950."


def test_documents_arrive_change_readers_and_disappear(
    folder: Path, database: Database, tmp_path: Path
) -> None:
    with database.begin() as conn:
        sources.put_source(conn, "wiki", "langchain", {})

    def sync(*allow: str) -> Report:
        with database.begin() as conn:
            source = sources.source_named(conn, "wiki")
        job = SyncRun(
            source,
            langchain(arguments={"folder": str(folder)}, allow=allow),
            database=database,
            embedder=HashingEmbedder(),
            audit=AuditLog(database, tmp_path),
            settings=SyncSettings(),  # type: ignore[call-arg]
            progress=Silent(),
        )
        return asyncio.run(job.run())

    def live() -> dict[str, list[str]]:
        query = sa.text(
            "SELECT d.external_id, a.allow FROM documents d JOIN acls a ON a.id = d.access_id "
            "WHERE d.state = 'live'"
        )
        with database.begin() as conn:
            return {row[0]: row[1] for row in conn.execute(query)}

    (folder / "empty.txt").unlink()
    first = sync("user:ana")
    assert sorted(live()) == ["long" * 50, "Über uns.txt", "Über uns.txt#2"]
    assert set(map(tuple, live().values())) == {("user:local|ana",)}
    second = sync("group:staff")
    assert (first.counts.added, second.counts.access_changed, second.counts.changed) == (3, 3, 0)
    assert set(map(tuple, live().values())) == {("group:wiki:staff",)}
    (folder / "Über uns.txt").write_text("We make pumps.")
    sync("group:staff")
    assert sorted(live()) == ["long" * 50, "Über uns.txt"]
