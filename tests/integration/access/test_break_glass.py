"""Whatever is asked, approved, ended, expired and synced: who reads what is as an oracle says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.access import break_glass
from assistant.access.acl import access_filter, recheck
from assistant.access.identity import caller_of
from assistant.domain import ChunkId, DocumentId
from assistant.errors import Conflict, Forbidden, InvalidRequest, NotFound
from assistant.store import break_glass as rows
from assistant.store import people
from assistant.store.acls import acl_id
from assistant.store.break_glass import BreakGlass
from assistant.store.catalog import set_document_access
from assistant.store.database import Database
from assistant.store.identity_tables import break_glass as table
from assistant.store.passages import document_chunks
from assistant.store.people import Person
from assistant.store.tables import memberships
from tests.support.company import Company

PEOPLE = ("ana", "max", "mia")
APPROVERS = {"max", "mia"}
DOCUMENTS = ("d0", "d1")
NAMED = {"D0": "d0", "https://intranet.example/d1": "d1", "no such thing": "none"}
"""What people call documents: by title, by address, and what nothing is called."""

WHO, WHAT = st.sampled_from(PEOPLE), st.sampled_from(DOCUMENTS)
WHICH = st.integers(0, 3)
LISTS = st.tuples(
    st.frozensets(st.sampled_from([*PEOPLE, "nobody"]), max_size=2),
    st.frozensets(st.sampled_from(PEOPLE), max_size=1),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), WHO, st.sampled_from([*DOCUMENTS, *NAMED, "acme", "elsewhere"])),
        st.tuples(st.just("approve"), WHICH, WHO),
        st.tuples(st.just("approve"), WHICH, st.sampled_from(sorted(APPROVERS))),
        st.tuples(st.just("refuse"), WHICH, WHO),
        st.tuples(st.just("end"), WHICH, WHO),
        st.tuples(st.just("pass"), WHICH),
        st.tuples(st.just("tidy")),
        st.tuples(st.just("sync"), WHAT, LISTS),
    ),
    min_size=2,
    max_size=10,
)


@dataclass
class Asked:
    """A request as the oracle sees it."""

    person: str
    target: str
    id: str
    state: str = "asked"


@dataclass
class Scene:
    """The same steps for the database and for the oracle."""

    conn: Connection
    chunks: list[ChunkId]
    ids: dict[str, DocumentId]
    source_id: int
    lists: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def person(self, login: str) -> Person:
        return people.person_with_login(self.conn, login)

    def ask(self, who: str, target: str) -> None:
        named = {"document_id": self.ids[target]} if target in self.ids else {"collection": target}
        if target in NAMED:
            named = {"named": target}
        found = break_glass.ask(
            self.conn,
            self.person(who),
            reason="needed for the night shift",
            hours=2,
            max_hours=8,
            **named,
        )
        assert found.document_id == named.get("document_id", "")
        self.asked.append(Asked(who, NAMED.get(target, target), found.id))

    def approve(self, which: int, by: str) -> None:
        if which >= len(self.asked):
            return
        one = self.asked[which]
        may = by in APPROVERS and by != one.person and one.state == "asked"
        opens = one.target != "none" and (one.target not in DOCUMENTS or self.would_open(one))
        if may and opens:
            assert break_glass.approve(self.conn, one.id, self.person(by)).state == "active"
            one.state = "active"
            return
        # As the API does it: what failed is rolled back.
        with suppress(Forbidden, Conflict, NotFound), self.conn.begin_nested():
            break_glass.approve(self.conn, one.id, self.person(by))
            raise AssertionError("approved")

    def refuse(self, which: int, by: str) -> None:
        if which >= len(self.asked):
            return
        one = self.asked[which]
        if by in APPROVERS and by != one.person and one.state == "asked":
            assert break_glass.refuse(self.conn, one.id, self.person(by)).state == "refused"
            one.state = "ended"
            return
        with pytest.raises((Forbidden, Conflict)):
            break_glass.refuse(self.conn, one.id, self.person(by))

    def end(self, which: int, by: str) -> None:
        if which >= len(self.asked):
            return
        one = self.asked[which]
        if by != one.person and by not in APPROVERS:
            with pytest.raises(NotFound):
                break_glass.end(self.conn, one.id, self.person(by))
        elif one.state == "ended":
            with pytest.raises(Conflict):
                break_glass.end(self.conn, one.id, self.person(by))
        else:
            break_glass.end(self.conn, one.id, self.person(by))
            one.state = "ended"

    def wait(self, which: int) -> None:
        """Let the time of a request pass."""
        if which < len(self.asked) and self.asked[which].state == "active":
            one = self.asked[which]
            pass_time(self.conn, one.id)
            one.state = "ended"

    def tidy(self) -> None:
        break_glass.expire(self.conn)

    def sync(self, what: str, lists: tuple[frozenset[str], frozenset[str]]) -> None:
        """The source says who reads a document, and knows nothing of requests."""
        self.lists[what] = lists
        allow, deny = ([f"user:local|{who}" for who in sorted(some)] for some in lists)
        set_document_access(self.conn, self.source_id, what, acl_id(self.conn, allow, deny))

    def would_open(self, one: Asked) -> bool:
        allow, deny = self.lists[one.target]
        return bool(allow) and one.person not in deny

    def may_read(self, who: str, what: str) -> bool:
        allow, deny = self.lists[what]
        granted = any(
            one.state == "active" and one.person == who and one.target in {what, "acme"}
            for one in self.asked
        )
        # What nobody may read has no ACL that could be widened.
        return who not in deny and bool(allow) and (who in allow or granted)

    def check(self) -> None:
        """Compare the filter of a search, the check after it and the marks with the oracle."""
        active = {one.id for one in self.asked if one.state == "active"}
        for who in PEOPLE:
            caller = caller_of(self.conn, self.person(who))
            access = access_filter(self.conn, caller)
            checked = recheck(self.conn, caller, self.chunks)
            found = {one.row.document.id: one for one in checked.values()}
            used = break_glass.uses(self.conn, caller, list(found))
            assert {use.request_id for use in used} <= active
            for what, name in self.ids.items():
                expected = self.may_read(who, what)
                assert (found[name].row.document.access_id in access.access_ids) == expected
                assert found[name].decision.allowed == expected
                by_request = expected and who not in self.lists[what][0]
                assert (name in {use.document_id for use in used}) == by_request


def pass_time(conn: Connection, request_id: str) -> None:
    """Let a request expire."""
    past = sa.func.clock_timestamp() - sa.text("interval '1 second'")
    conn.execute(sa.update(table).where(table.c.id == request_id).values(expires_at=past))
    held = memberships.c.group_name == f"grant:{request_id}"
    conn.execute(sa.update(memberships).where(held).values(expires_at=past))


@pytest.fixture
def company(database: Database) -> Company:
    made = Company(database)
    for login in PEOPLE:
        roles = ["employee", "admin"] if login in APPROVERS else ["employee"]
        made.person(login, roles=roles)
    for name in DOCUMENTS:
        made.document(name, f"The text of {name}.", allow=["user:max"])
    return made


@hypothesis.settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@hypothesis.given(steps=STEPS)
def test_who_reads_what_is_as_the_oracle_says(company: Company, steps: list[Any]) -> None:
    class Undone(Exception):
        """Every example begins with the same company."""

    with suppress(Undone), company.database.begin() as conn:
        d = sa.text("SELECT external_id, id FROM documents ORDER BY external_id")
        ids = {row[0]: DocumentId(row[1]) for row in conn.execute(d)}
        chunks = [one.chunk_id for name in ids.values() for one in document_chunks(conn, name)]
        scene = Scene(conn, chunks, ids, company.source_id)
        scene.lists = {name: (frozenset({"max"}), frozenset()) for name in DOCUMENTS}
        for target in (*DOCUMENTS, "acme"):
            scene.ask("ana", target)
        for word, *values in steps:
            getattr(scene, "wait" if word == "pass" else word)(*values)
            scene.check()
        raise Undone


def asked_by(conn: Connection, login: str, **what: str) -> BreakGlass:
    person = people.person_with_login(conn, login)
    return break_glass.ask(
        conn, person, reason="needed for the night shift", hours=1, max_hours=8, **what
    )


def test_what_may_not_be_asked(company: Company) -> None:
    with company.database.begin() as conn:
        person = people.person_with_login(conn, "ana")

        def ask(**what: Any) -> None:
            given: dict[str, Any] = {"reason": "needed for the night shift", "hours": 1}
            break_glass.ask(conn, person, **(given | what), max_hours=8)

        for wrong in (
            {},
            {"document_id": "d", "collection": "c"},
            {"document_id": "d", "reason": " because  "},
            {"document_id": "d", "hours": 9},
            {"document_id": "d", "hours": 0},
        ):
            with pytest.raises(InvalidRequest):
                ask(**wrong)


def test_nobody_approves_alone_even_in_the_database(company: Company) -> None:
    with company.database.begin() as conn:
        own = asked_by(conn, "max", collection="acme")
        with pytest.raises(Forbidden, match="themselves"):
            break_glass.approve(conn, own.id, people.person_with_login(conn, "max"))
        same = sa.update(table).where(table.c.id == own.id)
        with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
            conn.execute(same.values(approved_by=own.person_id))


def test_a_request_that_nobody_looks_at_lapses(company: Company) -> None:
    with company.database.begin() as conn:
        old = asked_by(conn, "ana", collection="acme")
        long_ago = sa.func.now() - sa.text("interval '25 hours'")
        conn.execute(sa.update(table).where(table.c.id == old.id).values(asked_at=long_ago))
        found = rows.request(conn, old.id)
        assert found is not None
        assert found.state == "lapsed"
        with pytest.raises(Conflict, match="lapsed"):
            break_glass.approve(conn, old.id, people.person_with_login(conn, "max"))


def test_an_admin_of_another_tenant_knows_of_nothing(company: Company) -> None:
    with company.database.begin() as conn:
        other = people.add_person(conn, "eva", "Eva", ["admin"], company="blue")
        one = asked_by(conn, "ana", collection="acme")
        for act in (break_glass.approve, break_glass.end):
            with pytest.raises(NotFound):
                act(conn, one.id, other)


def test_without_permissions_a_document_stays_closed(company: Company) -> None:
    paper = company.document("loose", "Nobody knows who may read this.", allow=[])
    with company.database.begin() as conn:
        one = asked_by(conn, "ana", document_id=paper)
        with pytest.raises(Conflict, match="stay closed"):
            break_glass.approve(conn, one.id, people.person_with_login(conn, "max"))


def test_a_disabled_person_gets_nothing(company: Company) -> None:
    with company.database.begin() as conn:
        one = asked_by(conn, "ana", collection="acme")
        break_glass.approve(conn, one.id, people.person_with_login(conn, "max"))
        people.disable(conn, "ana")
        ana = people.person_with_login(conn, "ana")
        assert caller_of(conn, ana).principals == frozenset()
        waiting = asked_by(conn, "ana", collection="acme")
        with pytest.raises(Conflict, match="may not read"):
            break_glass.approve(conn, waiting.id, people.person_with_login(conn, "max"))
