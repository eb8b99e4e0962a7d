from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.access.acl import access_filter, may_read, readable_document, recheck
from assistant.access.identity import caller_of_token, caller_with_login, create_person
from assistant.access.principals import qualify
from assistant.domain import Chunk, ChunkId, DocumentId, Principal
from assistant.errors import NotFound, Unauthenticated
from assistant.store import catalog, people
from assistant.store.acls import Acl, acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from assistant.store.memberships import closure, groups_of, replace_groups
from assistant.store.passages import document_chunks
from assistant.store.sources import Source, acquire_lease, mark_synced, put_source

GROUPS = [Principal(f"group:bank:{c}") for c in "abcd"]
PEOPLE = [Principal(f"user:local|{name}") for name in ("ana", "bob")]
ANYBODY = st.sampled_from([*GROUPS, *PEOPLE, Principal("everyone")])
MEMBERSHIPS = st.dictionaries(st.sampled_from(GROUPS), st.frozensets(ANYBODY), max_size=4)


@pytest.fixture
def source(database: Database) -> Source:
    with database.begin() as conn:
        create_person(conn, "ana", "Ana", ["employee"], password="pw")
        create_person(conn, "bob", "Bob", ["employee"])
        return put_source(conn, "bank", "files", {})


def add(conn: Connection, source: Source, name: str, access_id: int) -> tuple[DocumentId, ChunkId]:
    chunk = NewChunk(Chunk(name, (), "paragraph", "en", 0, 1), np.ones(4) / 2, "m")
    document = NewDocument(source.id, name, "1", name, access_id, Facts(title=name))
    document_id = catalog.upsert_document(conn, document, [chunk])
    return document_id, document_chunks(conn, document_id)[0].chunk_id


def fixpoint(
    seeds: frozenset[Principal], groups: dict[Principal, frozenset[Principal]]
) -> frozenset[Principal]:
    """The closure computed the slow way: add groups until nothing changes."""
    held = set(seeds)
    while True:
        more = {group for group, members in groups.items() if members & held} - held
        if not more:
            return frozenset(held)
        held |= more


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(MEMBERSHIPS, MEMBERSHIPS, st.frozensets(ANYBODY))
def test_the_closure_is_the_fixpoint(
    database: Database,
    source: Source,
    groups: dict[Principal, frozenset[Principal]],
    others: dict[Principal, frozenset[Principal]],
    seeds: frozenset[Principal],
) -> None:
    with database.begin() as conn:
        other = put_source(conn, "other", "files", {})
        replace_groups(conn, source.id, groups)
        replace_groups(conn, other.id, others)
        both = {
            group: groups.get(group, frozenset()) | others.get(group, frozenset())
            for group in GROUPS
        }
        assert closure(conn, seeds) == fixpoint(seeds, both)
        assert groups_of(conn, source.id) == {g: m for g, m in groups.items() if m}


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    MEMBERSHIPS,
    st.lists(
        st.tuples(
            st.frozensets(ANYBODY, max_size=2),
            st.frozensets(ANYBODY, max_size=1),
            st.frozensets(ANYBODY, max_size=1),
        ),
        max_size=5,
    ),
)
def test_filter_and_recheck_agree_with_the_rules(
    database: Database,
    source: Source,
    groups: dict[Principal, frozenset[Principal]],
    lists: list[tuple[frozenset[Principal], ...]],
) -> None:
    with database.begin() as conn:
        replace_groups(conn, source.id, groups)
        made = [acl_id(conn, *entry) for entry in lists]
        chunks = [add(conn, source, str(n), number)[1] for n, number in enumerate(made)]
    with database.begin() as conn:
        for login in ("ana", "bob"):
            caller = caller_with_login(conn, login)
            held = fixpoint(
                frozenset({Principal(f"user:local|{login}"), Principal("everyone")}), groups
            )
            assert caller.principals == held
            right = [
                bool(allow & held) and not deny & held and all_of <= held
                for allow, deny, all_of in lists
            ]
            admitted = access_filter(conn, caller).access_ids
            assert [number in admitted for number in made] == right
            checked = recheck(conn, caller, chunks)
            assert [checked[chunk].decision.allowed for chunk in chunks] == right


def test_a_revoked_group_is_seen_at_once(database: Database, source: Source) -> None:
    group = qualify("bank", "group:finance")
    with database.begin() as conn:
        replace_groups(conn, source.id, {group: [PEOPLE[0]]})
        number = acl_id(conn, [group])
        document_id, chunk_id = add(conn, source, "a", number)
    with database.begin() as conn:
        before = caller_with_login(conn, "ana")
        admitted = access_filter(conn, before)
        assert number in admitted.access_ids
        assert access_filter(conn, before) is admitted
        assert recheck(conn, before, [chunk_id])[chunk_id].decision.rule == f"allow {group}"
        assert readable_document(conn, before, document_id) is not None
        assert replace_groups(conn, source.id, {})
        assert not replace_groups(conn, source.id, {})
    with database.begin() as conn:
        assert access_filter(conn, before).epoch > admitted.epoch
        assert number not in access_filter(conn, caller_with_login(conn, "ana")).access_ids
        assert not recheck(conn, before, [chunk_id])[chunk_id].decision.allowed
        assert readable_document(conn, before, document_id) is None


def test_a_new_acl_is_admitted_at_once(database: Database, source: Source) -> None:
    with database.begin() as conn:
        caller = caller_with_login(conn, "ana")
        assert access_filter(conn, caller).access_ids == frozenset()
        number = acl_id(conn, ["everyone"])
    with database.begin() as conn:
        assert access_filter(conn, caller).access_ids == {number}


def test_foreign_missing_and_deleted_look_the_same(database: Database, source: Source) -> None:
    with database.begin() as conn:
        caller = caller_with_login(conn, "ana")
        foreign, _ = add(conn, source, "foreign", acl_id(conn, [PEOPLE[1]]))
        nobody, _ = add(conn, source, "nobody", acl_id(conn, []))
        mine, chunk_id = add(conn, source, "mine", acl_id(conn, [PEOPLE[0]]))
        assert readable_document(conn, caller, mine) is not None
        catalog.delete_document(conn, source.id, "mine")
        for document_id in (foreign, nobody, mine, DocumentId("missing")):
            assert readable_document(conn, caller, document_id) is None
        assert recheck(conn, caller, [chunk_id, ChunkId(10**12)]) == {}


def test_access_that_was_not_confirmed_lately_is_refused(
    database: Database, source: Source
) -> None:
    with database.begin() as conn:
        caller = caller_with_login(conn, "ana")
        document_id, chunk_id = add(conn, source, "a", acl_id(conn, ["everyone"]))
        assert recheck(conn, caller, [chunk_id])[chunk_id].decision.allowed
        assert not recheck(conn, caller, [chunk_id], max_age_s=60)[chunk_id].decision.allowed
        assert readable_document(conn, caller, document_id, max_age_s=60) is None
        mark_synced(conn, acquire_lease(conn, source.id, 60))
        assert recheck(conn, caller, [chunk_id], max_age_s=60)[chunk_id].decision.allowed


def test_a_disabled_person_holds_nothing(database: Database, source: Source) -> None:
    with database.begin() as conn:
        caller = caller_with_login(conn, "ana")
        document_id, _ = add(conn, source, "a", acl_id(conn, ["everyone"]))
        token = people.sign_in(conn, "ana", "pw", 60)
        assert caller_of_token(conn, token) == caller
        people.disable(conn, "ana")
    with database.begin() as conn:
        assert readable_document(conn, caller, document_id) is None
        with pytest.raises(Unauthenticated):
            caller_of_token(conn, token)
        with pytest.raises(Unauthenticated, match="disabled"):
            caller_with_login(conn, "ana")
        with pytest.raises(NotFound, match="'eve'"):
            caller_with_login(conn, "eve")


def test_the_rules_alone_decide_what_the_filter_admits(database: Database, source: Source) -> None:
    with database.begin() as conn:
        caller = caller_with_login(conn, "ana")
        denied = acl_id(conn, ["everyone"], [PEOPLE[0]])
        lacking = acl_id(conn, ["everyone"], [], [GROUPS[0]])
        open_to_all = acl_id(conn, ["everyone"])
    with database.begin() as conn:
        assert access_filter(conn, caller).access_ids == {open_to_all}
    assert denied != lacking
    assert may_read(Acl(frozenset(caller.principals)), caller.principals).allowed
