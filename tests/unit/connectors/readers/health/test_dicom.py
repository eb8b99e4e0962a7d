from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]

CT = "1.2.840.10008.5.1.4.1.1.2"
REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"


def written(kind: str, **values: Any) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(kind)
    meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("a.dcm", {}, file_meta=meta, preamble=b"\x00" * 128)
    data.SOPClassUID, data.SOPInstanceUID = UID(kind), UID("1.2.3.4")
    data.PatientName, data.PatientID, data.IssuerOfPatientID = "Silva^Ana", "4711", "2.16.840.1.99"
    data.PatientBirthDate, data.PatientSex = "19800501", "F"
    data.StudyDate, data.StudyTime = "20240302", "081500.25"
    for key, value in values.items():
        setattr(data, key, value)
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def coded(meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99", meaning
    return Sequence([item])


def test_headers_without_pixels(read_bytes: Read) -> None:
    data = written(
        CT,
        Modality="CT",
        StudyDescription="Chest",
        BodyPartExamined="CHEST",
        Rows=2,
        Columns=2,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        SliceThickness="1.5",
        BurnedInAnnotation="YES",
        PixelData=b"SECRETPX",
    )
    reading = read_bytes(data, "a.bin")
    assert reading.media_type == "application/dicom"
    assert reading.title == "CT Chest — Ana Silva"
    assert [b.text for b in reading.blocks if b.kind == "record"] == [
        "Patient: Ana Silva; birth date: 1980-05-01; gender: female; "
        "identifiers: 2.16.840.1.99|4711",
        "Ana Silva — Imaging study: CT Chest; date: 2024-03-02 08:15; body part: CHEST; "
        "slice thickness: 1.5 mm; rows: 2; columns: 2; kind: CT Image Storage",
    ]
    study = reading.records[1]
    assert study.values["date"] == datetime(2024, 3, 2, 8, 15)
    assert study.values["slice_thickness"] == Quantity(study.values["slice_thickness"].amount, "mm")  # type: ignore[union-attr]
    assert {record.subject for record in reading.records} == {"patient:2.16.840.1.99|4711"}
    assert [warning.split(" ")[2] for warning in reading.warnings] == ["shows", "was"]
    assert "SECRET" not in str(reading)


def test_text_of_reports(read_bytes: Read) -> None:
    finding, size, part = Dataset(), Dataset(), Dataset()
    finding.ValueType, finding.TextValue = "TEXT", "No fracture."
    finding.ConceptNameCodeSequence = coded("Finding")
    amount = Dataset()
    amount.NumericValue = "4.2"
    unit = coded("millimeter")
    unit[0].CodeValue = "mm"
    amount.MeasurementUnitsCodeSequence = unit
    size.ValueType, size.MeasuredValueSequence = "NUM", Sequence([amount])
    size.ConceptNameCodeSequence = coded("Length")
    part.ValueType, part.ConceptNameCodeSequence = "CONTAINER", coded("Findings")
    part.ContentSequence = Sequence([finding, size])
    reading = read_bytes(written(REPORT, Modality="SR", ContentSequence=Sequence([part])), "a.dcm")
    assert [(b.kind, b.text) for b in reading.blocks[-3:]] == [
        ("heading", "Findings"),
        ("paragraph", "Finding: No fracture."),
        ("paragraph", "Length: 4.2 mm"),
    ]


def test_enclosed_documents(read_bytes: Read) -> None:
    data = written(PDF, Modality="DOC", DocumentTitle="Letter", EncapsulatedDocument=b"Be well.  ")
    assert read_bytes(data, "a.dcm").blocks[-1].text == "Be well."


def test_damaged_files_are_refused(read_bytes: Read) -> None:
    for cut in (134, 160, 300):
        with pytest.raises(ReadError, match="DICOM") as caught:
            read_bytes(written(CT, Modality="CT")[:cut], "a.dcm")
        assert caught.value.cause == "corrupt"
