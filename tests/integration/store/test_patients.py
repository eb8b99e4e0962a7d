"""One patient under several names, of whom askers see what they may read and nothing through it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.access.acl import access_filter
from assistant.access.identity import caller_with_login, create_person
from assistant.domain import Chunk, Principal
from assistant.store import catalog, records
from assistant.store.acls import acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from assistant.store.patients import with_other_names
from assistant.store.records import Asked, NewRecord
from assistant.store.sources import put_source
from connectors.readers.health.patients import linked
from connectors.readers.record import Record

ALL = (Principal("everyone"),)


@pytest.fixture
def hospital(database: Database) -> Database:
    with database.begin() as conn:
        create_person(conn, "ana", "Ana", ["employee"])
        for source in ("fhir", "lab"):
            put_source(conn, source, "files", {})
    return database


def put(
    conn: Connection, source: str, name: str, *new: Record, allow: tuple[Principal, ...] = ALL
) -> None:
    source_id = put_source(conn, source, "files", {}).id
    chunk = NewChunk(Chunk(name, (), "record", "en", 0, 1), np.ones(4) / 2, "m")
    access = acl_id(conn, allow)
    document = NewDocument(source_id, name, "1", name, access, Facts(title=name))
    catalog.upsert_document(conn, document, [chunk], list(map(NewRecord, new)))


def patient(key: str, *identifiers: str, references: tuple[str, ...] = ()) -> Record:
    values = {"identifiers": identifiers, "references": references}
    return Record("patient", values, subject=f"patient:{key}")


def result(subject: str, name: str) -> Record:
    return Record("observation", {"name": name}, subject=f"patient:{subject}")


def results(database: Database, *subjects: str) -> list[str]:
    """The results that Ana finds for a patient."""
    with database.begin() as conn:
        mine = access_filter(conn, caller_with_login(conn, "ana")).access_ids
        asked = Asked(frozenset({"observation"}), frozenset(f"patient:{s}" for s in subjects))
        asked = with_other_names(conn, mine, asked)
        found = [str(one.record.values["name"]) for one in records.find(conn, mine, asked)]
        assert sum(records.counts(conn, mine, asked).values()) == len(found)
    return sorted(found)


def test_all_of_one_patient_comes_together_whatever_the_format(hospital: Database) -> None:
    with hospital.begin() as conn:
        fhir = patient("ehr|1", "ehr|1", "ssn|5", references=("Patient/7",))
        put(conn, "fhir", "p", fhir)
        put(conn, "fhir", "o", result("Patient/7", "glucose"))
        put(conn, "lab", "m", patient("lab|9", "lab|9", "ssn|5"), result("lab|9", "sodium"))
        put(conn, "lab", "x", result("Patient/7", "somebody else's"))
        put(conn, "lab", "y", patient("lab|8", "lab|8", "|5"), result("lab|8", "a stranger's"))
    assert results(hospital, "ehr|1") == ["glucose", "sodium"]
    assert results(hospital, "lab|9") == ["glucose", "sodium"]
    assert results(hospital, "ssn|5") == ["glucose", "sodium"]
    assert results(hospital, "lab|8") == ["a stranger's"]
    assert results(hospital, "nobody|1") == []


def test_a_merge_joins_two(hospital: Database) -> None:
    with hospital.begin() as conn:
        merge = Record("merged_patient", {"identifiers": ("lab|2",)}, subject="patient:lab|1")
        put(conn, "lab", "a", result("lab|1", "new"), result("lab|2", "old"), merge)
    assert results(hospital, "lab|2") == ["new", "old"]


def test_what_may_not_be_read_links_nothing(hospital: Database) -> None:
    with hospital.begin() as conn:
        put(conn, "fhir", "a", patient("ehr|1", "ehr|1"), result("ehr|1", "glucose"))
        put(conn, "lab", "b", patient("lab|9", "lab|9"), result("lab|9", "sodium"))
        secret = (Principal("user:local|bob"),)
        put(conn, "lab", "key", patient("ehr|1", "ehr|1", "lab|9"), allow=secret)
    assert results(hospital, "ehr|1") == ["glucose"]
    with hospital.begin() as conn:
        put(conn, "lab", "key", patient("ehr|1", "ehr|1", "lab|9"))
    assert results(hospital, "ehr|1") == ["glucose", "sodium"]


keys = st.sampled_from(["a|1", "a|2", "b|1", "b|2", "c|9"])


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(st.lists(keys, min_size=1, max_size=3), st.booleans()), max_size=5), keys)
def test_names_are_the_closure_over_what_may_be_read(
    hospital: Database, told: list[tuple[list[str], bool]], asked: str
) -> None:
    subject = f"patient:{asked}"
    with hospital.begin() as conn:
        catalog.delete_documents(conn, put_source(conn, "lab", "files", {}).id)
        for number, (group, is_open) in enumerate(told):
            allow = ALL if is_open else (Principal("user:local|bob"),)
            put(conn, "lab", f"p{number}", patient(group[0], *group), allow=allow)
        mine = access_filter(conn, caller_with_login(conn, "ana")).access_ids
        found = with_other_names(conn, mine, Asked(subjects=frozenset({subject}))).subjects
    same = linked([patient(group[0], *group) for group, is_open in told if is_open])
    assert found == {subject} | {n for n, one in same.items() if one == same.get(subject, subject)}
