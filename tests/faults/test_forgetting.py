"""What was erased does not come back: by a running index, a sync, a restore cut short, a key."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from assistant import wiring
from assistant.access.identity import caller_with_login
from assistant.access.key import DEFAULT_SCOPES, give_key
from assistant.errors import Conflict
from assistant.ingest.task import Task
from assistant.lifecycle import backup
from assistant.lifecycle.erasure import Eraser
from assistant.retrieval.generations import Outlived
from assistant.store import conversations, dumping, keys, people, sources, tombstones
from assistant.wiring import Assistant
from tests.conftest import settings_for
from tests.support.company import Company
from tests.support.place import Place, create, restore

NAME, LOGIN = "Zoraide Quixadá", "zquixada"
NAMES = [NAME, LOGIN]
CANARIES = [b"zoraide", b"quixad"]


def erase(place: Place) -> str:
    certificate = Eraser(place.database, place.log, place.folder).erase(NAMES)
    return str(certificate["certificate"]["erasure_id"])


def held(folder: Path) -> list[bytes]:
    """The canaries in all files below a folder."""
    content = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file()).lower()
    return [canary for canary in CANARIES if canary in content]


@pytest.fixture
def running(origin: Place, company: Company) -> Iterator[Assistant]:
    """An assistant in the middle of its work, whose index holds the subject's words."""
    company.person(LOGIN, "finance")
    company.document("letter-of-zoraide-quixada", "Zoraide Quixadá was discharged on Monday.")
    settings = settings_for(str(origin.database.engine.url), origin.folder)
    made = wiring.assembled(settings, origin.database, origin.model)
    with origin.database.begin() as conn:
        caller = caller_with_login(conn, "ana")
    assert made.retriever.retrieve("Zoraide", caller, k=3).passages
    assert held(origin.folder / "index")
    yield made
    made.retriever.close()


def test_a_running_index_forgets_without_a_search_and_goes_on(
    running: Assistant, origin: Place
) -> None:
    retriever = running.retriever
    old, follower = retriever._follower.index, retriever._follower
    kept = retriever._generations
    assert kept is not None
    erase(origin)
    with pytest.raises(Outlived):
        kept.save(follower)
    assert held(origin.folder / "index")
    retriever.catch_up()
    assert kept._thread is not None
    kept._thread.join()
    assert follower.index is not old
    del old
    assert held(origin.folder / "index") == []
    with origin.database.begin() as conn:
        caller = caller_with_login(conn, "ana")
    found = retriever.retrieve("What was the net income of 2025?", caller, k=3).passages
    assert "41 million" in found[0].text
    kept.save(follower)
    assert held(origin.folder / "index") == []


def test_a_generation_from_before_an_erasure_is_dropped_at_the_start(
    origin: Place, company: Company, tmp_path: Path
) -> None:
    company.document("letter", f"{NAME} was discharged on Monday.")
    origin.answer()
    elsewhere = tmp_path / "elsewhere"
    (origin.folder / "index").rename(elsewhere)
    erase(origin)
    (origin.folder / "index").rename(tmp_path / "since")
    elsewhere.rename(origin.folder / "index")
    assert held(origin.folder / "index")
    assert "41 million" in origin.answer()[0]
    assert held(origin.folder / "index") == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "papers"
    found.mkdir()
    (found / ".access.toml").write_text('allow = ["everyone"]\n')
    (found / "discharge.md").write_text(f"# Discharge\n\n{NAME} went home on Monday.\n")
    (found / "menu.md").write_text("# Menu\n\nSoup is served at noon.\n")
    return found


def synced(place: Place, folder: Path, *, full: bool = False) -> dict[str, int]:
    with place.database.begin() as conn:
        source = sources.put_source(conn, "papers", "files", {"path": str(folder)})
    settings = settings_for(str(place.database.engine.url), place.folder)
    run = wiring.sync_run(settings, place.database, place.model, source, task=Task(full=full))
    return asyncio.run(run.run()).counts.as_dict()


def test_no_sync_brings_it_back_until_it_is_released(origin: Place, folder: Path) -> None:
    assert synced(origin, folder)["added"] == 2
    erasure_id = erase(origin)
    (folder / "discharge.md").write_text(f"# Discharge\n\n{NAME} went home on Tuesday.\n")
    for full in (False, True):
        counts = synced(origin, folder, full=full)
        assert (counts["erased"], counts["added"], counts["failed"]) == (1, 0, 0)
    with origin.database.begin() as conn:
        assert tombstones.counts(conn) == {erasure_id: 1}
        assert not [c for c in CANARIES if c in dump(origin)]
        assert tombstones.release(conn, erasure_id) == 1
    counts = synced(origin, folder, full=True)
    assert (counts["erased"], counts["added"]) == (0, 1)


def test_restored_places_keep_it_out_as_well(
    origin: Place, folder: Path, empty: Callable[[], Place], tmp_path: Path
) -> None:
    synced(origin, folder)
    create(origin, tmp_path / "old.backup")
    erase(origin)
    place = empty()
    restore(place, tmp_path / "old.backup", tmp_path / "identity")
    Eraser(place.database, place.log, place.folder).reapply()
    assert synced(place, folder, full=True)["erased"] == 1
    assert not [canary for canary in CANARIES if canary in dump(place)]


def dump(place: Place) -> bytes:
    """All that a dump of the database would hold."""
    with place.database.snapshot() as conn:
        every = [*dumping.tables(conn), *dumping.tables(conn, ("subject_keys", "sessions"))]
        return b"".join(b for table in every for b in dumping.blocks(conn, table)).lower()


def test_conversations_are_no_text_at_rest_and_their_owner_reads_them(
    origin: Place, company: Company
) -> None:
    person = company.person(LOGIN)
    with origin.database.begin() as conn:
        thread = conversations.start_conversation(conn, person, f"About {NAME}")
        body: dict[str, JsonValue] = {"question": f"Where is {NAME}?"}
        conversations.add_message(conn, person, thread, "user", body)
        answer = conversations.add_message(conn, person, thread, "assistant", {"answer": NAME})
        conversations.give_feedback(conn, person, answer, "wrong", f"{NAME} is elsewhere")
    assert b"zoraide" not in dump(origin)
    with origin.database.begin() as conn:
        (head,) = conversations.list_conversations(conn, person)
        messages = conversations.list_messages(conn, person, thread)
    assert head.title == f"About {NAME}"
    assert [message.body for message in messages] == [body, {"answer": NAME}]
    erase(origin)
    with origin.database.begin() as conn:
        assert conversations.list_conversations(conn, person) == []


def test_keys_of_an_erased_person_are_gone(origin: Place, company: Company) -> None:
    person_id = company.person(LOGIN)
    settings = settings_for(str(origin.database.engine.url), origin.folder)
    with origin.database.begin() as conn:
        owner = people.person_with_login(conn, LOGIN)
        give_key(conn, settings, owner, f"of {NAME}", DEFAULT_SCOPES, 30)
    erase(origin)
    with origin.database.begin() as conn:
        assert [key for key in keys.list_keys(conn) if key.person_id == person_id] == []
    assert not [canary for canary in CANARIES if canary in dump(origin)]


KILLED = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from assistant.lifecycle import backup, sealed
from assistant.settings import load
from assistant.store.database import open_database
url, data_dir, path, identity, at = sys.argv[1:]
database = open_database(load(database={"url": url}, data_dir=Path(data_dir)))
n = 0
def count(conn):
    global n
    n += 1
    if n == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(database.engine, "commit", count)
key = sealed.read_identity(Path(identity))
backup.restore(database, Path(data_dir), Path(path), Path(path).parent / "assistant.keys", key)
os.kill(os.getpid(), signal.SIGKILL)
"""


def refuses(place: Place) -> bool:
    """Whether nothing but a restore opens the database of a place."""
    settings = settings_for(str(place.database.engine.url), place.folder)
    try:
        with wiring.database(settings):
            return False
    except Conflict as error:
        return "run the same `assistant backup restore` again" in str(error)


@pytest.mark.parametrize("at", [0, *range(3, 7)])
def test_a_restore_that_was_killed_is_finished_before_anything_else(
    at: int, origin: Place, company: Company, empty: Callable[[], Place], tmp_path: Path
) -> None:
    company.document("letter", f"{NAME} was discharged on Monday.")
    create(origin, tmp_path / "old.backup")
    erase(origin)
    create(origin, tmp_path / "new.backup")
    place, identity = empty(), tmp_path / "identity"
    url = place.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, url, str(place.folder), str(tmp_path / "old.backup")]
    done = subprocess.run(
        [*command, str(identity), str(at)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with place.database.begin() as conn:
        is_loaded = not dumping.is_unused(conn)
    assert refuses(place) == is_loaded
    if is_loaded:
        with pytest.raises(Conflict, match="Another backup"):
            restore(place, tmp_path / "new.backup", identity)
    restore(place, tmp_path / "old.backup", identity)
    assert refuses(place)
    Eraser(place.database, place.log, place.folder).reapply()
    backup.end_restore(place.database)
    assert not refuses(place)
    assert not [canary for canary in CANARIES if canary in dump(place)]
    assert place.log.verify().ok
    assert "41 million" in place.answer()[0]
    assert json.dumps(held(place.folder)) == "[]"


def test_what_was_plain_before_is_sealed_by_the_migration(
    origin: Place, empty: Callable[[], Place]
) -> None:
    place = empty()
    place.database.migrate("0013")
    with place.database.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO people (id, issuer, subject, login) VALUES ('p', 'local', 'p', 'p');"
                "INSERT INTO conversations (id, person_id, title) VALUES "
                "('00000000-0000-4000-8000-000000000001', 'p', 'About Zoraide');"
                "INSERT INTO messages (conversation_id, role, body) VALUES "
                "('00000000-0000-4000-8000-000000000001', 'user', "
                "jsonb_build_object('question', 'Zoraide?'));"
            )
        )
    place.database.migrate()
    assert b"zoraide" not in dump(place)
    with place.database.begin() as conn:
        (head,) = conversations.list_conversations(conn, "p")
        (message,) = conversations.list_messages(conn, "p", head.id)
    assert (head.title, message.body) == ("About Zoraide", {"question": "Zoraide?"})
