from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.health.patients import linked
from connectors.readers.record import Period, Quantity

Read = Callable[..., Reading]

T = "2.16.840.1.113883.10.20.22.4"


def document(*sections: str, lang: str = "en-US", body: str = "", ids: str = "") -> str:
    ids = ids or '<id root="2.16.840.1.113883.4.1" extension="078-05-1120"/>' + (
        '<id root="2.16.840.1.99" extension="4711"/>'
    )
    inner = "".join(f"<component><section>{s}</section></component>" for s in sections)
    return f"""<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2" extension="D1"/>
      <code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summary"/>
      <title>Visit summary</title><effectiveTime value="20240302"/><languageCode code="{lang}"/>
      <recordTarget><patientRole>{ids}<addr><city>Recife</city><!-- note --></addr>
      <telecom value="tel:+1"/><patient><name><given>Ana</given><family>Silva</family></name>
      <administrativeGenderCode code="F" displayName="Female"/><birthTime value="19800501"/>
      </patient></patientRole></recordTarget>
      {body or f"<component><structuredBody>{inner}</structuredBody></component>"}
      </ClinicalDocument>"""


def told(reading: Reading) -> list[str]:
    return [b.text for b in reading.blocks if b.kind == "record"][2:]


def test_header_and_narrative(read_bytes: Read) -> None:
    reading = read_bytes(
        document(
            """<title>Results</title><text>Before <content>it</content><table><thead><tr>
            <th>Test</th><th colspan="2">Value</th></tr></thead><tbody>
            <tr><td rowspan="2">K</td><td>5.4</td><td>H</td></tr><tr><td>4.9</td><td/></tr>
            </tbody></table><list listType="ordered"><caption>Next</caption><item>Rest</item>
            <item>Call</item></list></text>"""
        ),
        "a.xml",
    )
    assert (reading.title, reading.lang) == ("Visit summary — Ana Silva", "en")
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Visit summary"),
        (
            "record",
            "Patient: Ana Silva; birth date: 1980-05-01; gender: female; address: Recife; "
            "telephone: +1; identifiers: 2.16.840.1.113883.4.1|078051120, 2.16.840.1.99|4711",
        ),
        ("record", "Ana Silva — Document: Visit summary; type: Summary; date: 2024-03-02"),
        ("heading", "Results"),
        ("paragraph", "Before it"),
        ("table", "K — Value: 5.4; Value: H\nK — Value: 4.9"),
        ("caption", "Next"),
        ("list", "1. Rest\n2. Call"),
    ]
    assert reading.records[0].subject == "patient:2.16.840.1.99|4711"


def test_tables_without_a_head(read_bytes: Read) -> None:
    table = "<text><table><tr><td>Drug</td><td>Dose</td></tr><tr><td>A</td><td>1</td></tr></table>"
    reading = read_bytes(document(f"<title>T</title>{table}</text>"), "a.xml")
    assert reading.blocks[-1].cells == (("Drug", "Dose"), ("A", "1"))


def test_results_with_units_ranges_and_null_flavours(read_bytes: Read) -> None:
    def observed(value: str) -> str:
        return (
            '<component><observation classCode="OBS" moodCode="EVN"><id root="1" extension="o"/>'
            '<code code="2823-3" codeSystem="2.16.840.1.113883.6.1" displayName="Potassium"/>'
            '<statusCode code="completed"/><effectiveTime value="202403020830-0500"/>'
            f"{value}</observation></component>"
        )

    organizer = (
        '<entry><organizer><code displayName="Panel"/>'
        + observed(
            '<value xsi:type="PQ" value="5.40" unit="mmol/L"/><interpretationCode code="H"/>'
            '<referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="3.5"'
            ' unit="mmol/L"/><high value="5.1" unit="mmol/L"/></value></observationRange>'
            "</referenceRange>"
        )
        + observed('<value xsi:type="CD" nullFlavor="UNK"/>')
        + observed('<value xsi:type="ST">hemolysed</value>')
        + observed('<value xsi:type="IVL_PQ"><low value="3"/></value>')
        + observed('<value xsi:type="CD" code="260385009" displayName="Negative"/>')
        + "</organizer></entry>"
    )
    reading = read_bytes(document(organizer), "a.xml")
    assert told(reading) == [
        "Ana Silva — Diagnostic report: Panel",
        "Ana Silva — Observation: Potassium 5.40 mmol/L; status: completed; "
        "date: 2024-03-02 08:30; interpretation: H; reference range: 3.5 to 5.1 mmol/L",
        *(
            f"Ana Silva — Observation: Potassium {value}; status: completed; date: 2024-03-02 08:30"
            for value in ("unknown", "hemolysed", "≥ 3", "Negative")
        ),
    ]
    observed_record = reading.records[3]
    assert observed_record.values["value"] == Quantity(Decimal("5.40"), "mmol/L")
    assert observed_record.values["code"] == "LOINC 2823-3"
    assert (observed_record.id, observed_record.subject) == ("o", "patient:2.16.840.1.99|4711")


def test_problems_drugs_allergies_and_shots(read_bytes: Read) -> None:
    problem = f"""<entry><act><templateId root="{T}.3"/><code code="CONC"/>
      <statusCode code="active"/><entryRelationship typeCode="SUBJ"><observation>
      <templateId root="{T}.4"/><code displayName="Problem"/>
      <effectiveTime><low value="20200501"/><high value="20200601"/></effectiveTime>
      <value xsi:type="CD" code="38341003" codeSystem="2.16.840.1.113883.6.96"
        displayName="Hypertension"/>
      <entryRelationship><observation><templateId root="{T}.6"/><code/><value xsi:type="CD"
        displayName="Active"/></observation></entryRelationship>
      </observation></entryRelationship></act></entry>"""
    drug = """<text><content ID="m1">Aspirin 100 mg daily</content></text><entry>
      <substanceAdministration moodCode="EVN">
      <text><reference value="#m1"/></text><effectiveTime xsi:type="IVL_TS"><low value="2024"/>
      </effectiveTime><effectiveTime xsi:type="PIVL_TS"><period value="12" unit="h"/>
      </effectiveTime><doseQuantity value="100" unit="mg"/><consumable><manufacturedProduct>
      <manufacturedMaterial><code displayName="Aspirin"/></manufacturedMaterial>
      </manufacturedProduct></consumable></substanceAdministration></entry>"""
    allergy = f"""<entry><observation negationInd="true"><templateId root="{T}.7"/>
      <value xsi:type="CD" displayName="drug allergy"/></observation></entry>"""
    shot = f"""<entry><substanceAdministration negationInd="false"><templateId root="{T}.52"/>
      <effectiveTime value="20230115"/><consumable><manufacturedProduct><manufacturedMaterial>
      <code code="140" codeSystem="2.16.840.1.113883.12.292" displayName="Influenza"/>
      <lotNumberText>L1</lotNumberText></manufacturedMaterial></manufacturedProduct></consumable>
      </substanceAdministration></entry>"""
    reading = read_bytes(document(problem, drug, allergy, shot), "a.xml")
    assert told(reading) == [
        "Ana Silva — Condition: Hypertension; onset: 2020-05-01 to 2020-06-01; "
        "clinical status: Active",
        "Ana Silva — Medication statement: Aspirin; period: 2024; dose: 100 mg; rhythm: every 12 h;"
        " note: Aspirin 100 mg daily",
        "Ana Silva — Allergy intolerance: no drug allergy",
        "Ana Silva — Immunization: Influenza; date: 2023-01-15; lot: L1",
    ]
    condition, _, none, flu = reading.records[2:]
    assert condition.values["onset"] == Period(date(2020, 5, 1), date(2020, 6, 1))
    assert condition.values["code"] == "SNOMED CT 38341003"
    assert none.values["negated"] is True
    assert "negated" not in flu.values


def test_portuguese_documents_are_told_in_portuguese(read_bytes: Read) -> None:
    reading = read_bytes(document(lang="pt-BR"), "a.xml")
    assert reading.blocks[1].text.startswith("Paciente: Ana Silva; data de nascimento: 1980-05-01")


def test_a_body_that_is_a_file(read_bytes: Read) -> None:
    def body(kind: str, data: bytes) -> str:
        return (
            f'<component><nonXMLBody><text mediaType="{kind}" representation="B64">'
            f"{base64.b64encode(data).decode()}</text></nonXMLBody></component>"
        )

    plain = read_bytes(document(body=body("text/plain", b"Do not resuscitate.")), "a.xml")
    assert plain.blocks[-1].text == "Do not resuscitate."
    picture = read_bytes(document(body=body("image/png", b"\x89PNG\r\n\x1a\n")), "a.xml")
    assert "image/png) was left out" in picture.warnings[0]
    elsewhere = '<component><nonXMLBody><text><reference value="b.pdf"/></text></nonXMLBody>'
    named = read_bytes(document(body=elsewhere + "</component>"), "a.xml")
    assert named.warnings == ("The document's text is another file (b.pdf); add it as well.",)


def test_deep_nesting_is_cut_and_malformed_xml_refused(read_bytes: Read) -> None:
    act = '<entryRelationship><act><code displayName="x"/>'
    deep = f"<entry><act>{act * 70}{'</act></entryRelationship>' * 70}</act></entry>"
    reading = read_bytes(document(deep), "a.xml")
    assert reading.warnings == ("Statements nested deeper than 50 levels were left out.",)
    with pytest.raises(ReadError, match="line 9, tag name mismatch") as caught:
        read_bytes(document("<title>x</text>"), "a.xml")
    assert caught.value.cause == "corrupt"


def test_one_patient_in_three_formats_has_one_subject(read_bytes: Read) -> None:
    summary = read_bytes(document(), "a.xml")
    message = read_bytes(
        "MSH|^~\\&|LAB|GHH^2.16.840.1.99^ISO|EHR||20240302||ORU^R01|1|P|2.5\r"
        "PID|1||4711^^^GHH^MR||Silva^A.\rOBX|1|NM|2823-3^Potassium^LN||5.4|mmol/L",
        "a.hl7",
    )
    bundle = read_bytes(
        json.dumps(
            [
                {
                    "resourceType": "Patient",
                    "id": "p1",
                    "identifier": [
                        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "078-05-1120"},
                        {
                            "type": {"coding": [{"code": "MR"}]},
                            "system": "urn:oid:2.16.840.1.99",
                            "value": "4711",
                        },
                    ],
                },
                {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}},
            ]
        ),
        "a.json",
    )
    records = [r for reading in (summary, message, bundle) for r in reading.records]
    assert {record.subject for record in records} == {"patient:2.16.840.1.99|4711"}


def test_different_best_numbers_link_by_a_shared_one(read_bytes: Read) -> None:
    ids = '<id root="1.9" extension="88"/><id root="2.16.840.1.113883.4.1" extension="078051120"/>'
    summary = read_bytes(document(ids=ids), "a.xml")
    message = read_bytes(
        "MSH|^~\\&|LAB|GHH|EHR||20240302||ADT^A08|1|P|2.5\rPID|1||4711^^^GHH^MR||Silva^Ana\r".replace(
            "||Silva^Ana", "~078-05-1120^^^USSSA^SS||Silva^Ana"
        ),
        "a.hl7",
    )
    stranger = read_bytes(document(ids='<id root="1.9" extension="89"/>'), "a.xml")
    same = linked([r for m in (summary, message, stranger) for r in m.records])
    assert same["patient:1.9|88"] == same["patient:ghh|4711"]
    assert same["patient:1.9|89"] != same["patient:1.9|88"]
