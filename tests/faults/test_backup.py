"""A backup that is made while a sync runs restores to one moment, and to the same answers."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from assistant.errors import BackupUnusable, Conflict
from assistant.lifecycle import backup, sealed
from assistant.store import dumping, people, sources
from assistant.store.database import Database
from tests.faults.test_sync_steps import State, wait_until_stopped
from tests.support import worlds
from tests.support.company import Company
from tests.support.dying import Nursery, Order, nursery
from tests.support.hashing import HashingEmbedder
from tests.support.place import Place, create, restore
from tests.support.scripted import ScriptedGenerator


def rows(place: Place) -> dict[str, int]:
    with place.database.snapshot() as conn:
        return {table.name: table.n_rows for table in dumping.tables(conn)}


@contextmanager
def syncing(company: Company) -> Iterator[threading.Event]:
    """Add and change documents until the end of the block."""
    stop, began = threading.Event(), threading.Event()

    def run() -> None:
        number = 0
        while not stop.is_set():
            company.document(f"note-{number % 7}", f"Line {number}.", f"Budget {number}.")
            number += 1
            if number > 3:
                began.set()

    thread = threading.Thread(target=run)
    thread.start()
    began.wait()
    yield began
    stop.set()
    thread.join()


def test_a_backup_during_a_sync_restores_one_moment_with_the_same_answers(
    company: Company, origin: Place, empty: Callable[[], Place], tmp_path: Path
) -> None:
    before = origin.answer()
    assert "41 million" in before[0]
    origin.log.seal()
    with syncing(company):
        create(origin, tmp_path / "one.backup")
    place = empty()
    found = restore(place, tmp_path / "one.backup", tmp_path / "identity")
    assert found.n_lost_events == 0
    assert place.answer() == before
    assert place.log.verify().ok
    with place.database.begin() as conn:
        # One moment: every document has all its passages, and each has its document.
        assert (
            conn.scalar(
                sa.text(
                    "SELECT count(*) FROM documents d WHERE n_chunks <> "
                    "(SELECT count(*) FROM chunks c WHERE c.document_id = d.id)"
                )
            )
            == 0
        )
        assert conn.scalar(sa.text("SELECT count(*) FROM documents")) > 2
    # What was there goes on as before: a new version takes the place of the old one.
    passages = ("The net income of 2025 was 43 million.", "It rose by a tenth.")
    Company(place.database, place.model).document("report", *passages)
    assert "43 million" in place.answer()[0]


@pytest.fixture(scope="module")
def runner() -> Iterator[Nursery]:
    with nursery() as running:
        yield running


LINE = "How much does line 7 cost?"


@pytest.mark.parametrize("moment", ["page committed", "document written"])
def test_a_backup_in_the_middle_of_a_run_is_the_catalog_of_that_moment(
    moment: str,
    database: Database,
    runner: Nursery,
    empty: Callable[[], Place],
    tmp_path: Path,
) -> None:
    def order(place: Place, **more: Any) -> Order:
        url = place.database.engine.url.render_as_string(hide_password=False)
        return Order(url, str(tmp_path), world.connector, world.config, **more)

    sealed.make_identity(tmp_path / "identity", tmp_path / "origin")
    place = Place(database, tmp_path / "origin", HashingEmbedder(), ScriptedGenerator())
    Company(database).person("ana")
    with worlds.folder(tmp_path / "papers") as world:
        world.begin()
        with database.begin() as conn:
            sources.put_source(conn, "docs", world.connector, {})
        assert runner.wait(runner.start(order(place))) == 0
        world.change()
        pid = runner.start(order(place, stops_at=moment, idle_s=600.0))
        wait_until_stopped(pid)
        state, answer = State.of(database), place.answer(LINE)
        assert "777" in answer[0]
        create(place, tmp_path / "one.backup")
        os.kill(pid, signal.SIGCONT)
        assert runner.wait(pid) == 0
        ended = State.of(database)
        assert ended.rows["documents"] != state.rows["documents"]
        other = empty()
        other.model, other.writer = place.model, place.writer
        assert restore(other, tmp_path / "one.backup", tmp_path / "identity").n_lost_events == 0
        State.of(other.database).must_equal(state, "after the restore")
        assert other.answer(LINE) == answer
        assert other.log.verify().ok
        backup.end_restore(other.database)
        assert runner.wait(runner.start(order(other))) == 0
        State.of(other.database).must_equal(ended, "after the run that goes on there")


def test_numbers_are_not_given_twice_and_sessions_do_not_come_back(
    origin: Place, company: Company, empty: Callable[[], Place], tmp_path: Path
) -> None:
    with origin.database.begin() as conn:
        token = people.sign_in(conn, "ana", "correct horse battery", 3600)
    company.document("last", "Deleted soon.")
    with origin.database.begin() as conn:
        conn.execute(sa.text("DELETE FROM chunks WHERE text = 'Deleted soon.'"))
    create(origin, tmp_path / "one.backup")
    place = empty()
    restore(place, tmp_path / "one.backup", tmp_path / "identity")
    newest = sa.text("SELECT last_value FROM chunks_id_seq")
    with origin.database.begin() as old, place.database.begin() as new:
        assert old.scalar(newest) == new.scalar(newest)
        with pytest.raises(Exception, match="Sign in"):
            people.person_of(new, token)
        assert people.sign_in(new, "ana", "correct horse battery", 3600)


def test_events_signed_after_the_backup_are_told_as_lost(
    origin: Place, empty: Callable[[], Place], tmp_path: Path
) -> None:
    create(origin, tmp_path / "old.backup")
    size = origin.log.size
    origin.answer()
    origin.log.seal()
    create(origin, tmp_path / "new.backup")
    place = empty()
    found = restore(place, tmp_path / "old.backup", tmp_path / "identity")
    assert found.n_lost_events == 4
    place.log.record(backup.restored_event(found, tmp_path / "old.backup"))
    assert place.log.seal()
    assert place.log.verify().ok
    kept = (place.folder / "audit" / f"heads-after-{size - 1}.jsonl").read_text().splitlines()
    assert max(json.loads(line)["size"] for line in kept) == size + 3


def test_nothing_in_a_backup_can_be_read_without_the_identity(
    origin: Place, tmp_path: Path, empty: Callable[[], Place]
) -> None:
    origin.log.seal()
    create(origin, tmp_path / "one.backup")
    for name in ("one.backup", "assistant.keys"):
        content = (tmp_path / name).read_bytes()
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
        for secret in (b"net income", b"PRIVATE KEY", b"ana", b"chunks", b"tables/"):
            assert secret not in content
    sealed.make_identity(tmp_path / "other", tmp_path / "elsewhere")
    with pytest.raises(BackupUnusable):
        restore(empty(), tmp_path / "one.backup", tmp_path / "other")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_damaged_backup_leaves_the_database_empty(
    share: float, origin: Place, tmp_path: Path, empty: Callable[[], Place]
) -> None:
    path = tmp_path / "one.backup"
    create(origin, path)
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 1
    path.write_bytes(content)
    place = empty()
    with pytest.raises(BackupUnusable):
        restore(place, path, tmp_path / "identity")
    with place.database.snapshot() as conn:
        assert dumping.is_unused(conn)
    assert not (place.folder / "keys" / "audit.pem").exists()


def test_a_database_in_use_is_not_overwritten(origin: Place, tmp_path: Path) -> None:
    create(origin, tmp_path / "one.backup")
    before = rows(origin)
    with pytest.raises(Conflict, match="empty"):
        restore(origin, tmp_path / "one.backup", tmp_path / "identity")
    assert rows(origin) == before


def test_a_backup_that_can_not_be_written_leaves_no_half(origin: Place, tmp_path: Path) -> None:
    create(origin, tmp_path / "one.backup")
    with pytest.raises(Exception, match="there already"):
        create(origin, tmp_path / "one.backup")
    with pytest.raises(Exception, match="can't be written"):
        create(origin, tmp_path / "missing" / "one.backup")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
