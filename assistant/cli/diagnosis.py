"""Finding out what keeps the assistant from working, each with the next step."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant import wiring
from assistant.errors import AssistantError, DependencyError, DiskFull, SettingsError
from assistant.settings import Settings
from assistant.store import sources
from assistant.store.database import Database
from connectors.contract import ConnectorError
from connectors.readers import packaged
from connectors.readers.child import READERS

MIN_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `exit_code` is that of the command line."""

    name: str
    ok: bool
    detail: str
    exit_code: int = 0


def diagnose(settings: Settings) -> list[Finding]:
    """Look at everything; a failing part does not hide the others."""
    findings = [_looked("disk", lambda: _disk(settings.data_dir)), _looked("readers", _readers)]
    try:
        with wiring.database(settings) as database:
            findings.append(Finding("database", True, "answers and has its tables"))
            findings += _inside(settings, database)
    except AssistantError as error:
        findings.append(Finding("database", False, str(error), error.exit_code))
    return findings


def _inside(settings: Settings, database: Database) -> Iterator[Finding]:
    yield _looked("audit log", lambda: _audit(settings, database))
    yield _looked("sources", lambda: _sources(settings, database))
    yield _looked("models", lambda: _models(settings))
    yield _looked("vectors", lambda: _vectors(settings))


def _looked(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except AssistantError as error:
        return Finding(name, False, str(error), error.exit_code)


def _disk(folder: Path) -> str:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < MIN_FREE_BYTES:
        raise DiskFull(f"Only {free / 1e6:,.0f} MB are free in {existing}; free at least 1 GB.")
    return f"{free / 1e9:,.1f} GB free in {existing}"


def _readers() -> str:
    found = packaged.installed()
    if found.problems:
        raise SettingsError(" ".join(found.problems))
    return f"{len(READERS)} formats, {len(found.entries)} more by packages"


def _audit(settings: Settings, database: Database) -> str:
    found = wiring.audit_log(settings, database).verify()
    if not found.ok:
        raise AssistantError(f"{found.reason}; keep the database as it is and call the auditor.")
    return f"{found.n_events} events verify"


def _sources(settings: Settings, database: Database) -> str:
    with database.begin() as conn:
        found = sources.list_sources(conn)
        stats = sources.source_stats(conn)
    for source in found:
        try:
            asyncio.run(wiring.connector(settings, source).check())
        except ConnectorError as error:
            raise SettingsError(f"{source.name}: {error}") from error
    n_documents = sum(stats[source.id].n_documents for source in found)
    n_failures = sum(stats[source.id].n_failures for source in found)
    return f"{len(found)} sources, {n_documents} documents, {n_failures} quarantined"


def _models(settings: Settings) -> str:
    embedder = wiring.embedder(settings)
    generator = wiring.generator(settings, embedder)
    try:
        asyncio.run(generator.check())
    except DependencyError as error:
        raise type(error)(f"generator: {error}") from error
    reranker = wiring.reranker(settings)
    if reranker is None:
        return f"{embedder.name} embeds, {generator.name} answers"
    reranker.scores("Does it answer?", ["It does."])
    return f"{embedder.name} embeds, {reranker.name} reranks, {generator.name} answers"


def _vectors(settings: Settings) -> str:
    device = wiring.device(settings)
    if device is None:
        return "searched on the CPU"
    return f"searched on {device.name}, which keeps to filters"
