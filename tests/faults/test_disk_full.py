"""The disk is full at the n-th block, n = 0, 1, 2 … until there is room: nothing is half done."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from assistant import whole_file, wiring
from assistant.audit.event import SYSTEM, Event, QueryAccepted
from assistant.audit.log import AuditLog
from assistant.errors import AuditUnavailable, DiskFull
from assistant.retrieval.comparison import compared
from assistant.retrieval.follower import Follower
from assistant.retrieval.generations import Generations
from assistant.settings import Settings
from assistant.store import sources
from assistant.store.database import Database
from assistant.store.embedded import EmbeddedServer
from indexes import scribe
from indexes.manifest import Facts
from indexes.model import AccessFilter, Query, SearchIndexError
from indexes.snapshot import Snapshots, State
from tests.conftest import settings_for
from tests.faults.test_database_away import company_on, each_question_ended_once
from tests.support.company import Company
from tests.support.hashing import HashingEmbedder
from tests.support.place import Place, create, restore
from tests.support.scripted import ScriptedGenerator
from tests.support.small_disk import BLOCK_BYTES, Disk, small_disk
from tests.support.streams import asked

NAME, DIMENSION = HashingEmbedder.name, HashingEmbedder.dimension
QUESTION = "What was the net income of 2025?"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", 8) as made:
        yield made


def refusals(disk: Disk, action: Callable[[], object], kind: type[Exception]) -> Iterator[str]:
    """Try with ever more room; yield after each failure what it said."""
    for n in itertools.count():
        disk.leave(n)
        try:
            action()
        except kind as error:
            said = str(error)
        else:
            return
        yield said


def state(n: int, words: Path) -> State:
    array = np.full((2000, 4), n, np.float32)
    return State({"vectors": array, "ids": array[:9]}, {"cells": [n]}, {"segment.term": words})


def test_a_generation_without_room_leaves_the_one_in_use(disk: Disk, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"x" * 10_000)
    snapshots = Snapshots(disk.folder / "index")
    snapshots.publish(state(1, words), Facts(1, "m@1", 4, 9))
    old = snapshots.roles().current
    refused = 0

    def publish() -> None:
        snapshots.publish(state(2, words), Facts(2, "m@1", 4, 9))

    for said in refusals(disk, publish, SearchIndexError):
        refused += 1
        assert "Free some space" in said
        opened = snapshots.open()
        assert (opened.name, opened.state.tables["cells"]) == (old, [1])
        assert (opened.state.arrays["vectors"] == 1).all()
    assert refused > 10
    assert snapshots.open().state.tables["cells"] == [2]
    assert snapshots.open("previous").name == old
    left = {path.name for path in snapshots.folder.iterdir()}
    assert left == {"roles", "lock", old, snapshots.roles().current}


def found(follower: Follower, words: str) -> set[int]:
    """What is found by words alone."""
    admitted = AccessFilter(frozenset(range(1, 9)))
    vector = HashingEmbedder().embed_queries([words])[0]
    hits = follower.index.search_lexical(Query(words, vector, access=admitted), 10)
    return {hit.chunk_id for hit in hits}


def refresh(follower: Follower, database: Database) -> None:
    with database.begin() as conn:
        follower.refresh(conn)


def test_searches_go_on_without_room_and_no_word_is_lost(
    database: Database, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "_RESTS_S", 0.0)
    company = Company(database)
    for number in range(120):
        company.document(f"old-{number}", f"The pump old{number} is dry.")
    generations = Generations(database, disk.folder / "index")
    follower = generations.start(NAME, DIMENSION)
    generations.save(follower)
    old = generations.snapshots.roles().current
    added: list[int] = []
    troubles = set()

    def change_and_save() -> None:
        n = len(added)
        added.append(n)
        company.document(f"new-{n}", f"The valve new{n} is open.")
        company.delete(f"old-{n}")
        company.allow(f"old-{n + 60}", "group:sales")
        refresh(follower, database)
        assert len(found(follower, "old119")) == 1, "what was there is found"
        assert found(follower, f"old{n}") == set(), "what was deleted is not"
        troubles.add(follower.index.trouble.partition(":")[0])
        generations.save(follower)

    for said in refusals(disk, change_and_save, SearchIndexError):
        assert "Free some space" in said
        assert generations.snapshots.open().name == old
    disk.clear()
    assert len(added) > 20
    assert troubles == {"", "The word index can't be written"}
    for number in added:
        assert len(found(follower, f"new{number}")) == 1, "with room again, all is found"
    assert follower.index.trouble == ""
    saved = generations.opened("current", NAME)
    assert compared(saved, database).is_equal
    for number in added:
        assert len(found(saved, f"new{number}")) == 1, "and saved"
    saved.index.close()
    generations.close(follower)


def test_many_changes_without_room_are_made_up_for(
    database: Database, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "_N_KEPT", 20)
    company = Company(database)
    company.document("old", "The pump is dry.")
    generations = Generations(database, disk.folder / "index")
    follower = generations.start(NAME, DIMENSION)
    disk.leave(0)
    for number in range(30):
        company.document(f"new-{number}", f"The valve new{number} is open.")
        if number % 10 == 0:
            refresh(follower, database)
            assert len(found(follower, "pump")) == 1
    refresh(follower, database)
    assert "newer documents" in follower.index.trouble
    disk.clear()
    generations.save(follower)
    assert all(len(found(follower, f"new{number}")) == 1 for number in range(30))
    generations.close(follower)


def test_an_index_that_can_not_be_filled_says_so_and_is_filled_later(
    database: Database, disk: Disk
) -> None:
    company = Company(database)
    generations = Generations(database, disk.folder / "index")
    follower = generations.start(NAME, DIMENSION)
    for number in range(30):
        company.document(f"new-{number}", f"The valve new{number} is open.")
    disk.leave(0)
    with pytest.raises(SearchIndexError, match="Free some space"):
        refresh(follower, database)
    assert len(follower.index) == 0
    disk.clear()
    refresh(follower, database)
    assert all(len(found(follower, f"new{number}")) == 1 for number in range(30))
    generations.close(follower)


def changed(n: int) -> Event:
    return Event(SYSTEM, QueryAccepted(f"query-{n}", "?"))


def test_heads_are_kept_where_there_is_room_and_the_others_follow(
    database: Database, disk: Disk, tmp_path: Path
) -> None:
    data, copy = disk.folder / "data", tmp_path / "elsewhere" / "heads.jsonl"
    log = AuditLog(database, data, copy=copy)
    refused = 0
    for n in range(30):
        log.record(changed(n))
        disk.leave(0)
        try:
            log.seal()
        except AuditUnavailable:
            refused += 1
        assert len(copy.read_text().splitlines()) == n + 1, "the copy on the other disk has it"
        assert log.verify().ok
    assert refused > 10
    disk.clear()
    log.record(changed(30))
    log.seal()
    assert log.verify().ok
    kept = (data / "audit" / "heads.jsonl").read_text().splitlines()
    assert kept[-1] == copy.read_text().splitlines()[-1]


def test_small_files_are_whole_or_not_there(disk: Disk) -> None:
    path, content = disk.folder / "keys" / "some.key", b"k" * (3 * BLOCK_BYTES)
    path.parent.mkdir()
    for n in range(3):
        disk.leave(n)
        for write in (whole_file.put, whole_file.make):
            with pytest.raises(OSError, match="No space"):
                write(path, content)
            assert list(path.parent.iterdir()) == []
    disk.leave(3)
    assert whole_file.make(path, content)
    assert not whole_file.make(path, b"") or path.read_bytes() == content
    disk.leave(2)
    with pytest.raises(OSError, match="No space"):
        whole_file.put(path, content[::-1] + b"!")
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == ["some.key"]


def test_a_key_that_found_no_room_is_made_later(database: Database, disk: Disk) -> None:
    disk.leave(0)
    with pytest.raises(AuditUnavailable, match=r"audit\.pem"):
        AuditLog(database, disk.folder)
    disk.clear()
    log = AuditLog(database, disk.folder)
    log.record(changed(1))
    assert log.seal()
    assert log.verify().ok


def test_a_backup_without_room_leaves_no_file_that_looks_like_one(
    origin: Place, disk: Disk, tmp_path: Path, empty: Callable[[], Place]
) -> None:
    path = disk.folder / "one.backup"
    refused = 0
    for _ in refusals(disk, lambda: create(origin, path), DiskFull):
        refused += 1
        assert [one.name for one in disk.folder.iterdir()] == ["ballast"]
    assert refused > 2
    old = (disk.folder / "assistant.keys").read_bytes()
    disk.leave(0)
    with pytest.raises(DiskFull):
        create(origin, disk.folder / "two.backup")
    assert (disk.folder / "assistant.keys").read_bytes() == old
    assert not (disk.folder / "two.backup").exists()
    place = empty()
    assert restore(place, path, tmp_path / "identity").n_lost_events == 0
    assert place.log.verify().ok


def test_a_restore_without_room_for_its_keys_goes_on_when_there_is(
    origin: Place, disk: Disk, tmp_path: Path, empty: Callable[[], Place]
) -> None:
    origin.log.seal()
    create(origin, tmp_path / "one.backup")
    place = empty()
    place.folder = disk.folder / "data"
    refused = 0

    def bring_back() -> None:
        assert restore(place, tmp_path / "one.backup", tmp_path / "identity").n_lost_events == 0

    for said in refusals(disk, bring_back, OSError):
        refused += 1
        assert "No space" in said
    assert refused > 1
    assert place.log.verify().ok


def test_no_room_for_bodies_is_no_fault_of_a_document(
    database: Database, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / ".access.toml").write_text('allow = ["everyone"]\n')
    for number in range(3):
        (folder / f"note-{number}.md").write_text(f"# Note {number}\n\n" + "It is old. " * 1500)
    settings = settings_for(database.engine.url.render_as_string(False), tmp_path / "data")
    with database.begin() as conn:
        source = sources.put_source(conn, "papers", "files", {"path": str(folder)})
    texts = sa.text("SELECT count(*) FROM chunks WHERE text LIKE :like")

    def synced() -> None:
        run = wiring.sync_run(settings, database, HashingEmbedder(), source)
        asyncio.run(run.run())

    def n_chunks(like: str) -> int:
        with database.begin() as conn:
            return int(conn.execute(texts, {"like": like}).scalar_one())

    synced()
    n_old = n_chunks("%It is old%")
    for path in folder.glob("*.md"):
        path.write_text(path.read_text().replace("It is old", "It is new"))
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    refused = 0
    for _ in refusals(disk, synced, DiskFull):
        refused += 1
        assert (n_chunks("%It is old%"), n_chunks("%It is new%")) == (n_old, 0)
    assert refused > 2
    assert (n_chunks("%It is old%"), n_chunks("%It is new%")) == (0, n_old)
    with database.begin() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM failures")) == 0


def test_a_database_without_room_answers_nothing_and_goes_on_when_there_is(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 200) as disk:
        folder = disk.folder / "data"
        with (
            wiring.database(Settings(data_dir=folder)) as database,
            company_on(database, folder) as (assistant, ana),
        ):
            generator = assistant.generator
            assert isinstance(generator, ScriptedGenerator)
            disk.leave(0)
            n_before = len(generator.prompts)
            long = f"{QUESTION} " + "Please tell me. " * 200
            for _ in range(200):
                said = ana.post("/v1/answers", json={"question": long})
                if said.status_code != 200:
                    break
            assert said.status_code in {503, 507}
            assert said.headers["content-type"] == "application/problem+json"
            slug = said.json()["type"].rpartition(":")[2]
            assert slug in {"audit-unavailable", "disk-full", "database-unavailable"}
            assert len(generator.prompts) - n_before <= 200
            disk.clear()
            with closing(EmbeddedServer(folder)):
                assert asked(ana, QUESTION)[-1][0] == "done"
                each_question_ended_once(database, len(generator.prompts))
                assert assistant.audit.verify().ok
