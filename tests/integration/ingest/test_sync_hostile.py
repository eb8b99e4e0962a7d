"""Hostile and broken files are quarantined with a cause, and the run goes on."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from pathlib import Path

import pytest

from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import SyncSettings
from assistant.store import runs, sources
from assistant.store.database import Database
from connectors.files import Files, FilesConfig
from tests.support.hashing import HashingEmbedder


def synced(database: Database, folder: Path, data_dir: Path) -> tuple[Report, dict[str, str]]:
    """Sync a folder that everybody may read; return the report and the causes by file."""
    (folder / ".access.toml").write_text('allow = ["everyone"]\n')
    with database.begin() as conn:
        source = sources.put_source(conn, "hostile", "files", {"path": str(folder)})
    run = SyncRun(
        source,
        Files(FilesConfig(path=folder)),
        database=database,
        embedder=HashingEmbedder(),
        audit=AuditLog(database, data_dir),
        settings=SyncSettings(),  # type: ignore[call-arg]
        progress=Silent(),
    )
    report = asyncio.run(run.run())
    with database.begin() as conn:
        found = runs.list_failures(conn)
    assert all(failure.error.endswith(".") for failure in found), found
    return report, {failure.external_id: failure.cause for failure in found}


def test_one_bad_document_never_stops_a_run(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a-good.txt").write_text("The first good note.")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "corrupt.pdf").write_bytes(b"%PDF-1.7\nnothing that follows is a PDF")
    with (folder / "huge.txt").open("wb") as huge:
        huge.truncate(200_000_000)
    with zipfile.ZipFile(folder / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "<Types/>")
        bomb.writestr("word/document.xml", b"A" * 60_000_000)
    (folder / "xxe.xml").write_text(
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>'
    )
    (folder / "z-good.txt").write_text("The last good note.")
    report, causes = synced(database, folder, tmp_path / "data")
    assert causes == {
        "empty.txt": "empty",
        "corrupt.pdf": "corrupt",
        "huge.txt": "too_large",
        "bomb.docx": "bomb",
        "xxe.xml": "unsafe_xml",
    }
    assert (report.counts.added, report.counts.failed) == (2, 5)


@pytest.mark.parametrize("part", ["hostile", "unstructured/edge"])
def test_real_hostile_files_do_not_stop_a_run_either(
    part: str, shared_data: Path, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    shutil.copytree(shared_data / "parsing" / part, folder)
    (folder / "zz-good.txt").write_text("The last good note.")
    report, causes = synced(database, folder, tmp_path / "data")
    assert report.counts.failed == len(causes) > 0
    assert report.counts.added + report.counts.failed == report.counts.listed
    assert "zz-good.txt" not in causes
