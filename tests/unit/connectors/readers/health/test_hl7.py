from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]

HEADER = r"MSH|^~\&|LAB|GHH^2.16.840.1.99^ISO|EHR|GHH|202403021000+0100||ORU^R01|42|P|2.5.1"
PID = (
    "PID|1||4711^^^GHH^MR~078-05-1120^^^USSSA^SS||SILVA^ANA^M||19800501|F|||1 Elm St^^Ann Arbor^MI"
)


def message(*lines: str, header: str = HEADER, pid: str = PID) -> str:
    return "\r".join((header, pid, *lines))


def test_segments_are_sentences_about_their_patient(read_bytes: Read) -> None:
    reading = read_bytes(
        message(
            "PV1|1|I|ICU^12^B||||0210^HOUSE^GREG||||||||||||V77",
            "OBR|1|P1|F1|2823-3^Potassium^LN|||20240302080000",
            "OBX|1|NM|2823-3^Potassium^LN||5.4|mmol/L|3.5-5.1|H|||F|||20240302083000-0500",
            "NTE|1||Sample \\T\\ repeat\\.br\\ haemolysed",
            "AL1|1|DA|70618^Penicillin^RXNORM|SV|Anaphylaxis|19990102",
        ),
        "a.hl7",
    )
    assert reading.media_type == "application/hl7-v2"
    assert reading.title == "ORU^R01 (observation result) — ANA M SILVA"
    assert [b.text for b in reading.blocks if b.kind == "record"] == [
        "Message: ORU^R01 (observation result); date: 2024-03-02 10:00; sender: LAB, GHH; "
        "receiver: EHR, GHH; control id: 42; version: 2.5.1",
        "Patient: ANA M SILVA; birth date: 1980-05-01; gender: female; "
        "address: 1 Elm St, Ann Arbor, MI; "
        "identifiers: 2.16.840.1.99|4711, 2.16.840.1.113883.4.1|078051120",
        "ANA M SILVA — Encounter: inpatient; location: ICU, 12, B; attending: GREG HOUSE",
        "ANA M SILVA — Service request: Potassium; placer order: P1; filler order: F1; "
        "date: 2024-03-02 08:00",
        "ANA M SILVA — Observation: Potassium 5.4 mmol/L; reference range: 3.5-5.1; "
        "interpretation: high; status: final; date: 2024-03-02 08:30",
        "ANA M SILVA — Note: Sample & repeat haemolysed",
        "ANA M SILVA — Allergy intolerance: Penicillin; type: drug; severity: severe; "
        "reaction: Anaphylaxis; onset: 1999-01-02",
    ]
    by_kind = {record.kind: record for record in reading.records}
    assert {record.subject for record in reading.records} == {"patient:2.16.840.1.99|4711"}
    assert by_kind["encounter"].id == "V77"
    observed = by_kind["observation"]
    assert observed.values["value"] == Quantity(Decimal("5.4"), "mmol/L")
    assert observed.values["code"] == "LOINC 2823-3"
    assert observed.values["order"] == "F1"
    eastern = timezone(timedelta(hours=-5))
    assert observed.values["date"] == datetime(2024, 3, 2, 8, 30, tzinfo=eastern)
    assert by_kind["allergy_intolerance"].values["onset"] == date(1999, 1, 2)
    assert reading.blocks[observed.block or 0].text.startswith("ANA M SILVA — Observation: Pot")


@pytest.mark.parametrize(
    ("obx", "words", "value"),
    [
        ("NM|X||-1.50|g", "X -1.50 g", Quantity(Decimal("-1.50"), "g")),
        ("NM|X||see note|g", "X see note g", "see note"),
        ("SN|X||>^100|mg", "X >100 mg", ">100"),
        ("SN|X||^7|mg", "X 7 mg", Quantity(Decimal(7), "mg")),
        ("SN|X||^1^:^128", "X 1:128", "1:128"),
        ("CWE|X||260385009^Negative^SCT~A^Ab", "X Negative, Ab", "Negative, Ab"),
        ("DT|X||20240302", "X 20240302", date(2024, 3, 2)),
        ("DT|X||2024", "X 2024", "2024"),
        ("TX|X||a\\S\\b \\X41C3A9\\ \\E\\ \\H\\bold\\N\\", "X a^b Aé \\ bold", "a^b Aé \\ bold"),
        ('ST|X||""', "X", None),
    ],
)
def test_values_by_their_type(read_bytes: Read, obx: str, words: str, value: object) -> None:
    observed = read_bytes(message(f"OBX|1|{obx}"), "a.hl7").records[-1]
    assert observed.values.get("value") == value
    reading = read_bytes(message(f"OBX|1|{obx}"), "a.hl7")
    assert reading.blocks[-1].text == f"ANA M SILVA — Observation: {words}"


def test_own_separators_and_unknown_segments(read_bytes: Read) -> None:
    reading = read_bytes(
        "MSH#*!?%#A#B###20240101##ADT*A01#1#P#2.3\nPID###7***H*MR##DOE*JO\nZPI##a*b!c?F?d", "a.txt"
    )
    assert reading.records[1].subject == "patient:h|7"
    assert reading.blocks[-1].text == "JO DOE — Segment: ZPI; field 2: a b, c#d"


def test_batches_hold_many_messages(read_bytes: Read) -> None:
    other = PID.replace("4711", "4712").replace("ANA", "RUI")
    batch = "\r".join(
        (
            r"FHS|^~\&|X",
            r"BHS|^~\&|X",
            message("OBR|1", "OBX|1|ST|A||a"),
            message("OBR|1", "OBX|1|ST|B||b", pid=other),
        )
    )
    reading = read_bytes(batch + "\rBTS|3\rFTS|1", "batch.hl7")
    observed = [r.subject for r in reading.records if r.kind == "observation"]
    assert observed == ["patient:2.16.840.1.99|4711", "patient:2.16.840.1.99|4712"]
    assert reading.warnings == ("The batch says it has 3 messages, but has 2.",)


def test_what_a_message_must_have_is_missed(read_bytes: Read) -> None:
    cut = message(header=HEADER.replace("ORU^R01", "ADT^A01"))
    assert read_bytes(cut, "a.hl7").warnings == (
        "The message at line 1 lacks EVN, PV1, which its type requires: it may be a part of a "
        "message.",
    )


def test_framing_and_line_ends_do_not_matter(read_bytes: Read) -> None:
    plain = read_bytes(message("OBX|1|TX|A||one"), "a.hl7")
    for text in (
        "\x0b" + message("OBX|1|TX|A||one") + "\r\x1c\r",
        "\ufeff" + message("OBX|1|TX|A||one").replace("\r", "\r\n"),
    ):
        assert read_bytes(text, "a.hl7").blocks == plain.blocks


@pytest.mark.parametrize(
    ("name", "encoding"), [("8859/1", "latin-1"), ("GB 18030-2000", "gb18030"), ("", "utf-8")]
)
def test_encodings_that_the_header_declares(read_bytes: Read, name: str, encoding: str) -> None:
    text = message("NTE|1||café 患者" if encoding != "latin-1" else "NTE|1||café")
    declared = text.replace("|2.5.1", f"|2.5.1||||||{name}", 1)
    assert "café" in read_bytes(declared.encode(encoding), "a.hl7").blocks[-1].text


def test_portuguese_messages_are_told_in_portuguese(read_bytes: Read) -> None:
    reading = read_bytes(message().replace("|2.5.1", "|2.5.1|||||BRA||pt-BR"), "a.hl7")
    assert reading.lang == "pt"
    assert "Paciente: ANA M SILVA; data de nascimento: 1980-05-01" in reading.blocks[2].text


def test_enclosed_text_is_read_and_other_files_are_named(read_bytes: Read) -> None:
    note = base64.b64encode(b"Discharged in good condition.").decode()
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    reading = read_bytes(
        message(
            "OBR|1",
            f"OBX|1|ED|11502-2^Report^LN||^TEXT^PLAIN^Base64^{note}",
            f"OBX|2|ED|X^Photo||^IM^PNG^Base64^{image}",
            "OBX|3|ED|X^Broken||^IM^PNG^Base64^!",
        ),
        "a.hl7",
    )
    assert any("good condition" in block.text for block in reading.blocks)
    assert [w.split(" was left out")[0] for w in reading.warnings] == [
        "An enclosed file (Photo, 8 bytes, image/png)",
        "An enclosed file (Broken) is no valid base64 and",
    ]


def test_merges_name_both_ids(read_bytes: Read) -> None:
    header = HEADER.replace("ORU^R01", "ADT^A40")
    merged = read_bytes(message("MRG|99^^^GHH^MR", header=header), "a.hl7").records[-1]
    assert merged.values["identifiers"] == ("2.16.840.1.99|99",)
    assert merged.subject == "patient:2.16.840.1.99|4711"


@pytest.mark.parametrize(
    ("data", "cause", "place"),
    [
        ("MSH|^^\\&|A\rPID|1", "corrupt", "line 1 declares no usable separators"),
        ("MSH||A|B\rPID|1", "corrupt", "line 1 declares no usable separators"),
        (message("hello there"), "corrupt", "Line 3 is no HL7 segment"),
        (message("OBX;1;NM;A;;5"), "corrupt", "Line 3 is no HL7 segment"),
        (r"FHS|^~\&|X" + "\r" + PID, "corrupt", "Line 2 is not in a message"),
        (r"FHS|^~\&|X" + "\rFTS|0", "empty", "no HL7 message"),
    ],
)
def test_refusals_name_the_line(read_bytes: Read, data: str, cause: str, place: str) -> None:
    with pytest.raises(ReadError, match=place) as caught:
        read_bytes(data, "a.hl7")
    assert caught.value.cause == cause


def test_records_are_capped_with_a_warning(read_bytes: Read) -> None:
    from connectors.readers.limits import Limits

    many = message("OBR|1", *(f"OBX|{n}|NM|A||{n}" for n in range(50)))
    reading = read_bytes(many, "a.hl7", Limits(rows=10))
    assert len(reading.records) == 10
    assert reading.warnings == ("Only the first 10 records were read.",)
