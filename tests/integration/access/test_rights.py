"""Explanations, comparisons and simulations agree with the decisions that are really made."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.access.acl import readable_document
from assistant.access.comparison import compare
from assistant.access.explanation import explain
from assistant.access.identity import caller_with_login, create_person
from assistant.access.invisibility import why
from assistant.access.principals import named, qualify
from assistant.access.rights import Amount, Membership
from assistant.access.simulation import Change, acl_of, membership, simulate
from assistant.domain import DocumentId, Principal
from assistant.errors import InvalidRequest, NotFound
from assistant.store import catalog, people
from assistant.store.acls import Acl, acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewDocument
from assistant.store.heads import policy_epoch
from assistant.store.memberships import replace_groups
from assistant.store.readable import Target
from assistant.store.sources import Source, put_source

GROUPS = [Principal(f"group:bank:{c}") for c in "abcd"]
LOGINS = ("ana", "bob")
PEOPLE = [Principal(f"user:local|{login}") for login in LOGINS]
ANYBODY = st.sampled_from([*GROUPS, *PEOPLE, Principal("everyone")])
MEMBERSHIPS = st.frozensets(st.tuples(ANYBODY, st.sampled_from(GROUPS)), max_size=6)
ACLS = st.builds(
    Acl,
    st.frozensets(ANYBODY, max_size=2),
    st.frozensets(ANYBODY, max_size=1),
    st.frozensets(ANYBODY, max_size=1),
)


@pytest.fixture
def source(database: Database) -> Source:
    with database.begin() as conn:
        for login in LOGINS:
            create_person(conn, login, login.title(), ["employee"])
        create_person(conn, "max", "Max", ["admin"])
        return put_source(conn, "bank", "files", {}, title="The bank")


def add(conn: Connection, source: Source, name: str, acl: Acl) -> DocumentId:
    facts = Facts(title=f"Title of {name}", collection=name.partition("/")[0])
    new = NewDocument(source.id, name, "1", name, acl_id(conn, *acl.lists), facts)
    return catalog.upsert_document(conn, new, [])


def group(conn: Connection, source: Source, memberships: frozenset[Membership]) -> None:
    groups: dict[Principal, set[Principal]] = {}
    for member, name in memberships:
        groups.setdefault(name, set()).add(member)
    replace_groups(conn, source.id, groups)


def read(conn: Connection, documents: list[DocumentId]) -> set[tuple[str, DocumentId]]:
    """Who reads which document by the check that is made when one is opened."""
    callers = {login: caller_with_login(conn, login) for login in LOGINS}
    return {
        (login, document)
        for login, caller in callers.items()
        for document in documents
        if readable_document(conn, caller, document) is not None
    }


def examples(login: str, amounts: tuple[Amount, ...]) -> set[tuple[str, str]]:
    found = {(login, name) for amount in amounts for name in amount.examples}
    assert len(found) == sum(amount.n_documents for amount in amounts)
    return found


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(MEMBERSHIPS, MEMBERSHIPS, st.lists(ACLS, min_size=1, max_size=3), ACLS, st.integers(0, 3))
def test_a_simulation_foretells_what_the_change_does(
    database: Database,
    source: Source,
    now: frozenset[Membership],
    then: frozenset[Membership],
    acls: list[Acl],
    proposed: Acl,
    target: int,
) -> None:
    with database.begin() as conn:
        group(conn, source, now)
        documents = [add(conn, source, f"c{n}/d", acl) for n, acl in enumerate(acls)]
        for n in range(len(acls), 3):
            catalog.delete_document(conn, source.id, f"c{n}/d")
    aimed = documents[target] if target < len(documents) else None
    change = Change(
        joins=then - now,
        leaves=now - then,
        target=Target(document_id=aimed) if aimed else None,
        acl=proposed if aimed else None,
    )
    if change == Change():
        return
    with database.begin() as conn:
        epoch = policy_epoch(conn)
        told = simulate(conn, change)
    with database.begin() as conn:
        assert policy_epoch(conn) == epoch
        before = read(conn, documents)
        compared = compare(conn, *LOGINS)
        explained = {
            (login, name)
            for login in LOGINS
            for name in documents
            if explain(conn, login, name).allowed
        }
        group(conn, source, then)
        if aimed:
            access = acl_id(conn, *proposed.lists)
            catalog.set_document_access(conn, source.id, f"c{target}/d", access)
    with database.begin() as conn:
        after = read(conn, documents)
    assert explained == before
    for side, other in ((compared.one, "bob"), (compared.other, "ana")):
        alone = {name for who, name in before if who == side.login}
        alone -= {name for who, name in before if who == other}
        assert {name for _, name in examples(side.login, side.only)} == alone
    gained = {pair for one in told.effects for pair in examples(one.login, one.gained)}
    lost = {pair for one in told.effects for pair in examples(one.login, one.lost)}
    assert gained == after - before
    assert lost == before - after
    assert (told.n_gained, told.n_lost) == (len(gained), len(lost))
    assert told.n_targeted == bool(aimed)


def test_an_explanation_shows_the_way_through_nested_groups(
    database: Database, source: Source
) -> None:
    a, b, c, d = GROUPS
    with database.begin() as conn:
        group(conn, source, frozenset({(PEOPLE[0], a), (a, b), (b, c), (c, a), (PEOPLE[0], d)}))
        allowed = add(conn, source, "x/allowed", Acl(frozenset({c, PEOPLE[1]})))
        denied = add(conn, source, "x/denied", Acl(frozenset({"everyone"}), frozenset({b})))  # type: ignore[arg-type]
        lacking = add(
            conn,
            source,
            "x/lacking",
            Acl(frozenset({d}), frozenset(), frozenset({Principal("group:bank:z"), d})),
        )
        odd = add(conn, source, "x/odd", Acl(frozenset({d}), frozenset({Principal("unknown:?")})))
    with database.begin() as conn:
        found = explain(conn, "ana", allowed)
        assert (found.allowed, found.rule) == (True, f"allow {c}")
        assert [(e.principal, e.path, e.decisive) for e in found.entries] == [
            (c, (PEOPLE[0], a, b, c), True),
            (PEOPLE[1], (), False),
        ]
        found = explain(conn, "ana", denied)
        assert (found.allowed, found.rule) == (False, f"deny {b}")
        deny = found.entries[0]
        assert (deny.list, deny.held, deny.path) == ("deny", True, (PEOPLE[0], a, b))
        found = explain(conn, "ana", lacking)
        assert (found.allowed, found.rule) == (False, "missing group:bank:z")
        assert [(e.list, e.held, e.decisive) for e in found.entries] == [
            ("allow", True, False),
            ("all_of", True, False),
            ("all_of", False, True),
        ]
        found = explain(conn, "ana", odd)
        assert (found.allowed, found.entries[0].held) == (False, True)
        late = explain(conn, "ana", allowed, max_age_s=60)
        assert (late.allowed, late.rule, late.access_age_s) == (False, "access data too old", None)
        assert explain(conn, "max", allowed).rule == "no role that reads documents"
        people.disable(conn, "ana")
        assert explain(conn, "ana", allowed).rule == "disabled"
        for login, document in (("eve", allowed), ("ana", "missing")):
            with pytest.raises(NotFound):
                explain(conn, login, document)


def test_a_folder_takes_another_acl(database: Database, source: Source) -> None:
    with database.begin() as conn:
        for n in range(5):
            add(conn, source, f"hr/pay_{n}", Acl(frozenset({PEOPLE[0]})))
        add(conn, source, "hr/payX", Acl(frozenset({PEOPLE[0]})))
        proposed = Change(
            target=Target(source="bank", prefix="hr/pay_"), acl=acl_of([PEOPLE[1]], [], [])
        )
        told = simulate(conn, proposed)
    assert told.n_targeted == told.n_gained == told.n_lost == 5
    ana, bob = told.effects
    assert (ana.login, ana.gained, ana.lost[0].n_documents) == ("ana", (), 5)
    assert (bob.login, bob.lost, len(bob.gained[0].examples)) == ("bob", (), 3)


def test_a_change_must_make_sense(database: Database, source: Source) -> None:
    with database.begin() as conn:
        pair = membership(conn, "ana", "group:bank:a")
        assert pair == (PEOPLE[0], GROUPS[0])
        for wrong in ("bank", "group:bank", "group::x", "user:ana", "*"):
            with pytest.raises(InvalidRequest, match="no principal"):
                named(wrong)
        for change in (
            Change(),
            Change(leaves=frozenset({pair})),
            Change(acl=acl_of(["everyone"], [], [])),
            Change(target=Target(source="bank")),
        ):
            with pytest.raises(InvalidRequest):
                simulate(conn, change)
        for target in (Target(document_id="missing"), Target(source="missing")):
            with pytest.raises(NotFound):
                simulate(conn, Change(target=target, acl=acl_of(["everyone"], [], [])))


def test_why_says_the_same_of_missing_deleted_and_forbidden(
    database: Database, source: Source
) -> None:
    with database.begin() as conn:
        put = put_source(conn, "secret", "files", {}, title="Secret source")
        mine = add(conn, source, "c/mine", Acl(frozenset({PEOPLE[0]})))
        foreign = add(conn, source, "c/foreign", Acl(frozenset({PEOPLE[1]})))
        hidden = add(conn, put, "c/hidden", Acl(frozenset({PEOPLE[1]})))
        gone = add(conn, source, "c/gone", Acl(frozenset({PEOPLE[0]})))
        catalog.delete_document(conn, source.id, "c/gone")
    with database.begin() as conn:
        ana = caller_with_login(conn, "ana")
        assert why(conn, ana, mine).visible
        told = [why(conn, ana, one) for one in (foreign, hidden, gone, "missing", "")]
        assert len(set(told)) == 1
        assert [contact.title for contact in told[0].contacts] == ["The bank"]
        assert qualify("bank", "user:ana") == PEOPLE[0]
