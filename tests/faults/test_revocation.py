"""Rights that are taken away: what one process commits, every next check of another knows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from assistant.answering.answer import Answerer
from assistant.answering.record import Record
from assistant.answering.verify import similarity_of
from assistant.api.app import create_app
from assistant.audit.log import AuditLog
from assistant.domain import Question
from assistant.ports import Prompt
from assistant.retrieval.follower import Follower
from assistant.retrieval.retriever import Retrieved, Retriever
from assistant.settings import Settings
from assistant.store import people, policies
from assistant.store.database import Database
from assistant.wiring import Assistant
from benchmarks.revocation import run
from indexes.hybrid import HybridIndex
from indexes.model import Hit, Query
from tests.faults.test_database_away import each_question_ended_once
from tests.support.company import SOURCE, Company, events_of, served, signed_in
from tests.support.hashing import HashingEmbedder
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import events


def test_no_search_is_behind_a_commit(tmp_path: Path) -> None:
    found = run(tmp_path, n_operations=150, n_documents=60)
    assert found["operations"] == 150
    assert found["differences"] == 0
    assert all(found["ms"][kind]["p50"] > 0 for kind in ("allow", "delete", "write"))


Barrier = Literal["before the search", "after the search", "before the record", "before the model"]
Change = Literal["list", "group", "deletion", "policy", "person"]
CHANGES: tuple[Change, ...] = ("list", "group", "deletion", "policy", "person")
QUESTION = {"question": "What is the secret code of the vault?"}


class Course:
    """The way of a question; at one barrier something happens, once."""

    def __init__(self) -> None:
        self._at: Barrier | None = None
        self._happens: Callable[[], None] = lambda: None

    def plan(self, at: Barrier, happens: Callable[[], None]) -> None:
        """Let something happen at the next coming to a barrier."""
        self._at, self._happens = at, happens

    def reach(self, barrier: Barrier) -> None:
        """Come to a barrier."""
        if barrier == self._at:
            self._at = None
            self._happens()


class Halting(HybridIndex):
    """An index at the first barriers."""

    def __init__(self, course: Course) -> None:
        super().__init__(HashingEmbedder.dimension)
        self._course = course

    def search(self, query: Query, k: int) -> list[Hit]:
        """Search between the two."""
        self._course.reach("before the search")
        found = super().search(query, k)
        self._course.reach("after the search")
        return found


class Halted(Record):
    """A record at the barriers before the model."""

    def __init__(self, database: Database, audit: AuditLog, course: Course) -> None:
        super().__init__(database, audit)
        self._course = course

    def prompted(
        self, question: Question, prompt: Prompt, retrieved: Retrieved, generator: str
    ) -> str:
        """Commit between the two."""
        self._course.reach("before the record")
        query_id = super().prompted(question, prompt, retrieved, generator)
        self._course.reach("before the model")
        return query_id


@dataclass
class Trial:
    """Somebody with a group of their own, and three documents that only the group may read."""

    company: Company
    number: int
    ana: httpx.Client
    told: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def canary(self) -> str:
        """A word of the documents that nothing else has."""
        return f"canary{self.number}x"

    @property
    def login(self) -> str:
        """Who asks."""
        return f"ana{self.number}"

    @property
    def documents(self) -> list[str]:
        """The names of the documents."""
        return [f"{what}-{self.number}" for what in ("cellar", "attic", "garage")]

    def lose(self, change: Change) -> None:
        """Take the right to read away."""
        team = f"team{self.number}"
        if change == "group":
            self.company.leave(self.login, team)
        for name in self.documents:
            if change == "list":
                self.company.allow(name, "group:others")
            if change == "deletion":
                self.company.delete(name)
        with self.company.database.begin() as conn:
            if change == "policy":
                denied = f'[collections.acme]\ndeny = ["group:{SOURCE}:{team}"]'
                policies.enforce(conn, denied)
            if change == "person":
                people.disable(conn, self.login)

    def ask(self, first_said: Callable[[], None] = lambda: None) -> str:
        """Ask, do something when the first sentence has come; returns all that came after it."""
        said: list[str] = []
        with self.ana.stream("POST", "/v1/chat", json=QUESTION) as stream:
            if stream.status_code != 200:
                return stream.read().decode()
            self.told = []
            for name, data in events(stream):
                self.told.append((name, data))
                said.append(json.dumps(data))
                if name == "delta" and first_said is not _nothing:
                    first_said()
                    first_said, said = _nothing, []
        return "".join(said)


def _nothing() -> None:
    return None


@dataclass
class Stage:
    """One company for all trials."""

    company: Company
    course: Course
    generator: ScriptedGenerator
    assistant: Assistant
    url: str
    stack: ExitStack
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def trial(self) -> Trial:
        """Make the next one, and see that it would be answered."""
        number = next(self.numbers)
        with self.company.database.begin() as conn:
            policies.enforce(conn, "")
        login = f"ana{number}"
        self.company.person(login, f"team{number}")
        ana = signed_in(self.url, self.company.database, login)
        trial = Trial(self.company, number, self.stack.enter_context(closing(ana)))
        for name in trial.documents:
            text = f"The secret code of the {name} vault is {trial.canary}."
            self.company.document(name, text, allow=[f"group:team{number}"])
        self.generator.prompts.clear()
        return trial


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    company, course, generator = Company(database), Course(), ScriptedGenerator()
    embedder, audit = HashingEmbedder(), AuditLog(database, tmp_path)
    retriever = Retriever(database, embedder, Follower(Halting(course), embedder.name))
    record = Halted(database, audit, course)
    answerer = Answerer(retriever, generator, record, similarity_of(embedder), 4)
    assistant = Assistant(
        Settings(data_dir=tmp_path), database, audit, embedder, generator, retriever, answerer
    )
    with ExitStack() as stack:
        url = stack.enter_context(served(create_app(assistant)))
        yield Stage(company, course, generator, assistant, url, stack)


def test_who_keeps_the_right_is_answered(stage: Stage) -> None:
    trial = stage.trial()
    trial.ask()
    assert [name for name, _ in trial.told].count("delta") == 3
    assert trial.canary in json.dumps(trial.told)
    assert trial.canary in repr(stage.generator.prompts)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("barrier", ["before the search", "after the search"])
def test_lost_before_the_second_look_it_enters_no_prompt(
    stage: Stage, barrier: Barrier, change: Change
) -> None:
    trial = stage.trial()
    stage.course.plan(barrier, lambda: trial.lose(change))
    assert trial.canary not in trial.ask()
    assert trial.canary not in repr(stage.generator.prompts)
    assert_settled(stage, trial)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("barrier", ["before the record", "before the model"])
def test_lost_before_the_model_writes_no_sentence_is_shown(
    stage: Stage, barrier: Barrier, change: Change
) -> None:
    trial = stage.trial()
    stage.course.plan(barrier, lambda: trial.lose(change))
    assert trial.canary not in trial.ask()
    assert "delta" not in [name for name, _ in trial.told]
    assert_settled(stage, trial)


@pytest.mark.parametrize("change", CHANGES)
def test_lost_between_two_sentences_the_second_is_not_shown(stage: Stage, change: Change) -> None:
    trial = stage.trial()
    # The first sentence is complete with the beginning of the second.
    stage.generator.hold(2)

    def lose() -> None:
        trial.lose(change)
        if change != "person":
            stage.generator.release()

    after = trial.ask(first_said=lose)
    stage.generator.release()
    names = [name for name, _ in trial.told]
    assert names.count("delta") == 1
    if change == "person":
        assert (names[-1], trial.told[-1][1]["status"]) == ("problem", 401), "cut"
        assert trial.canary not in after
    else:
        # The whole answer at the end still has the sentence that was shown: look at the rest.
        done = trial.told[-1][1]
        assert [one["verdict"] for one in done["withheld"]] == ["not_permitted"] * 2
        assert trial.canary not in json.dumps(done["withheld"])
        assert len(done["citations"]) <= 1
    assert_settled(stage, trial)


@pytest.mark.parametrize("change", CHANGES)
def test_lost_after_the_answer_nothing_of_it_opens(stage: Stage, change: Change) -> None:
    trial = stage.trial()
    trial.ask()
    done = trial.told[-1][1]
    cited = {citation["document_id"] for citation in done["citations"]}
    assert len(cited) == 3
    trial.lose(change)
    for document_id in cited:
        assert trial.ana.get(f"/v1/documents/{document_id}").status_code in {401, 404}
    thread = trial.ana.get(f"/v1/conversations/{done['conversation_id']}")
    assert trial.canary not in thread.text
    assert_settled(stage, trial)


def assert_settled(stage: Stage, trial: Trial) -> None:
    """Nothing comes back when asked again, and each question has one end."""
    n_before = len(stage.generator.prompts)
    assert trial.canary not in trial.ask()
    for prompt in stage.generator.prompts[n_before:]:
        assert trial.canary not in repr(prompt)
    assert trial.canary not in trial.ana.post("/v1/search", json={"query": "secret code"}).text
    assert stage.assistant.audit.verify().ok
    each_question_has_an_end(stage)


def each_question_has_an_end(stage: Stage) -> None:
    told = [event["type"] for event in events_of(stage.company.database)]
    ends = told.count("query.finished") + told.count("query.aborted")
    assert ends == told.count("query.prompted")
    each_question_ended_once(stage.company.database, ends)
