"""DICOM files (PS3.10): what the header says, and the text of reports; never the pixels."""

from __future__ import annotations

import struct
import warnings as python_warnings
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connectors.readers import enclosed
from connectors.readers.errors import ReadError
from connectors.readers.health.hl7_words import moment
from connectors.readers.health.patients import Identifier, identifier, subject
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MAX_DEPTH = 30
_MAX_TEXT = 64 * 1024
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104.1"
_SCREENS = frozenset({"US", "SC", "OT", "XC", "ES"})
"""Modalities whose pictures often show the patient's name."""

_FACTS = (
    ("study", "StudyDescription"),
    ("series", "SeriesDescription"),
    ("modality", "Modality"),
    ("body_part", "BodyPartExamined"),
    ("protocol", "ProtocolName"),
    ("accession", "AccessionNumber"),
    ("institution", "InstitutionName"),
    ("manufacturer", "Manufacturer"),
    ("device", "ManufacturerModelName"),
    ("station", "StationName"),
    ("reason", "ReasonForStudy"),
    ("procedure", "RequestedProcedureDescription"),
    ("contrast", "ContrastBolusAgent"),
    ("position", "PatientPosition"),
    ("comments", "ImageComments"),
    ("patient_age", "PatientAge"),
)
_NAMES = (("requester", "ReferringPhysicianName"), ("performer", "PerformingPhysicianName"),
          ("reader", "NameOfPhysiciansReadingStudy"), ("operator", "OperatorsName"))  # fmt: skip
_AMOUNTS = (("slice_thickness", "SliceThickness", "mm"), ("kvp", "KVP", "kV"),
            ("rows", "Rows", ""), ("columns", "Columns", ""), ("frames", "NumberOfFrames", ""),
            ("field_strength", "MagneticFieldStrength", "T"))  # fmt: skip


def read(source: Source) -> Reading:
    """Read the header; raises `ReadError`."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        try:
            return _reading(_dataset(source), source)
        except (EOFError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError,
                LookupError, struct.error, zlib.error, OverflowError) as error:  # fmt: skip
            raise ReadError(
                "corrupt", f"The DICOM header is damaged ({type(error).__name__}); send it again."
            ) from error


def _dataset(source: Source) -> Dataset:
    from pydicom import dcmread
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        found = dcmread(source.path, stop_before_pixels=True, force=True)
    except (InvalidDicomError, BytesLengthException) as error:
        raise ReadError("corrupt", "The file is no readable DICOM file; send it again.") from error
    if not ({"SOPClassUID", "Modality", "PatientID", "StudyInstanceUID"} & set(found.dir())):
        raise ReadError("corrupt", "The DICOM header ends before it says what it is about.")
    return found


def _reading(data: Dataset, source: Source) -> Reading:
    register = Register(cap=source.limits.rows)
    name = _person(data.get("PatientName"))
    ids = _identifiers(data)
    about = subject(ids)
    modality, study = _text(data, "Modality"), _text(data, "StudyDescription")
    title = " — ".join(filter(None, [" ".join(filter(None, (modality, study))), name]))
    register.outline.heading(title or "DICOM", 1)
    register.state(
        "patient",
        name,
        {
            "name": name,
            "birth_date": moment(_text(data, "PatientBirthDate")),
            "gender": {"F": "female", "M": "male", "O": "other"}.get(_text(data, "PatientSex"), ""),
            "identifiers": tuple(map(str, ids)),
            "comments": _text(data, "PatientComments"),
        },
        record_id=ids[0].value if ids else "",
        subject=about,
        silent=("name",),
    )
    day, time = _text(data, "StudyDate"), _text(data, "StudyTime")
    values: dict[str, Value | None] = {
        "patient": name,
        "date": moment(day + time[:6] if time[:6].isdigit() and len(time) >= 4 else day),
        **{key: _text(data, tag) for key, tag in _FACTS},
        **{key: _people(data, tag) for key, tag in _NAMES},
        **{key: _amount(data, tag, unit) for key, tag, unit in _AMOUNTS},
        "study_uid": _text(data, "StudyInstanceUID"),
        "series_uid": _text(data, "SeriesInstanceUID"),
        "kind": _kind(data),
    }
    register.state(
        "imaging_study",
        " ".join(filter(None, (modality, study))),
        values,
        record_id=_text(data, "SOPInstanceUID"),
        subject=about,
        about=name,
        silent=("patient", "study", "modality", "study_uid", "series_uid"),
    )
    for heading, line in _report(data, 0):
        if heading:
            register.outline.heading(line, 2)
        else:
            register.outline.paragraph(line)
    _document(data, register, source)
    _warn(data, register, modality)
    return Reading(
        source.media_type,
        best_title(title, None, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        tuple(register.warnings),
    )


def _text(data: Dataset, tag: str) -> str:
    value = data.get(tag)
    if value is None:
        return ""
    parts = (
        value
        if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
        else [value]
    )
    return clean(", ".join(str(part) for part in parts))[:_MAX_TEXT]


def _person(value: Any) -> str:
    """`Silva^Ana^M^Dr` as `Dr Ana M Silva`."""
    whole = clean(str(value or "").split("=")[0])
    family, given, middle, prefix, suffix = (whole.split("^") + [""] * 5)[:5]
    return clean(" ".join((prefix, given, middle, family, suffix)))


def _people(data: Dataset, tag: str) -> str:
    value = data.get(tag)
    is_many = type(value).__name__ == "MultiValue"
    return ", ".join(filter(None, map(_person, value if is_many else [value])))


def _amount(data: Dataset, tag: str, unit: str) -> Value | None:
    number = decimal(_text(data, tag))
    return None if number is None else Quantity(number, unit) if unit else number


def _kind(data: Dataset) -> str:
    from pydicom.uid import UID

    number = _text(data, "SOPClassUID")
    return UID(number).name if number else ""


def _identifiers(data: Dataset) -> list[Identifier]:
    """Patient ID with its issuer, and those of Other Patient IDs."""
    found = []
    for one in [data, *list(data.get("OtherPatientIDsSequence") or [])[:100]]:
        system = _text(one, "IssuerOfPatientID")
        for more in list(one.get("IssuerOfPatientIDQualifiersSequence") or [])[:1]:
            system = _text(more, "UniversalEntityID") or system
        found.append(identifier(system, _text(one, "PatientID"), "MR" if one is data else ""))
    return list(dict.fromkeys(one for one in found if one is not None))


def _report(data: Dataset, depth: int) -> Iterator[tuple[bool, str]]:
    """The content of a structured report (PS3.3 C.17.3) as headings and lines."""
    if depth > _MAX_DEPTH:
        return
    for item in data.get("ContentSequence") or []:
        name = _meaning(item, "ConceptNameCodeSequence")
        kind = _text(item, "ValueType")
        if kind == "CONTAINER":
            if name:
                yield True, name
        elif told := _content(item, kind):
            yield False, f"{name}: {told}" if name else told
        yield from _report(item, depth + 1)


def _content(item: Dataset, kind: str) -> str:
    match kind:
        case "TEXT":
            return _text(item, "TextValue")
        case "CODE":
            return _meaning(item, "ConceptCodeSequence")
        case "NUM":
            for one in item.get("MeasuredValueSequence") or []:
                unit = _coded(one, "MeasurementUnitsCodeSequence", "CodeValue")
                return f"{_text(one, 'NumericValue')} {'' if unit == '1' else unit}".strip()
        case "PNAME":
            return _person(item.get("PersonName"))
        case "DATE" | "TIME" | "DATETIME":
            return _text(item, {"DATE": "Date", "TIME": "Time"}.get(kind, "DateTime"))
    return ""


def _meaning(item: Dataset, tag: str) -> str:
    return _coded(item, tag, "CodeMeaning")


def _coded(item: Dataset, tag: str, part: str) -> str:
    return next((_text(one, part) for one in item.get(tag) or []), "")


def _document(data: Dataset, register: Register, source: Source) -> None:
    if _text(data, "SOPClassUID") == _ENCAPSULATED and (inner := data.get("EncapsulatedDocument")):
        name = _text(data, "DocumentTitle") or "enclosed document"
        enclosed.place(register, bytes(inner), name, source.limits)


def _warn(data: Dataset, register: Register, modality: str) -> None:
    burned = _text(data, "BurnedInAnnotation").upper()
    if burned == "YES":
        register.warn(
            "The picture shows text that may identify the patient (burned-in annotation)."
        )
    elif not burned and modality in _SCREENS:
        register.warn(f"Pictures of this kind ({modality}) often show the patient's name.")
    if "Rows" in data:
        register.warn("The picture was left out; only the header was read.")
