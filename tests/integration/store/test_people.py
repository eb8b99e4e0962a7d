from __future__ import annotations

import pytest
import sqlalchemy as sa

from assistant.access.identity import create_person, ensure_person
from assistant.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from assistant.store import conversations, people
from assistant.store.database import Database
from assistant.store.people import Person


@pytest.fixture
def ana(database: Database) -> Person:
    with database.begin() as conn:
        return create_person(conn, "ana", "Ana", ["employee"], password="right", company="bank")


def test_a_token_is_good_until_it_is_revoked(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        token, other = (people.sign_in(conn, "ana", "right", 60) for _ in range(2))
        assert token != other
        assert people.person_of(conn, token) == ana
        people.revoke(conn, token)
        with pytest.raises(Unauthenticated):
            people.person_of(conn, token)
        assert people.person_of(conn, other).login == "ana"
        stored = conn.scalar(sa.text("SELECT string_agg(sessions::text, ' ') FROM sessions"))
        assert token not in str(stored)


def test_wrong_credentials_all_sound_the_same(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        create_person(conn, "sso", "No password", ["employee"])
        create_person(conn, "out", "Out", ["employee"], password="right")
        people.disable(conn, "out")
    said = set()
    for login, password in (("ana", "wrong"), ("nobody", "x"), ("sso", ""), ("out", "right")):
        with pytest.raises(Unauthenticated) as caught, database.begin() as conn:
            people.sign_in(conn, login, password, 60)
        said.add(str(caught.value))
    assert said == {"The login or the password is wrong."}


def test_an_expired_session_is_no_session(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        token = people.sign_in(conn, "ana", "right", -1)
    with pytest.raises(Unauthenticated), database.begin() as conn:
        people.person_of(conn, token)


def test_disabling_ends_every_session_at_once(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        token = people.sign_in(conn, "ana", "right", 60)
    with database.begin() as conn:
        people.disable(conn, "ana")
    with database.begin() as conn:
        people.enable(conn, "ana")
        with pytest.raises(Unauthenticated):
            people.person_of(conn, token)
        assert people.sign_in(conn, "ana", "right", 60)


def test_a_new_password_ends_the_old_sessions(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        token = people.sign_in(conn, "ana", "right", 60)
        people.set_password(conn, "ana", "better")
        with pytest.raises(Unauthenticated):
            people.person_of(conn, token)
        assert people.sign_in(conn, "ana", "better", 60)
        with pytest.raises(Unauthenticated):
            people.sign_in(conn, "ana", "right", 60)


def test_logins_are_taken_once(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        assert ensure_person(conn, "ana", "Other", ["employee"]) == ana
    with pytest.raises(Conflict), database.begin() as conn:
        create_person(conn, "ana", "Other", ["employee"])


def test_excluding_roles_are_refused_twice(database: Database) -> None:
    with pytest.raises(InvalidRequest), database.begin() as conn:
        create_person(conn, "x", "X", ["admin", "auditor"])
    with pytest.raises(sa.exc.IntegrityError), database.begin() as conn:
        people.add_person(conn, "x", "X", ["integrator", "auditor"])


def test_conversations_are_their_owners_alone(database: Database, ana: Person) -> None:
    with database.begin() as conn:
        bob = create_person(conn, "bob", "Bob", ["employee"])
        mine = conversations.start_conversation(conn, ana.id, "Rates")
        question = conversations.add_message(conn, ana.id, mine, "user", {"text": "?"})
        answer = conversations.add_message(conn, ana.id, mine, "assistant", {"text": "!"}, "7")
        conversations.give_feedback(conn, ana.id, answer, "wrong", "no")
        conversations.give_feedback(conn, ana.id, answer, "right")
    with database.begin() as conn:
        messages = conversations.list_messages(conn, ana.id, mine)
        assert [(m.role, m.body["text"], m.receipt) for m in messages] == [
            ("user", "?", ""),
            ("assistant", "!", "7"),
        ]
        newest = conversations.list_messages(conn, ana.id, mine, newest=1)
        assert [m.id for m in newest] == [answer]
        assert conversations.list_conversations(conn, bob.id) == []
        for who, which in ((bob.id, mine), (ana.id, "0" * 32), (ana.id, "a\x00"), (ana.id, "")):
            with pytest.raises(NotFound):
                conversations.list_messages(conn, who, which)
            with pytest.raises(NotFound):
                conversations.add_message(conn, who, which, "user", {})
            with pytest.raises(NotFound):
                conversations.delete_conversation(conn, who, which)
        for who, message in ((bob.id, answer), (ana.id, question), (ana.id, 10**9)):
            with pytest.raises(NotFound):
                conversations.give_feedback(conn, who, message, "right")
        conversations.rename_conversation(conn, ana.id, mine, "Interest")
        assert conversations.conversation(conn, ana.id, mine).title == "Interest"
        conversations.delete_conversation(conn, ana.id, mine.upper())
        assert conversations.list_conversations(conn, ana.id) == []
        assert conn.scalar(sa.text("SELECT count(*) FROM messages")) == 0
