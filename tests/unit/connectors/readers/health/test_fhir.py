from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Period, Quantity

Read = Callable[..., Reading]

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"use": "official", "given": ["Ana"], "family": "Silva"}],
    "birthDate": "1980-05-01",
}
SUBJECT = {"reference": "Patient/p1"}


def bundle(*resources: dict[str, Any]) -> str:
    return json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    )


def test_sentences_name_their_patient(read_bytes: Read) -> None:
    reading = read_bytes(
        bundle(
            {
                "resourceType": "Observation",
                "id": "o1",
                "status": "final",
                "code": {"text": "Potassium"},
                "subject": SUBJECT,
                "effectiveDateTime": "2024-03-02",
                "valueQuantity": {"value": 5.4, "unit": "mmol/L"},
                "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5.1}}],
            },
            {
                "resourceType": "AllergyIntolerance",
                "code": {"coding": [{"display": "Penicillin"}]},
                "patient": SUBJECT,
                "criticality": "high",
                "reaction": [{"severity": "severe", "manifestation": [{"text": "Anaphylaxis"}]}],
            },
            {
                "resourceType": "MedicationRequest",
                "medicationCodeableConcept": {"text": "Amoxicillin 500 mg"},
                "subject": SUBJECT,
                "dosageInstruction": [{"text": "1 capsule every 8 hours"}],
            },
            PATIENT,
        ),
        "record.json",
    )
    assert reading.media_type == "application/fhir+json"
    assert reading.title == "Health record of Ana Silva"
    told = [b.text for b in reading.blocks if b.kind == "record"]
    assert told == [
        "Patient: Ana Silva; birth date: 1980-05-01",
        "Ana Silva — Observation: Potassium 5.4 mmol/L; date: 2024-03-02; "
        "reference range: 3.5 to 5.1; status: final",
        "Ana Silva — Allergy intolerance: Penicillin; reaction: severe Anaphylaxis; "
        "criticality: high",
        "Ana Silva — Medication request: Amoxicillin 500 mg; dosage: 1 capsule every 8 hours",
    ]
    observed = reading.records[1]
    assert (observed.kind, observed.subject) == ("observation", "patient:Patient/p1")
    assert observed.values["value"] == Quantity(Decimal("5.4"), "mmol/L")
    assert reading.blocks[1].heading == ("Ana Silva",)


def test_values_are_typed(read_bytes: Read) -> None:
    reading = read_bytes(
        bundle(
            {
                "resourceType": "Encounter",
                "subject": SUBJECT,
                "period": {"start": "2024-03-02T08:00:00Z", "end": "2024-03-04"},
            },
            {
                "resourceType": "Condition",
                "subject": SUBJECT,
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]},
                "onsetDateTime": "2020-05",
                "recordedDate": "2020-06-01T10:00:00+02:00",
            },
            PATIENT,
        ),
        "a.json",
    )
    patient, visit, problem = reading.records
    assert patient.values["birth_date"] == date(1980, 5, 1)
    assert visit.values["period"] == Period(date(2024, 3, 2), date(2024, 3, 4))
    assert problem.values["code"] == "SNOMED CT 38341003"
    assert problem.values["onset"] == "2020-05"
    assert str(problem.values["recorded"]) == "2020-06-01 10:00:00+02:00"


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ({"reference": "Patient/p1"}, "patient:2.9|7"),
        ({"reference": "https://h.example/fhir/Patient/p1/_history/2"}, "patient:2.9|7"),
        ({"reference": "urn:uuid:0a"}, "patient:2.9|7"),
        ({"reference": "#inner"}, "patient:x.example|8"),
        ({"identifier": {"system": "urn:oid:2.9", "value": "7"}}, "patient:2.9|7"),
        ({"reference": "Patient/other"}, "patient:Patient/other"),
        ({"reference": "http://h.example/Patient/9"}, "patient:h.example/Patient/9"),
        ({"reference": "Group/1"}, ""),
        ({"display": "Ana Silva"}, ""),
    ],
)
def test_whom_a_resource_is_about(read_bytes: Read, subject: dict[str, Any], key: str) -> None:
    identified = {
        **PATIENT,
        "identifier": [
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "1-2"},
            {"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:2.9", "value": "7"},
        ],
    }
    inner = {
        "resourceType": "Patient",
        "id": "inner",
        "identifier": [{"system": "http://x.example/", "value": "8"}],
    }
    whole = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:0a", "resource": identified},
            {"resource": {"resourceType": "Flag", "subject": subject, "contained": [inner]}},
        ],
    }
    patient, flag = read_bytes(json.dumps(whole), "a.json").records
    assert patient.values["identifiers"] == ("2.16.840.1.113883.4.1|12", "2.9|7")
    assert flag.subject == key


def test_xml_reads_as_json_does(read_bytes: Read) -> None:
    xml = """<?xml version="1.0"?><Bundle xmlns="http://hl7.org/fhir">
      <entry><resource><Patient><id value="p1"/><name><use value="official"/>
        <family value="Silva"/><given value="Ana"/></name><birthDate value="1980-05-01"/>
        </Patient></resource></entry>
      <entry><resource><Observation><id value="o1"/><status value="final"/>
        <text><div xmlns="http://www.w3.org/1999/xhtml"><p>K</p></div></text>
        <code><text value="Potassium"/></code><subject><reference value="Patient/p1"/></subject>
        <valueQuantity><value value="5.40"/><unit value="mmol/L"/></valueQuantity>
        </Observation></resource></entry>
      <entry><resource><Goal><text><div xmlns="http://www.w3.org/1999/xhtml"><p>Lose <b>5 kg</b>
        </p></div></text></Goal></resource></entry></Bundle>"""
    reading = read_bytes(xml, "a.xml")
    assert reading.media_type == "application/fhir+xml"
    assert [b.text for b in reading.blocks if b.kind == "record"] == [
        "Patient: Ana Silva; birth date: 1980-05-01",
        "Ana Silva — Observation: Potassium 5.40 mmol/L; status: final",
        "Goal: Lose 5 kg",
    ]
    assert reading.records[1].values["value"] == Quantity(Decimal("5.40"), "mmol/L")
    with pytest.raises(ReadError, match="no resources"):
        read_bytes('<Bundle xmlns="http://hl7.org/fhir"/>', "a.xml")


def test_unknown_resources_by_narrative_or_fields(read_bytes: Read) -> None:
    goal = {
        "resourceType": "Goal",
        "text": {"div": "<div><p>Lose <b>5 kg</b></p><p hidden>INJECTED</p></div>"},
    }
    flag = {"resourceType": "Flag", "status": "active", "code": {"text": "Fall risk"}}
    told = [b.text for b in read_bytes(bundle(goal, flag), "a.json").blocks if b.kind == "record"]
    assert told == ["Goal: Lose 5 kg", "Flag: status: active; code: Fall risk"]


def test_odd_shapes_do_not_break(read_bytes: Read) -> None:
    odd: list[Any] = [None, 1, "x", [], {}, [{}], {"coding": "x"}, {"value": {}}]
    keys = ["code", "subject", "name", "valueQuantity", "component", "class", "dosageInstruction"]
    resources = [
        {"resourceType": kind, **dict.fromkeys(keys, value)}
        for kind in ("Patient", "Observation", "Encounter", "MedicationRequest", "CarePlan")
        for value in odd
    ]
    assert len(read_bytes(bundle(*resources), "a.json").records) == len(resources)


def test_ndjson_of_resources(read_bytes: Read) -> None:
    lines = "\n".join(json.dumps(r) for r in (PATIENT, {"resourceType": "Condition"}))
    assert read_bytes(lines, "a.ndjson").media_type == "application/fhir+json"
