from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.readers import Reading
from connectors.readers.record import Quantity

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
    assert (observed.kind, observed.subject) == ("observation", "patient:Ana Silva")
    assert observed.values["value"] == Quantity(Decimal("5.4"), "mmol/L")
    assert reading.blocks[1].heading == ("Ana Silva",)


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
