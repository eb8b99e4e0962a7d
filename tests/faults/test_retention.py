"""After the retention nobody reads what was asked; holds keep their months; the chain verifies."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.lifecycle import retention
from assistant.store import conversations, holds
from assistant.store.ledger import Wanted
from tests.support.company import Company
from tests.support.place import QUESTION, Place, create

TODAY = date.today()
LATER = TODAY.replace(year=TODAY.year + 6, month=TODAY.month, day=1)
MUCH_LATER = LATER.replace(year=LATER.year + 1)


@given(st.integers(1, 1200), st.dates(date(2000, 1, 1), date(2400, 1, 1)))
@settings(max_examples=50)
def test_so_many_whole_months_are_kept(months: int, today: date) -> None:
    first = retention.first_kept(months, today)
    year, month = map(int, first.split("-"))
    assert (today.year - year) * 12 + today.month - month == months
    assert 1 <= month <= 12


@pytest.fixture
def asked(origin: Place, company: Company) -> Place:
    """A place where Ana and Rui each asked something, in conversations of their own."""
    company.person("rui", "finance")
    for login in ("ana", "rui"):
        origin.answer(login=login)
        person = origin.person_id(login)
        with origin.database.begin() as conn:
            thread = conversations.start_conversation(conn, person, f"of {login}")
            conversations.add_message(conn, person, thread, "user", {"question": login})
    origin.log.seal()
    return origin


def questions(place: Place) -> dict[str, str]:
    """What the log tells of each person's question."""
    found = [json.loads(body) for body in place.log.find(Wanted(type="query.accepted"), 50)]
    return {e["actor"]["person_id"]: e["data"]["question"] for e in found}


def titles(place: Place, login: str) -> list[str]:
    person = place.person_id(login)
    with place.database.begin() as conn:
        return [one.title for one in conversations.list_conversations(conn, person)]


def test_within_the_retention_nothing_goes(asked: Place) -> None:
    with asked.database.snapshot() as conn:
        assert retention.plan(conn, 72, LATER).n_keys == 0
    assert retention.run(asked.database, asked.log, asked.folder, 72, today=LATER).plan.n_keys == 0
    assert set(questions(asked).values()) == {QUESTION}


def test_a_dry_run_tells_what_a_run_then_does(asked: Place, tmp_path: Path) -> None:
    create(asked, tmp_path / "one.backup")
    before = (tmp_path / "assistant.keys").read_bytes()
    with asked.database.snapshot() as conn:
        planned = retention.plan(conn, 72, MUCH_LATER)
    assert (planned.n_keys, planned.n_messages, planned.n_held) == (2, 2, 0)
    assert set(questions(asked).values()) == {QUESTION}
    done = retention.run(asked.database, asked.log, asked.folder, 72, today=MUCH_LATER)
    assert done.plan == planned
    assert done.keys_files_not_renewed == ()
    assert (tmp_path / "assistant.keys").read_bytes() != before
    assert set(questions(asked).values()) == {"[erased]"}
    with asked.database.begin() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM messages")) == 0
    found = asked.log.verify()
    assert (found.ok, found.reason) == (True, "")
    ended = json.loads(asked.log.find(Wanted(type="retention.done"), 1)[0])["data"]
    assert ended == {"before": planned.before, "n_keys": 2, "n_messages": 2, "n_held": 0}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("subject", "ana"), ("document", ""), ("collection", "acme"), ("everything", "")],
)
def test_a_hold_keeps_its_months_until_it_is_released(
    kind: holds.HoldKind, value: str, asked: Place
) -> None:
    ana, rui = asked.person_id("ana"), asked.person_id("rui")
    if kind == "document":
        prompted = json.loads(asked.log.find(Wanted(type="query.prompted"), 1)[0])
        value = prompted["data"]["chunks"][0]["document_id"]
    with asked.database.begin() as conn:
        hold = holds.create(conn, kind, value, "case 7", "system")
    done = retention.run(asked.database, asked.log, asked.folder, 72, today=MUCH_LATER)
    told = questions(asked)
    assert told[ana] == QUESTION
    assert told[rui] == ("[erased]" if kind == "subject" else QUESTION)
    assert titles(asked, "ana") == ["of ana"]
    assert done.plan.on_hold == (kind == "everything")
    assert done.plan.n_held == (1 if kind == "subject" else 2)
    with asked.database.begin() as conn:
        holds.release(conn, hold.id)
    retention.run(asked.database, asked.log, asked.folder, 72, today=MUCH_LATER)
    assert set(questions(asked).values()) == {"[erased]"}
    assert asked.log.verify().ok
