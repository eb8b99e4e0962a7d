from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.readers.health.patients import Identifier, identifier, linked, subject
from connectors.readers.record import Record


@pytest.mark.parametrize(
    "spelled",
    [
        ("urn:oid:2.16.840.1.113883.4.1", "078-05-1120", ""),
        ("2.16.840.1.113883.4.1", "078 05 1120", ""),
        ("http://hl7.org/fhir/sid/us-ssn", "078051120", "SS"),
        ("USSSA", "078-05-1120", "SS"),
        ("", "078-05-1120", "SS"),
    ],
)
def test_one_identifier_has_one_spelling(spelled: tuple[str, str, str]) -> None:
    assert str(identifier(*spelled)) == "2.16.840.1.113883.4.1|078051120"


def test_urls_lose_what_does_not_matter() -> None:
    spellings = ("http://Hospital.example/MRN/", "https://hospital.example/MRN")
    assert {str(identifier(s, " A 1 ")) for s in spellings} == {"hospital.example/MRN|A1"}


@pytest.mark.parametrize("value", ["", "000-00-0000", "unknown", "N/A", "999999999", "--"])
def test_placeholders_identify_nobody(value: str) -> None:
    assert identifier("2.16.840.1.113883.4.1", value, "SS") is None


def test_odd_systems_do_not_break() -> None:
    assert str(identifier("http://[broken", "1")) == "[broken|1"


def test_the_medical_record_number_comes_first() -> None:
    number = Identifier("1.2.3", "7", "MR")
    others = [Identifier("2.16.840.1.113883.4.1", "9", "SS"), Identifier("", "7", "MR")]
    assert subject([*others, number]) == "patient:1.2.3|7"
    assert subject([others[0], Identifier("1.9", "8")]) == "patient:1.9|8"
    assert subject([]) == ""


def patient(key: str, *identifiers: str, **values: str) -> Record:
    return Record("patient", {"identifiers": identifiers, **values}, subject=f"patient:{key}")


def test_a_shared_identifier_links_and_a_name_does_not() -> None:
    records = [
        patient("a|1", "a|1", "ssn|5", name="Ana"),
        patient("b|2", "b|2", name="Ana"),
        patient("c|3", "c|3", "ssn|5", name="A. Silva"),
        Record("observation", {}, subject="patient:b|2"),
    ]
    same = linked(records)
    assert same["patient:c|3"] == same["patient:a|1"] == "patient:a|1"
    assert same["patient:b|2"] == "patient:b|2"


def test_numbers_without_an_authority_do_not_link() -> None:
    same = linked([patient("a|1", "a|1", "|7"), patient("b|2", "b|2", "|7")])
    assert same["patient:a|1"] != same["patient:b|2"]


def test_relative_references_link_within_one_source() -> None:
    ana = Record("patient", {"references": ("Patient/7",)}, subject="patient:a|1")
    assert "patient:Patient/7" not in linked([ana])
    assert linked([ana], is_one_source=True)["patient:Patient/7"] == "patient:a|1"


keys = st.sampled_from(["a|1", "a|2", "b|1", "b|2", "c|9"])


@given(st.lists(st.lists(keys, min_size=1, max_size=3)))
def test_linking_is_the_closure_of_sharing(groups: list[list[str]]) -> None:
    same = linked([patient(group[0], *group) for group in groups])
    sets = [set(group) for group in groups]
    merged = True
    while merged:
        merged = False
        for i, one in enumerate(sets):
            for other in sets[i + 1 :]:
                if one & other and one is not other:
                    one |= other
                    sets.remove(other)
                    merged = True
                    break
    where = {key: i for i, group in enumerate(sets) for key in group}
    for a in where:
        for b in where:
            is_same = same[f"patient:{a}"] == same[f"patient:{b}"]
            assert is_same == (where[a] == where[b])
