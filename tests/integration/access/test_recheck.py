"""The check before each sentence says at once what deciding everything anew would say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import strategies as st

from assistant.access import acl, break_glass
from assistant.access.identity import caller_with_login
from assistant.access.recheck import Recheck
from assistant.domain import Caller, ChunkId
from assistant.store import people, policies
from assistant.store.catalog import set_document_facts
from assistant.store.database import Database
from assistant.store.identity_tables import break_glass as requests
from assistant.store.passages import document_chunks, documents_called
from assistant.store.tables import memberships, sources
from tests.support.company import SOURCE, Company

PEOPLE, DOCUMENTS, GROUPS = ("ana", "bruno"), ("d0", "d1", "d2"), ("staff", "board")
LISTS = (("everyone",), ("group:staff",), ("group:board", "user:ana"), ())
POLICIES = ("", '[collections.acme]\nonly = ["group:intranet:staff"]\n')

WHO, WHAT, WHERE = map(st.sampled_from, (PEOPLE, DOCUMENTS, GROUPS))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["join", "leave"]), WHO, WHERE),
        st.tuples(st.sampled_from(["disable", "enable"]), WHO),
        st.tuples(st.sampled_from(["delete", "write"]), WHAT),
        st.tuples(st.just("allow"), WHAT, st.sampled_from(LISTS)),
        st.tuples(st.just("move"), WHAT, st.sampled_from(["acme", "elsewhere"])),
        st.tuples(st.just("enforce"), st.sampled_from(POLICIES)),
        st.tuples(st.just("nothing")),
    ),
    min_size=5,
    max_size=25,
)


@dataclass
class Scene:
    """A company, its chunks so far, and the checks that go on meanwhile."""

    company: Company
    callers: dict[str, Caller]
    checks: dict[str, Recheck]
    chunks: list[ChunkId]

    def note(self, name: str) -> None:
        """Write a document, or a new version of it."""
        n = len(self.chunks)
        written = self.company.document(name, f"One of {n}.", f"Two of {n}.")
        with self.company.database.begin() as conn:
            self.chunks += [row.chunk_id for row in document_chunks(conn, written)]

    def take(self, step: str, *args: object) -> None:
        """Change something."""
        with self.company.database.begin() as conn:
            if step == "disable":
                people.disable(conn, str(args[0]))
            elif step == "enable":
                people.enable(conn, str(args[0]))
            elif step == "enforce":
                policies.enforce(conn, str(args[0]))
            elif step == "move":
                for row in documents_called(conn, str(args[0])):
                    facts = replace(row.facts, collection=str(args[1]))
                    set_document_facts(conn, row.source_id, row.external_id, facts)
        if step in ("join", "leave", "delete"):
            if step == "leave":
                self.company.groups.setdefault(str(args[1]), set())
            getattr(self.company, step)(*args)
        elif step == "write":
            self.note(str(args[0]))
        elif step == "allow":
            self.company.allow(str(args[0]), *args[1])  # type: ignore[misc]

    def agree(self) -> None:
        """Compare every check with everything decided anew."""
        for login, check in self.checks.items():
            assert check(self.chunks) == decided(self.company, self.callers[login], self.chunks)
            assert check(self.chunks[:2]) <= set(self.chunks[:2])


def decided(
    company: Company, caller: Caller, chunks: list[ChunkId], max_age_s: float = 0.0
) -> frozenset[ChunkId]:
    with company.database.begin() as conn:
        found = acl.recheck(conn, caller, chunks, max_age_s)
    return frozenset(key for key, one in found.items() if one.decision.allowed)


@pytest.fixture
def scene(database: Database) -> Scene:
    company = Company(database)
    for login in PEOPLE:
        company.person(login, "staff")
    with database.begin() as conn:
        callers = {login: caller_with_login(conn, login) for login in PEOPLE}
    checks = {login: Recheck(database, caller, 0.0) for login, caller in callers.items()}
    made = Scene(company, callers, checks, [])
    for name in DOCUMENTS:
        made.note(name)
    return made


@hypothesis.given(steps=STEPS)
@hypothesis.settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_change_is_missed(scene: Scene, steps: list[tuple[object, ...]]) -> None:
    scene.agree()
    for step, *args in steps:
        scene.take(str(step), *args)
        scene.agree()


def test_it_decides_anew_only_after_a_change(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    check = scene.checks["ana"]
    first = check(scene.chunks)
    assert [check(scene.chunks), check(scene.chunks[:1])] == [first, first & {scene.chunks[0]}]
    assert calls() == 1
    scene.take("delete", "d0")
    assert check(scene.chunks) == first - set(scene.chunks[:2])
    assert calls() == 2


def test_access_for_a_while_ends_by_itself(scene: Scene) -> None:
    database, company = scene.company.database, scene.company
    company.person("mia", roles=("admin",))
    document = company.document("d3", "A secret.", allow=("group:board",))
    with database.begin() as conn:
        ana, mia = (people.person_with_login(conn, login) for login in ("ana", "mia"))
        asked = break_glass.ask(
            conn, ana, document_id=document, reason="Needed tonight.", hours=1, max_hours=1
        )
        break_glass.approve(conn, asked.id, mia)
        chunk = document_chunks(conn, document)[0].chunk_id
    soon(database, asked.id)
    check = scene.checks["ana"]
    assert check([chunk]) == {chunk}
    with database.begin() as conn:
        conn.execute(sa.text("SELECT pg_sleep(3.1)"))
    assert check([chunk]) == frozenset()


def test_access_data_grows_too_old_by_itself(scene: Scene) -> None:
    database, caller = scene.company.database, scene.callers["ana"]
    check = Recheck(database, caller, 3.0)

    def confirm() -> None:
        with database.begin() as conn:
            conn.execute(
                sa.update(sources)
                .where(sources.c.name == SOURCE)
                .values(synced_at=sa.func.clock_timestamp())
            )

    assert check(scene.chunks) == frozenset(), "its source has confirmed nothing yet"
    confirm()
    assert check(scene.chunks) == set(scene.chunks)
    with database.begin() as conn:
        conn.execute(sa.text("SELECT pg_sleep(3.1)"))
    assert check(scene.chunks) == frozenset()
    confirm()
    assert check(scene.chunks) == set(scene.chunks)


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how often everything is decided."""
    n, plain = 0, acl.recheck

    def counting(*args: object) -> object:
        nonlocal n
        n += 1
        return plain(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(acl, "recheck", counting)
    return lambda: n


def soon(database: Database, request_id: str) -> None:
    """Let a request expire in three seconds."""
    until = sa.func.clock_timestamp() + sa.literal(timedelta(seconds=3), sa.Interval)
    with database.begin() as conn:
        at = conn.scalar(sa.select(until))
        conn.execute(sa.update(requests).where(requests.c.id == request_id).values(expires_at=at))
        conn.execute(
            sa.update(memberships)
            .where(memberships.c.group_name == f"grant:{request_id}")
            .values(expires_at=at)
        )
