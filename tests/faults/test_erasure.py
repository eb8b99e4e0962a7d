"""A subject who was erased is nowhere: not in the database, the index, new or old backups."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.audit.event import ANONYMOUS, Event, SignInFailed
from assistant.errors import InvalidRequest, NotFound, OnHold
from assistant.lifecycle.erasure import Eraser, is_genuine
from assistant.store import conversations, dumping, erasing, holds, people, tables
from assistant.store.database import Database
from assistant.store.ledger import Wanted
from tests.support.company import Company
from tests.support.place import Place, create, restore

NAME, NUMBER, LOGIN = "Zoraide Quixadá", "987.654.321-00", "zquixada"
NAMES = [NAME, NUMBER, LOGIN]
CANARIES = [b"zoraide", b"quixad", b"987.654", b"98765432100"]


def eraser(place: Place) -> Eraser:
    return Eraser(place.database, place.log, place.folder)


@pytest.fixture
def told(origin: Place, company: Company) -> Place:
    """A place that knows the subject as patient, reader, asker and in other people's words."""
    person = company.person(LOGIN, "finance")
    with company.database.begin() as conn:
        conn.execute(sa.update(tables.people).where(tables.people.c.id == person).values(name=NAME))
    company.document("letter-of-zoraide-quixada", "She was discharged on Monday.")
    company.document("ward", "Two patients came.", "ZORAIDE QUIXADA, CPF 98765432100, is one.")
    ana = origin.person_id("ana")
    origin.answer(f"What do you know of {NAME}?", login=LOGIN)
    with company.database.begin() as conn:
        for owner, text in ((person, "private"), (ana, f"about {NUMBER}"), (ana, "about nobody")):
            thread = conversations.start_conversation(conn, owner, text)
            conversations.add_message(conn, owner, thread, "user", {"question": text})
    origin.log.record(Event(ANONYMOUS, SignInFailed(LOGIN)))
    origin.log.seal()
    assert any(canary in dump(origin) for canary in CANARIES)
    assert any(canary in index_bytes(origin) for canary in CANARIES)
    return origin


def dump(place: Place) -> bytes:
    """All that a dump of the database would hold."""
    with place.database.snapshot() as conn:
        every = [*dumping.tables(conn), *dumping.tables(conn, ("subject_keys", "sessions"))]
        return b"".join(b for table in every for b in dumping.blocks(conn, table)).lower()


def index_bytes(place: Place) -> bytes:
    folder = place.folder / "index"
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file()).lower()


def assert_gone(place: Place) -> None:
    content = dump(place) + index_bytes(place)
    assert [canary for canary in CANARIES if canary in content] == []
    found = place.log.verify()
    assert (found.ok, found.reason) == (True, "")
    questions = [json.loads(e)["data"] for e in place.log.find(Wanted(type="query.accepted"), 50)]
    assert "[erased]" in [data["question"] for data in questions]
    assert place.log.find(Wanted(subject=LOGIN), 10) == []


def test_a_dry_run_lists_the_places_and_changes_nothing(told: Place, tmp_path: Path) -> None:
    create(told, tmp_path / "one.backup")
    before = dump(told)
    places = eraser(told).find(NAMES)
    assert (len(places.persons), len(places.documents), len(places.conversations)) == (1, 2, 2)
    assert (places.chunks, places.keys, places.generations) == (3, 1, 1)
    assert places.backups == (str(tmp_path / "one.backup"),)
    assert dump(told) == before
    with pytest.raises(NotFound):
        eraser(told).erase(["Nobody Of That Name"])
    with pytest.raises(InvalidRequest, match="short"):
        eraser(told).find(["it"])


def test_an_erased_subject_is_nowhere_and_no_backup_brings_them_back(
    told: Place, company: Company, empty: Callable[[], Place], tmp_path: Path
) -> None:
    create(told, tmp_path / "old.backup")
    certificate = eraser(told).erase(NAMES)
    assert_gone(told)
    assert is_genuine(certificate, told.log)
    assert not is_genuine({**certificate, "certificate": {"documents": []}}, told.log)
    assert len(certificate["certificate"]["documents"]) == 2
    assert certificate["certificate"]["keys_files_not_renewed"] == []
    assert "41 million" in told.answer()[0]
    create(told, tmp_path / "new.backup")
    for name in ("new.backup", "old.backup"):
        place = empty()
        restore(place, tmp_path / name, tmp_path / "identity")
        assert eraser(place).reapply() == 1
        assert_gone(place)
        assert "41 million" in place.answer()[0]
        assert_gone(place)
    with told.database.begin() as conn:
        kept = conversations.list_conversations(conn, told.person_id("ana"))
        assert [thread.title for thread in kept] == ["about nobody"]
        assert LOGIN not in [person.login for person in people.list_people(conn)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("everything", ""), ("subject", NAME), ("subject", LOGIN), ("collection", "acme")],
)
def test_a_legal_hold_forbids_it_until_it_is_released(
    kind: holds.HoldKind, value: str, told: Place
) -> None:
    with told.database.begin() as conn:
        hold = holds.create(conn, kind, value, "case 7", "system")
        holds.create(conn, "subject", "Somebody Else", "case 8", "system")
    before = dump(told)
    with pytest.raises(OnHold, match="case 7"):
        eraser(told).erase(NAMES)
    assert dump(told) == before
    with told.database.begin() as conn:
        holds.release(conn, hold.id)
    eraser(told).erase(NAMES)
    assert_gone(told)


KILLED = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from assistant.audit.log import AuditLog
from assistant.lifecycle.erasure import Eraser
from assistant.settings import load
from assistant.store.database import open_database
url, data_dir, at, *names = sys.argv[1:]
database = open_database(load(database={"url": url}, data_dir=Path(data_dir)))
n = 0
def count(conn):
    global n
    n += 1
    if n == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(database.engine, "commit", count)
Eraser(database, AuditLog(database, Path(data_dir)), Path(data_dir)).erase(names)
"""


@pytest.mark.parametrize("at", [2, 3, 4, 5])
def test_an_erasure_killed_at_a_commit_is_finished_later(
    at: int, told: Place, database: Database
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    arguments = [sys.executable, "-c", KILLED, url, str(told.folder), str(at), *NAMES]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with told.database.snapshot() as conn:
        begun = erasing.listed(conn, unfinished=True)
    if not begun:
        eraser(told).erase(NAMES)
    else:
        assert len(eraser(told).resume()) == 1
    assert_gone(told)
    assert eraser(told).resume() == []
