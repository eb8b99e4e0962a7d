"""The index starts from what was saved, as far as that can be trusted, else from the catalog."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.retrieval.follower import Follower
from assistant.retrieval.generations import Generations
from assistant.store import feed, sources
from assistant.store.database import Database
from indexes import saved
from indexes.manifest import SnapshotDamaged
from indexes.model import AccessFilter, Query
from indexes.workplace import Workplace
from tests.support.company import Company
from tests.support.devices import Broken
from tests.support.hashing import HashingEmbedder

NAME, DIMENSION = HashingEmbedder.name, HashingEmbedder.dimension
Start = Callable[..., tuple[Generations, Follower]]


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.document("report", "The net income of 2025 was 41 million.", "It rose.")
    company.document("canteen", "The canteen opens at noon.")
    return company


@pytest.fixture
def start(company: Company, tmp_path: Path) -> Iterator[Start]:
    used = []

    def begin(save_every: int = 0) -> tuple[Generations, Follower]:
        generations = Generations(company.database, tmp_path / "index", save_every)
        follower = generations.start(NAME, DIMENSION)
        used.append((generations, follower))
        return generations, follower

    yield begin
    for generations, follower in used:
        if generations._workplace.folder.exists():
            generations.close(follower)


def is_true(follower: Follower, database: Database) -> bool:
    """Whether the index holds what the catalog does."""
    with database.begin() as conn:
        follower.refresh(conn)
        live = feed.live_documents(conn)
        access = feed.chunk_access(conn)
    ids, granted = saved.contents(follower.index)
    held = saved.documents(follower.index)
    return dict(zip(ids.tolist(), granted.tolist(), strict=True)) == access and held == {
        name: n for name, n in live.items() if n
    }


def test_a_start_goes_on_from_the_saved_generation(start: Start, company: Company) -> None:
    generations, follower = start()
    manifest = generations.save(follower)
    assert (manifest.facts.embedder, manifest.facts.n) == (NAME, 3)
    company.document("menu", "Soup on Mondays.")
    company.delete("report")
    company.allow("canteen", "group:sales")
    opened = generations.opened("current", NAME)
    assert opened.generation == manifest.facts.generation
    assert len(opened.index) == 3
    assert is_true(opened, company.database)
    assert is_true(start()[1], company.database)
    opened.index.close()


def test_a_close_saves_what_the_next_start_would_replay(start: Start, company: Company) -> None:
    generations, follower = start(save_every=10)
    assert generations.snapshots.manifest() is None
    assert follower.generation == 2
    generations.close(follower)
    first = generations.snapshots.manifest()
    assert first is not None
    assert first.facts.generation == 2
    again, opened = start(save_every=10)
    assert opened.generation == 2
    company.document("menu", "Soup on Mondays.")
    with company.database.begin() as conn:
        opened.refresh(conn)
    again.close(opened)
    assert again.snapshots.manifest() == first
    assert not list(generations.snapshots.folder.glob("work-*"))


def test_a_running_process_saves_after_some_changes(start: Start, company: Company) -> None:
    generations, follower = start(save_every=3)
    for number in range(4):
        company.document(f"note-{number}", f"Note {number}.")
        with company.database.begin() as conn:
            follower.refresh(conn)
        generations.keep(follower)
        if generations._thread is not None:
            generations._thread.join()
    manifest = generations.snapshots.manifest()
    assert manifest is not None
    assert manifest.facts.generation in {3, 6}
    assert is_true(generations.opened("current", NAME), company.database)


def test_vectors_are_copied_to_the_device_at_the_start_and_after_each_fold(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("indexes.dense.grouping.N_WITHOUT", "indexes.hybrid.N_WITHOUT"):
        monkeypatch.setattr(name, 20)
    monkeypatch.setattr("indexes.dense._N_EXACT", (0, 0))
    device = Broken()

    def asked(follower: Follower) -> int:
        access = frozenset(saved.contents(follower.index)[1].tolist())
        question = HashingEmbedder().embed_queries(["note"])[0]
        query = Query("note", question, "en", AccessFilter(access))
        assert len(follower.index.search_dense(query, 3)) == 3
        return device.n_asked

    generations = Generations(company.database, tmp_path / "index", 10, device)
    follower = generations.start(NAME, DIMENSION)
    assert asked(follower) == 0
    for number in range(40):
        company.document(f"note-{number}", f"Note number {number}.")
    with company.database.begin() as conn:
        follower.refresh(conn)
    generations.keep(follower)
    assert generations._thread is not None
    generations._thread.join()
    assert (device.n_copies, asked(follower)) == (1, 1)
    generations.close(follower)
    again = Generations(company.database, tmp_path / "index", 10, device)
    opened = again.start(NAME, DIMENSION)
    assert opened.generation == follower.generation
    assert (device.n_copies, asked(opened)) == (2, 2)
    again.close(opened)


def test_a_damaged_generation_is_not_used(
    start: Start, company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    generations, follower = start()
    generations.save(follower)
    folder = generations.snapshots.folder / generations.snapshots.roles().current
    path = folder / "chunk_ids.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SnapshotDamaged):
        generations.opened("current", NAME)
    _, again = start()
    assert is_true(again, company.database)
    question = HashingEmbedder().embed_queries(["net income"])[0]
    ids = frozenset(saved.contents(follower.index)[1].tolist())
    query = Query("net income", question, "en", AccessFilter(ids))
    assert again.index.search(query, 3) == follower.index.search(query, 3)
    assert len(follower.index.search(query, 3)) == 3


def test_another_models_generation_is_neither_used_nor_replaced(
    start: Start, company: Company
) -> None:
    generations, follower = start()
    follower.embedder = "other@1"
    saved_by_other = generations.save(follower)
    later, again = start(save_every=1)
    assert is_true(again, company.database)
    assert again.embedder == NAME
    later.close(again)
    assert generations.snapshots.manifest() == saved_by_other


@pytest.mark.parametrize("name", ["manifest.json", "days.npy", "../roles"])
def test_a_refused_generation_is_replaced_at_the_close(
    start: Start, company: Company, name: str
) -> None:
    generations, follower = start()
    first = generations.save(follower)
    path = generations.snapshots.folder / generations.snapshots.roles().current / name
    path.write_bytes(path.read_bytes()[:-1])
    later, again = start(save_every=1000)
    later.close(again)
    replaced = generations.snapshots.open().manifest
    assert replaced.facts == first.facts
    assert replaced != first


def test_a_generation_from_another_history_is_not_used(start: Start, company: Company) -> None:
    generations, follower = start()
    company.document("menu", "Soup on Mondays.")
    with company.database.begin() as conn:
        follower.refresh(conn)
    generations.save(follower)
    with company.database.engine.begin() as conn:
        conn.execute(sa.text("UPDATE documents SET updated_at = updated_at - interval '1 us'"))
    with pytest.raises(Exception, match="another database"):
        generations.opened("current", NAME)
    assert is_true(start()[1], company.database)


def test_a_generation_ahead_of_the_database_is_not_used(start: Start, company: Company) -> None:
    generations, follower = start()
    generations.save(follower)
    with company.database.engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM documents WHERE seq = 2"))
        conn.execute(sa.text("UPDATE heads SET value = 1 WHERE name = 'feed'"))
    with pytest.raises(Exception, match="another database"):
        generations.opened("current", NAME)
    assert is_true(start()[1], company.database)


def test_documents_of_a_removed_source_are_gone(start: Start, company: Company) -> None:
    generations, follower = start()
    generations.save(follower)
    for name in ("report", "canteen"):
        company.delete(name)
    with company.database.begin() as conn:
        lease = sources.acquire_lease(conn, company.source_id, 60)
        sources.remove_source(conn, lease)
    opened = generations.opened("current", NAME)
    for either in (follower, opened):
        assert len(either.index) == 3
        assert is_true(either, company.database)
        assert len(either.index) == 0
    opened.index.close()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from indexes.workplace import Workplace\n"
        "place = Workplace(Path(sys.argv[1])); place.subfolder('words')\n"
        "print(place.folder, flush=True); os.kill(os.getpid(), 9)"
    )
    mine = Workplace(tmp_path)
    child = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    left = Path(child.stdout.strip())
    assert left.is_dir()
    other = Workplace(tmp_path)
    assert not left.exists()
    assert mine.folder.is_dir()
    mine.close()
    other.close()
    assert [path.name for path in tmp_path.iterdir()] == ["work.lock"]
