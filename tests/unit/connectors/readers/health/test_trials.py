from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from connectors.readers import Reading

Read = Callable[..., Reading]

STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT01234567", "briefTitle": "Tape for Knees"},
        "statusModule": {
            "overallStatus": "NOT_YET_RECRUITING",
            "startDateStruct": {"date": "2024-03-02"},
            "completionDateStruct": {"date": "2025-01"},
        },
        "conditionsModule": {"conditions": ["Edema", "Pain"]},
        "descriptionModule": {"briefSummary": "Does tape help?"},
        "designModule": {"phases": ["PHASE2"], "enrollmentInfo": {"count": 40}},
        "armsInterventionsModule": {
            "armGroups": [{"label": "Tape", "type": "EXPERIMENTAL"}],
            "interventions": [{"name": "Tape", "type": "DEVICE", "armGroupLabels": ["Tape"]}],
        },
        "outcomesModule": {"primaryOutcomes": [{"measure": "Girth", "timeFrame": "14 days"}]},
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* adults\n* able to walk\n\nExclusion",
            "minimumAge": "18 Years",
            "sex": "ALL",
        },
        "contactsLocationsModule": {"locations": [{"facility": "Hospital", "city": "Recife"}]},
    },
    "resultsSection": {
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "title": "Girth",
                    "unitOfMeasure": "cm",
                    "groups": [{"id": "OG000", "title": "Tape"}],
                    "classes": [
                        {
                            "title": "Day 14",
                            "categories": [
                                {"measurements": [{"groupId": "OG000", "value": "41.5"}]}
                            ],
                        }
                    ],
                }
            ]
        },
        "adverseEventsModule": {
            "eventGroups": [{"id": "EG0", "title": "Tape"}],
            "otherEvents": [
                {"term": "Rash", "stats": [{"groupId": "EG0", "numAffected": 2, "numAtRisk": 20}]}
            ],
        },
    },
}


def told(reading: Reading) -> list[str]:
    return [b.text for b in reading.blocks if b.kind == "record"]


def test_a_study_is_records_about_itself(read_bytes: Read) -> None:
    reading = read_bytes(json.dumps(STUDY), "a.json")
    assert reading.media_type == "application/clinical-trial+json"
    assert reading.title == "Tape for Knees"
    assert told(reading) == [
        "Study: NCT01234567 Tape for Knees; status: not yet recruiting; phase: phase 2; "
        "conditions: Edema, Pain; started: 2024-03-02; completed: 2025-01; enrollment: 40; "
        "sex: all; minimum age: 18 Years",
        "Arm: Tape; type: EXPERIMENTAL",
        "Intervention: Tape; type: DEVICE; arms: Tape",
        "Outcome: Girth; time frame: 14 days; rank: primary",
        "Site: Hospital; city: Recife",
        "Result: Girth — Tape · Day 14: 41.5 cm",
        "Adverse event: Rash; severity: other; affected: Tape 2/20",
    ]
    study, *_, result, _ = reading.records
    assert study.values["started"] == date(2024, 3, 2)
    assert study.values["enrollment"] == Decimal(40)
    assert (result.values["value"], result.values["unit"]) == (Decimal("41.5"), "cm")
    assert {record.subject for record in reading.records} == {"study:NCT01234567"}
    assert [b.text for b in reading.blocks if b.kind == "list"] == ["- adults\n- able to walk"]


def test_pages_of_studies_and_odd_shapes(read_bytes: Read) -> None:
    page = read_bytes(json.dumps({"studies": [STUDY, STUDY]}), "a.json")
    assert sum(record.kind == "study" for record in page.records) == 2
    odd = {"protocolSection": {"armsInterventionsModule": [], "outcomesModule": {"x": 1}}}
    assert read_bytes(json.dumps(odd), "a.json").records[0].kind == "study"


def test_the_older_xml(read_bytes: Read) -> None:
    xml = """<clinical_study><id_info><nct_id>NCT1</nct_id></id_info><brief_title>Tape</brief_title>
    <brief_summary><textblock>Does it help?</textblock></brief_summary>
    <overall_status>Completed</overall_status><start_date>March 2, 2024</start_date>
    <condition>Edema</condition><primary_outcome><measure>Girth</measure></primary_outcome>
    </clinical_study>"""
    reading = read_bytes(xml, "a.xml")
    assert told(reading) == [
        "Study: NCT1 Tape; status: completed; conditions: Edema; started: March 2, 2024",
        "Outcome: Girth; rank: primary",
    ]
