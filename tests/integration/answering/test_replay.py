"""Replays: the same passages from the record alone, whatever came after the question."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.access.identity import caller_with_login
from assistant.answering.replay import Replay, replay
from assistant.audit.event import QueryPrompted
from assistant.domain import Done, Question
from assistant.errors import Conflict, NotFound
from assistant.settings import Settings
from assistant.store import people
from assistant.store.database import Database
from assistant.wiring import Assistant
from indexes.model import MetadataFilter
from tests.support.company import Company, assembled, events_of
from tests.support.scripted import ScriptedGenerator

WORDS = [
    *("income", "branch", "canteen", "target", "north", "noon"),
    *("report", "risk", "pump", "leave", "year", "sales"),
]


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.person("ana", "finance")
    company.person("bruno")
    company.document("report", "The net income of 2025 was 41 million.", allow=["group:finance"])
    company.document("plan", "The net income of 2026 is planned at 44 million.")
    company.document("canteen", "The canteen opens at noon.")
    return company


@pytest.fixture
def assistant(company: Company, tmp_path: Path) -> Assistant:
    return assembled(Settings(data_dir=tmp_path), company.database, ScriptedGenerator())


def ask(assistant: Assistant, login: str, text: str, metadata: MetadataFilter | None = None) -> str:
    """Ask and return the question's id."""

    async def asked() -> None:
        with assistant.database.begin() as conn:
            caller = caller_with_login(conn, login)
        question = Question(text, caller, metadata=metadata or MetadataFilter())
        async with aclosing(assistant.answerer.answer(question)) as events:  # type: ignore[type-var]
            assert [event async for event in events if isinstance(event, Done)]

    asyncio.run(asked())
    events = [e for e in events_of(assistant.database) if e["type"] == QueryPrompted.type]
    return str(events[-1]["data"]["query_id"])


def again(assistant: Assistant, query_id: str) -> Replay:
    return replay(
        query_id,
        audit=assistant.audit,
        database=assistant.database,
        retriever=assistant.retriever,
        embedder=assistant.embedder.name,
    )


def test_later_documents_and_rights_change_nothing(assistant: Assistant, company: Company) -> None:
    query = ask(assistant, "ana", "What was the net income of 2025?")
    company.document("newer", "The net income of 2025 was 41 million, restated.")
    company.allow("canteen", "group:finance")
    found = again(assistant, query)
    assert (found.same, found.n_lost, found.new) == (True, 0, ())
    assert [c.place for c in found.chunks] == list(range(1, len(found.chunks) + 1))
    assert found.chunks[0].rule_then == "allow group:intranet:finance"
    assert all(c.allowed_now and c.text == "same" for c in found.chunks)


def test_the_difference_of_rights_is_told(assistant: Assistant, company: Company) -> None:
    query = ask(assistant, "ana", "What was the net income of 2025?")
    company.leave("ana", "finance")
    found = again(assistant, query)
    assert found.identical
    assert {c.rule_now for c in found.chunks if not c.allowed_now} == {"not allowed"}
    with assistant.database.begin() as conn:
        people.disable(conn, "ana")
    assert not any(c.allowed_now for c in again(assistant, query).chunks)


def test_what_was_not_readable_then_is_not_found_now(
    assistant: Assistant, company: Company
) -> None:
    query = ask(assistant, "bruno", "What was the net income of 2025?")
    company.join("bruno", "finance")
    company.allow("report", "everyone")
    found = again(assistant, query)
    assert found.identical
    assert "report" not in {c.document_id for c in found.chunks}


def test_lost_documents_are_counted(assistant: Assistant, company: Company) -> None:
    query = ask(assistant, "ana", "What was the net income of 2025?")
    company.delete("report")
    company.document("canteen", "The canteen opens at one.")
    found = again(assistant, query)
    assert (found.identical, found.n_lost) == (False, 2)
    assert {c.text for c in found.chunks} == {"gone", "same"}


def test_filters_are_part_of_the_record(assistant: Assistant, company: Company) -> None:
    company.document("relatorio", "O lucro de 2025 foi de 41 milhões.", lang="pt")
    only = MetadataFilter(langs=frozenset({"pt"}), since=None)
    query = ask(assistant, "ana", "lucro 2025 income", only)
    found = again(assistant, query)
    assert (found.identical, len(found.chunks)) == (True, 1)


def test_unknown_questions(assistant: Assistant) -> None:
    for query in ("", "nothing"):
        with pytest.raises(NotFound):
            again(assistant, query)


def test_a_question_of_an_unknown_reader_is_refused(assistant: Assistant) -> None:
    query = ask(assistant, "ana", "net income")
    with assistant.database.begin() as conn:
        conn.execute(sa.text("DELETE FROM principal_sets"))
    with pytest.raises(Conflict, match="kept nothing"):
        again(assistant, query)


GROUPS: tuple[list[str], ...] = (["everyone"], ["group:finance"], ["group:sales"], [])


@dataclass
class Story:
    """A random history of a company; documents are lost only in some stories, at their end."""

    assistant: Assistant
    company: Company
    chance: random.Random
    loses: bool
    added: list[str] = field(default_factory=lambda: ["report", "plan", "canteen"])
    asked: list[str] = field(default_factory=list)

    def text(self) -> str:
        return " ".join(self.chance.choices(WORDS, k=8))

    def add(self) -> None:
        self.added.append(f"d{len(self.added)}")
        allow = self.chance.choice(GROUPS)
        self.company.document(self.added[-1], self.text(), self.text(), allow=allow)

    def revoke(self) -> None:
        self.company.allow(self.chance.choice(self.added), *self.chance.choice(GROUPS))

    def regroup(self) -> None:
        act = self.company.join if self.chance.random() < 0.6 else self.company.leave
        act(self.chance.choice(["ana", "bruno"]), "finance")

    def lose(self) -> None:
        if self.loses and len(self.asked) > 6:
            self.company.delete(self.chance.choice(self.added))

    def ask(self) -> None:
        self.asked.append(ask(self.assistant, self.chance.choice(["ana", "bruno"]), self.text()))

    def tell(self, n_steps: int) -> None:
        steps = (self.add, self.add, self.revoke, self.regroup, self.ask, self.ask, self.lose)
        for _ in range(n_steps):
            self.chance.choice(steps)()


@pytest.mark.parametrize("seed", range(4))
def test_random_histories(assistant: Assistant, company: Company, seed: int) -> None:
    """Every question replays as it was unless a document was lost that was there then."""
    story = Story(assistant, company, random.Random(seed), loses=seed % 2 == 1)
    story.tell(40)
    assert story.asked
    for one in (again(assistant, query) for query in story.asked):
        assert one.same or (story.loses and one.n_lost)
        for chunk in one.chunks:
            assert chunk.place is not None or one.n_lost
            assert chunk.text == "same" or chunk.place is None
