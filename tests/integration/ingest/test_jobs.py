"""The queue of sync runs with real workers, in threads and in processes that are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.errors import Conflict
from assistant.ingest import jobs
from assistant.ingest.jobs import queue_due
from assistant.ingest.task import Task
from assistant.store import jobs as queue
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.runs import SyncRun
from assistant.store.sources import Source
from tests.integration.ingest.test_sync import STATE
from tests.support.working import apart, working

PATIENCE_S = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine documents."""
    folder = tmp_path / "documents"
    for name in ("hold", "broken"):
        (folder / name).mkdir(parents=True)
    for n in range(9):
        (folder / f"n{n}.txt").write_text(f"v{n}")
    return folder


@pytest.fixture
def source(database: Database) -> Source:
    with database.begin() as conn:
        return sources.put_source(conn, "notes", "files", {})


@pytest.fixture
def audit(database: Database, tmp_path: Path) -> AuditLog:
    return AuditLog(database, tmp_path)


def run_of(database: Database, run_id: int) -> SyncRun:
    with database.begin() as conn:
        return runs.run_of(conn, run_id)


def texts(database: Database) -> dict[str, str]:
    with database.begin() as conn:
        return {row[0]: row[1] for row in conn.execute(STATE)}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def said(folder: Path) -> dict[str, str]:
    return {p.name: f"{p.name} says {p.read_text()}." for p in folder.glob("*.txt")}


def asked_for(folder: Path) -> list[str]:
    log = folder / "fetched"
    return log.read_text().split() if log.exists() else []


def has_state(database: Database, run_id: int, state: str) -> Callable[[], bool]:
    return lambda: run_of(database, run_id).state == state


def test_a_killed_worker_is_followed_by_another_from_the_last_mark(
    database: Database, postgres_url: str, audit: AuditLog, source: Source, folder: Path
) -> None:
    (folder / "hold/n4.txt").touch()
    run_id = jobs.start(database, audit, source, Task())
    with apart(postgres_url, folder.parent, folder, 2) as first:
        until(lambda: len(texts(database)) == 3)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    (folder / "hold/n4.txt").unlink()
    with apart(postgres_url, folder.parent, folder, 2):
        until(has_state(database, run_id, "done"))
    run = run_of(database, run_id)
    assert texts(database) == said(folder)
    assert (run.n_lost, run.counts["added"]) == (1, 9)
    assert asked_for(folder).count("n0.txt") == 1
    assert set(run.stages) >= {"list", "fetch", "read", "chunk", "embed", "commit"}


def test_a_worker_that_stood_still_past_its_lease_writes_nothing_any_more(
    database: Database, postgres_url: str, audit: AuditLog, source: Source, folder: Path
) -> None:
    (folder / "hold/n4.txt").touch()
    run_id = jobs.start(database, audit, source, Task())
    with apart(postgres_url, folder.parent, folder, 2) as first:
        until(lambda: len(texts(database)) == 3)
        os.kill(first.pid, signal.SIGSTOP)
        with apart(postgres_url, folder.parent, folder, 2) as second:
            until(lambda: run_of(database, run_id).n_lost == 1)
            until(has_state(database, run_id, "running"))
            taken = run_of(database, run_id).token
            os.kill(first.pid, signal.SIGCONT)
            (folder / "hold/n4.txt").unlink()
            until(has_state(database, run_id, "done"))
            assert run_of(database, run_id).token == taken
            second.send_signal(signal.SIGTERM)
            assert second.wait(PATIENCE_S) == 0
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE_S) == 0
    with database.begin() as conn:
        assert [run.state for run in runs.list_runs(conn)] == ["done"]
        versions = conn.execute(sa.text("SELECT max(version_no) FROM documents")).scalar_one()
    assert versions == 1
    assert texts(database) == said(folder)
    assert audit.verify().ok


def test_a_worker_that_is_told_to_end_hands_its_run_on(
    database: Database, postgres_url: str, audit: AuditLog, source: Source, folder: Path
) -> None:
    (folder / "hold/n4.txt").touch()
    run_id = jobs.start(database, audit, source, Task())
    with apart(postgres_url, folder.parent, folder, 60) as first:
        until(lambda: len(texts(database)) == 3)
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE_S) == 0
    run = run_of(database, run_id)
    assert (run.state, run.n_lost, run.counts["added"]) == ("queued", 0, 3)
    (folder / "hold/n4.txt").unlink()
    with working(database, folder.parent, folder):
        until(has_state(database, run_id, "done"))
    assert texts(database) == said(folder)


def test_a_run_is_paused_resumed_and_cancelled(
    database: Database, audit: AuditLog, source: Source, folder: Path
) -> None:
    (folder / "hold/n4.txt").touch()
    run_id = jobs.start(database, audit, source, Task())
    with pytest.raises(Conflict, match="queued"):
        jobs.start(database, audit, source, Task())
    with working(database, folder.parent, folder):
        until(lambda: len(texts(database)) == 3)
        jobs.steer(database, audit, run_id, "pause")
        until(has_state(database, run_id, "paused"))
        assert len(texts(database)) == 3
        (folder / "hold/n4.txt").unlink()
        (folder / "hold/n7.txt").touch()
        jobs.steer(database, audit, run_id, "")
        until(lambda: len(texts(database)) == 6)
        jobs.steer(database, audit, run_id, "cancel")
        until(has_state(database, run_id, "cancelled"))
        with pytest.raises(Conflict, match="cancelled"):
            jobs.steer(database, audit, run_id, "")
    assert len(texts(database)) == 6
    assert asked_for(folder).count("n0.txt") == 1


def test_a_schedule_is_due_once_however_many_workers_there_are(
    database: Database, audit: AuditLog, source: Source, folder: Path
) -> None:
    with database.begin() as conn:
        due_at = sources.clock(conn) - timedelta(seconds=1)
        queue.set_schedule(conn, source.id, {"every_s": 3600.0}, due_at)
    with (
        working(database, folder.parent, folder),
        working(database, folder.parent, folder),
        working(database, folder.parent, folder),
    ):
        until(lambda: len(texts(database)) == 9)
        time.sleep(2.5)
    with database.begin() as conn:
        assert [run.state for run in runs.list_runs(conn)] == ["done"]
        upcoming = sources.source_named(conn, "notes").next_run_at
        assert upcoming is not None
        assert upcoming > sources.clock(conn) + timedelta(seconds=3000)


def test_a_retry_reads_only_what_is_quarantined_and_due(
    database: Database, audit: AuditLog, source: Source, folder: Path
) -> None:
    for name in ("n1.txt", "n5.txt"):
        (folder / "broken" / name).touch()
    with working(database, folder.parent, folder):
        first = jobs.start(database, audit, source, Task())
        until(has_state(database, first, "done"))
        (folder / "fetched").unlink()
        (folder / "broken/n1.txt").unlink()
        chosen = Task("retry", ids=("n1.txt",))
        second = jobs.start(database, audit, source, chosen)
        until(has_state(database, second, "done"))
        assert asked_for(folder) == ["n1.txt"]
        assert texts(database)["n1.txt"] == "n1.txt says v1."
        (folder / "broken/n5.txt").unlink()
        with database.begin() as conn:
            assert [f.external_id for f in runs.list_failures(conn)] == ["n5.txt"]
            conn.execute(sa.text("UPDATE failures SET next_try_at = now()"))
        until(lambda: len(texts(database)) == 9)
    assert sorted(asked_for(folder)) == ["n1.txt", "n5.txt"]
    assert texts(database) == said(folder)


def test_a_run_that_loses_worker_after_worker_is_given_up(
    database: Database, audit: AuditLog, source: Source
) -> None:
    run_id = jobs.start(database, audit, source, Task())
    for _ in range(queue.MAX_LOST):
        with database.begin() as conn:
            held = queue.claim(conn, -1)
        assert held is not None
        assert held.run_id == run_id
        queue_due(database, audit)
    run = run_of(database, run_id)
    assert (run.state, run.n_lost) == ("failed", queue.MAX_LOST)
    assert "5 workers ended" in run.error
