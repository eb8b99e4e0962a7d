"""Any sequence of changes and questions: nothing forbidden is ever seen, by an oracle of its own.

Each version of a document holds a canary in its text, title and address that no other has. The
generator obeys: it quotes whatever it is given. 300 runs of 40 steps; `make test-nightly` does
5,000 of 100.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from assistant.access.identity import create_person
from assistant.api.app import create_app
from assistant.domain import Chunk, Principal
from assistant.settings import Settings
from assistant.store import catalog, memberships, people, policies
from assistant.store.acls import acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from tests.support.company import SOURCE, Company, assembled
from tests.support.permission_oracle import EVERYONE, Lists, World, Written
from tests.support.scripted import ScriptedGenerator

PEOPLE = ("ana", "bruno", "cleo")
GROUPS = tuple(f"group:{SOURCE}:g{n}" for n in range(3))
NAMES = tuple(f"d{n}" for n in range(4))
COLLECTIONS = ("ward", "office")
CANARY = re.compile(r"canary\d+")

MEMBERS = st.sampled_from([*PEOPLE, *GROUPS])
PRINCIPALS = st.sampled_from([*PEOPLE, *GROUPS, EVERYONE])
GROUP, WHO, WHAT = (st.sampled_from(some) for some in (GROUPS, PEOPLE, NAMES))
LISTS = st.builds(
    Lists,
    st.frozensets(PRINCIPALS, min_size=1, max_size=3),
    st.frozensets(PRINCIPALS, max_size=1),
    st.frozensets(GROUP, max_size=1),
)


class Stage:
    """One app over one database for all runs; each run has people of its own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.company = Company(database)
        self.generator = ScriptedGenerator()
        self.assistant = assembled(Settings(data_dir=folder), database, self.generator)
        transport = httpx.ASGITransport(create_app(self.assistant))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://assistant")
        self.runner = asyncio.Runner()
        self.numbers = itertools.count(1)
        self.logged: list[str] = []
        self.staff = {role: self.person(role, role) for role in ("admin", "auditor")}

    def person(self, login: str, role: str = "employee") -> dict[str, str]:
        """Add somebody; returns the headers of their session."""
        with self.database.begin() as conn:
            added = create_person(conn, login, login, [role])
            token = people.start_session(conn, added.id, 36_000)
        return {"Authorization": f"Bearer {token}"}

    def call(self, headers: dict[str, str], method: str, path: str, **sent: Any) -> httpx.Response:
        """Send a request to the app within this process."""
        sending = self.client.request(method, path, headers=headers, **sent)
        response = self.runner.run(sending)
        assert response.status_code < 500, (path, response.text)
        return response

    def log(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        """Keep what would have been logged."""
        del logger, method
        self.logged.append(repr(event))
        raise structlog.DropEvent


class PermissionMachine(RuleBasedStateMachine):
    """The product and the oracle, side by side."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        run = next(self.stage.numbers)
        self.world = World()
        self.logins = {name: f"{name}{run}" for name in PEOPLE}
        self.sessions = {name: self.stage.person(login) for name, login in self.logins.items()}
        self.conversations: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        with self.stage.database.begin() as conn:
            for name in NAMES:
                catalog.delete_document(conn, self.stage.company.source_id, name)
            memberships.replace_groups(conn, self.stage.company.source_id, {})
            policies.enforce(conn, "")

    def principal(self, name: str) -> Principal:
        """Return a name of the oracle as the product knows it."""
        return Principal(f"user:local|{self.logins[name]}" if name in self.logins else name)

    def ask_of(self, who: str, method: str, path: str, **sent: Any) -> str:
        """Send a request; what comes back holds no canary that this person may not see."""
        text = self.stage.call(self.sessions[who], method, path, **sent).text
        assert set(CANARY.findall(text)) <= self.world.canaries(who), (who, path)
        return text

    @rule(name=WHAT, lists=LISTS, collection=st.sampled_from(COLLECTIONS))
    def write(self, name: str, lists: Lists, collection: str) -> None:
        canary = f"canary{next(self.stage.numbers)}"
        text = f"The secret report of the year says {canary}."
        vector = self.stage.company.embedder.embed_documents([text])[0]
        chunk = Chunk(text, (), "paragraph", "en", 0, len(text))
        facts = Facts(
            uri=f"https://x.example/{canary}", title=f"On {canary}", collection=collection
        )
        with self.stage.database.begin() as conn:
            new = NewDocument(
                self.stage.company.source_id, name, canary, canary, self.acl(conn, lists), facts
            )
            made = NewChunk(chunk, vector, self.stage.company.embedder.name)
            self.ids[name] = catalog.upsert_document(conn, new, [made])
        self.world.documents[name] = Written(canary, lists, collection)

    def acl(self, conn: Any, lists: Lists) -> int:
        allow, deny, all_of = (
            {self.principal(name) for name in names}
            for names in (lists.allow, lists.deny, lists.all_of)
        )
        return acl_id(conn, allow, deny, all_of)

    @rule(name=WHAT, lists=LISTS)
    def change_access(self, name: str, lists: Lists) -> None:
        if name in self.world.documents:
            with self.stage.database.begin() as conn:
                access = self.acl(conn, lists)
                catalog.set_document_access(conn, self.stage.company.source_id, name, access)
            self.world.documents[name].lists = lists

    @rule(name=WHAT)
    def delete(self, name: str) -> None:
        with self.stage.database.begin() as conn:
            catalog.delete_document(conn, self.stage.company.source_id, name)
        self.world.delete(name)

    @rule(member=MEMBERS, group=GROUP)
    def join_or_leave(self, member: str, group: str) -> None:
        """Groups join groups too, in circles as well."""
        self.world.memberships ^= {(member, group)}
        groups: dict[Principal, set[Principal]] = {}
        for one, name in self.world.memberships:
            groups.setdefault(Principal(name), set()).add(self.principal(one))
        with self.stage.database.begin() as conn:
            memberships.replace_groups(conn, self.stage.company.source_id, groups)

    @rule(
        collection=st.sampled_from(COLLECTIONS),
        only=st.frozensets(GROUP, max_size=2),
        deny=st.frozensets(GROUP, max_size=1),
    )
    def change_policy(self, collection: str, only: frozenset[str], deny: frozenset[str]) -> None:
        self.world.rules[collection] = (only, deny)
        text = "\n".join(
            f"[collections.{name}]\nonly = {sorted(some)}\ndeny = {sorted(none)}"
            for name, (some, none) in self.world.rules.items()
        )
        with self.stage.database.begin() as conn:
            policies.enforce(conn, text)

    @rule(who=WHO)
    def ask(self, who: str) -> None:
        self.stage.generator.prompts.clear()
        body = {"question": "What does the secret report of the year say?"}
        if who in self.conversations:
            body["conversation_id"] = self.conversations[who]
        told = json.loads(self.ask_of(who, "POST", "/v1/answers", json=body))
        self.conversations[who] = told["conversation_id"]
        for prompt in self.stage.generator.prompts:
            assert set(CANARY.findall(repr(prompt))) <= self.world.canaries(who)
        cited = {canary for one in told["citations"] for canary in CANARY.findall(json.dumps(one))}
        assert cited == self.world.canaries(who)
        self.world.tell(who)

    @rule(who=WHO)
    def search(self, who: str) -> None:
        body = {"query": "secret report of the year", "k": 50}
        found = self.ask_of(who, "POST", "/v1/search", json=body)
        assert set(CANARY.findall(found)) == self.world.canaries(who)

    @rule(who=WHO, name=WHAT)
    def open(self, who: str, name: str) -> None:
        document_id = self.ids.get(name, "missing")
        found = self.ask_of(who, "GET", f"/v1/documents/{document_id}")
        written = self.world.documents.get(name)
        assert (written is not None and self.world.may_read(who, written)) == (
            bool(CANARY.search(found))
        )
        self.ask_of(who, "GET", f"/v1/access/why/{document_id}")

    @rule(who=WHO, other=WHO)
    def look_back(self, who: str, other: str) -> None:
        """At one's own history, and at another's, which isn't there."""
        self.ask_of(who, "GET", "/v1/conversations")
        if other in self.conversations:
            path = f"/v1/conversations/{self.conversations[other]}"
            found = self.stage.call(self.sessions[who], "GET", path)
            assert found.status_code == (200 if who == other else 404)
            assert set(CANARY.findall(found.text)) <= self.world.remembered(who), who
        self.ask_of(who, "GET", "/v1/me")
        self.ask_of(who, "GET", "/v1/records")

    @rule(who=WHO, name=WHAT)
    def examine(self, who: str, name: str) -> None:
        """Neither an administrator's look nor the audit log holds a word of any document."""
        asked = {"user": self.logins[who], "document": self.ids.get(name, "missing")}
        admin, auditor = self.stage.staff["admin"], self.stage.staff["auditor"]
        found = self.stage.call(admin, "GET", "/v1/access/explain", params=asked)
        written = self.world.documents.get(name)
        assert (found.status_code == 200) == (written is not None)
        if written is not None:
            assert found.json()["allowed"] == self.world.may_read(who, written)
        size = self.stage.assistant.audit.size
        newest = {"first": max(0, size - 20)}
        exported = self.stage.call(auditor, "GET", "/v1/audit/export", params=newest)
        assert not CANARY.search(found.text + exported.text)

    def teardown(self) -> None:
        assert not CANARY.search("".join(self.stage.logged))
        self.stage.logged.clear()


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    before = structlog.get_config()
    made = Stage(database, tmp_path)
    structlog.configure(processors=[made.log], cache_logger_on_first_use=False)
    yield made
    made.runner.run(made.client.aclose())
    made.runner.close()
    structlog.configure(**before)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("half", ["first", "second"])
def test_nothing_forbidden_is_ever_seen(
    stage: Stage, request: pytest.FixtureRequest, half: str
) -> None:
    del half  # Each takes an hour at night: they run side by side, and no two runs are alike.
    nightly = request.config.getoption("--hypothesis-profile") == "nightly"
    PermissionMachine.stage = stage
    chosen = hypothesis.settings(
        max_examples=2_500 if nightly else 150,
        stateful_step_count=100 if nightly else 40,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    run_state_machine_as_test(PermissionMachine, settings=chosen)
