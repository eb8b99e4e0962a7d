"""Real files of hospitals: every record, counted by other means than the reader's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7  # type: ignore[import-untyped]
import pypdfium2  # type: ignore[import-untyped]
import pytest
from lxml import etree

from connectors.readers import Reading, read_file, sniff
from connectors.readers.child import read
from connectors.readers.record import Quantity
from connectors.readers.source import Source


def readings(folder: Path) -> Iterator[tuple[Path, Reading]]:
    """Every file of a folder, read in this process; the first in a child as well."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    assert files
    for i, path in enumerate(files):
        reading = read(Source(path, sniff(path), path.name))
        if i == 0:
            assert read_file(path) == reading
        assert reading.blocks, path
        assert all(r.block is not None and r.block < len(reading.blocks) for r in reading.records)
        yield path, reading


def kinds(reading: Reading) -> Counter[str]:
    return Counter(record.kind for record in reading.records)


@pytest.fixture
def healthcare(shared_data: Path) -> Path:
    return shared_data / "raw" / "healthcare"


def test_every_segment_of_every_message_is_a_record(healthcare: Path) -> None:
    n_files = 0
    for path, reading in readings(healthcare / "hl7v2"):
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r")
        parsed = hl7.parse(text.strip())
        expected = Counter(str(segment[0]) for segment in parsed if str(segment).strip())
        found = kinds(reading)
        for segment, kind in [
            ("MSH", "message"),
            ("PID", "patient"),
            ("OBX", "observation"),
            ("NTE", "note"),
            ("ORC", "order"),
            ("OBR", "service_request"),
            ("PV1", "encounter"),
            ("RXA", "immunization"),
            ("PR1", "procedure"),
            ("SCH", "appointment"),
            ("TXA", "document"),
        ]:
            assert found[kind] == expected[segment], (path.name, segment)
        assert found["allergy_intolerance"] == expected["AL1"] + expected["IAM"], path.name
        assert found["condition"] == expected["DG1"] + expected["PRB"], path.name
        silent = sum(expected[name] for name in ("SFT", "RGS"))
        assert 0 <= sum(expected.values()) - silent - sum(found.values()) <= 1, path.name
        assert all(r.subject.startswith("patient:") for r in reading.records), path.name
        n_files += 1
    assert n_files == 50


C = {"c": "urn:hl7-org:v3", "s": "http://www.w3.org/2001/XMLSchema-instance"}
TEMPLATE = "2.16.840.1.113883.10.20.22.4"


def has(*numbers: int) -> str:
    """An XPath condition: the statement has one of these C-CDA templates."""
    return " or ".join(f"c:templateId[@root='{TEMPLATE}.{n}']" for n in numbers)


def test_every_entry_of_every_clinical_document_is_a_record(healthcare: Path) -> None:
    n_records = 0
    for path, reading in readings(healthcare / "ccda"):
        root: Any = etree.parse(str(path)).getroot()

        def count(xpath: str, root: Any = root) -> int:
            return len(root.xpath(f"//c:entry//{xpath}", namespaces=C))

        found = kinds(reading)
        assert found["condition"] == count(f"c:observation[{has(4, 74)}]"), path.name
        assert found["allergy_intolerance"] == count(f"c:observation[{has(7)}]"), path.name
        assert found["encounter"] == count("c:encounter"), path.name
        shots = count(f"c:substanceAdministration[{has(52, 120)}]")
        assert found["immunization"] == shots, path.name
        drugs = found["medication_statement"] + found["medication_request"]
        assert drugs == count("c:substanceAdministration") - shots, path.name
        assert found["procedure"] == count(f"c:procedure | //c:entry//c:act[{has(12)}]"), path.name
        measured = {
            str(value)
            for value in root.xpath(
                "//c:entry//c:observation[not(ancestor::c:observation)]/c:value[@s:type='PQ']/@value",
                namespaces=C,
            )
        }
        amounts = {
            str(value.amount)
            for record in reading.records
            if isinstance(value := record.values.get("value"), Quantity)
        }
        assert measured <= amounts, path.name
        title = root.findtext("c:title", namespaces=C)
        assert reading.title.startswith(" ".join((title or "").split())), path.name
        numbers = root.xpath("/*/c:recordTarget/c:patientRole/c:id/@extension", namespaces=C)
        is_known = any(number.strip("0-") for number in numbers)
        subjects = {record.subject.partition(":")[0] for record in reading.records}
        assert subjects == {"patient" if is_known else ""}, path.name
        assert is_known or "no usable identifier" in reading.warnings[0], path.name
        n_records += len(reading.records)
    assert n_records > 300


def test_a_letter_in_pdf_inside_a_clinical_document_is_read(healthcare: Path) -> None:
    reading = read_file(healthcare / "ccda" / "CDA_with_Embedded_PDF.ccda")
    assert not reading.warnings
    assert sum(block.kind != "record" for block in reading.blocks) > 20


@pytest.mark.parametrize("folder", ["fhir_bundles", "fhir_r4_examples"])
def test_every_resource_is_a_record_about_its_patient(healthcare: Path, folder: str) -> None:
    for path, reading in readings(healthcare / folder):
        whole = json.loads(path.read_text("utf-8"))
        resources = [e["resource"] for e in whole["entry"]] if "entry" in whole else [whole]
        expected = Counter(r["resourceType"].lower() for r in resources)
        assert Counter({k.replace("_", ""): n for k, n in kinds(reading).items()}) == expected
        if folder == "fhir_bundles":
            number = next(
                i["value"]
                for i in resources[0]["identifier"]
                if i.get("type", {}).get("coding", [{}])[0].get("code") == "MR"
            )
            about = {r.subject for r in reading.records if r.subject}
            assert about == {f"patient:hospital.smarthealthit.org|{number}"}, path.name
            n_about = sum("subject" in r or "patient" in r for r in resources)
            assert sum(bool(r.subject) for r in reading.records) >= n_about + 1


def test_protocols_in_pdf_read_well(healthcare: Path) -> None:
    for path in sorted((healthcare / "clinical_trial_protocols").iterdir()):
        reading = read_file(path)
        with pypdfium2.PdfDocument(path) as document:
            n_written = sum(bool(page.get_textpage().count_chars()) for page in document)
        assert len({block.page for block in reading.blocks}) == n_written, path.name
