"""HL7 v2 data types (chapter 2A) as words, and its small tables (chapter 2C) as English."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from connectors.readers.health.codes import code_of
from connectors.readers.health.patients import Identifier, identifier
from connectors.readers.health.segments import Field, Segment, part
from connectors.readers.record import Value, day
from connectors.readers.text import clean

_TIME = re.compile(r"(\d{4,14})(?:\.\d+)?([+-]\d{4})?$")
_OID = re.compile(r"[012](\.\d+)+$")


def moment(text: str) -> Value | None:
    """A time stamp as a time, a day, or as it is written if it is only a month or a year."""
    found = _TIME.match(text.strip())
    if not found:
        return clean(text) or None
    digits, zone = found.groups()
    if len(digits) < 8:
        return digits if len(digits) == 4 else f"{digits[:4]}-{digits[4:6]}"
    if len(digits) < 12:
        return day(digits) or clean(text)
    try:
        moment = datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return day(digits) or clean(text)
    if zone:
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
        moment = moment.replace(tzinfo=timezone(-offset if zone[0] == "-" else offset))
    return moment


def person(field: Field) -> str:
    """XPN: given names before the family name."""
    family, given, middle, suffix, prefix = (part(field, n) for n in range(1, 6))
    return clean(" ".join(filter(None, (prefix, given, middle, family, suffix))))


def professional(field: Field) -> str:
    """XCN: a person with an id in front."""
    return person(field[1:]) or part(field, 1)


def address(field: Field) -> str:
    """XAD: street, city, state, zip, country."""
    street = " ".join(clean(text) for text in field[0][:3] if text) if field else ""
    rest = (part(field, n) for n in (2, 3, 4, 5, 6))
    return ", ".join(filter(None, map(clean, (street, *rest))))


def phone(field: Field) -> str:
    """XTN: the number as a whole, or put together from its parts, or an e-mail address."""
    whole = part(field, 1) or part(field, 12)
    parts = [part(field, n) for n in (5, 6, 7)]
    number = " ".join(filter(None, [f"+{parts[0]}" if parts[0] else "", *parts[1:]]))
    return clean(whole or number or part(field, 4))


def coded(field: Field) -> str:
    """CWE, CE: the text, else the alternate text, else the code."""
    text = part(field, 2) or part(field, 9) or part(field, 5)
    return clean(text or part(field, 1) or part(field, 4))


def code(field: Field) -> str:
    """CWE, CE: the code with its vocabulary: `LOINC 8867-4`."""
    found = part(field, 1)
    return code_of(part(field, 3), found) if found != part(field, 2) else ""


def location(field: Field) -> str:
    """PL: point of care, room, bed, facility, building, floor."""
    names = (part(field, n) for n in (1, 2, 3, 4, 7, 8, 9))
    return ", ".join(filter(None, map(clean, names)))


def number_of(field: Field) -> str:
    """CX, EI: the id alone."""
    return part(field, 1)


def organisation(field: Field) -> str:
    """XON: the name, else the id."""
    return clean(part(field, 1) or part(field, 3) or part(field, 10))


def job(field: Field) -> str:
    """JCC, FC and other types whose first components say it: all of them."""
    return anything(field)


def anything(field: Field) -> str:
    """The components of an unknown type, in order."""
    flat = (clean(" ".join(filter(None, component))) for component in field)
    return " ".join(filter(None, flat))


def text(field: Field) -> str:
    """ST, TX, FT: everything as it is written, line breaks kept as spaces."""
    return anything(field)


WORDS: dict[str, Callable[[Field], str]] = {
    "XPN": person,
    "XCN": professional,
    "XAD": address,
    "XTN": phone,
    "CWE": coded,
    "CX": number_of,
    "EI": number_of,
    "PL": location,
    "XON": organisation,
    "JCC": job,
    "ST": text,
}
"""Data type → how a repetition of it is worded."""


def identifier_of(field: Field, header: Segment | None, kind: str = "") -> Identifier | None:
    """CX: the id with its assigning authority, which is an OID where the message knows one.

    An authority that is only a name gets the OID that the sending application or facility (MSH-3,
    MSH-4) has under the same name.
    """
    name, universal = part(field, 4), part(field, 4, 2)
    if not universal and header is not None:
        for n in (4, 3):
            if name and name == header.text(n) and header.text(n, 2):
                universal = header.text(n, 2)
    if not universal and _OID.match(name):
        universal = name
    return identifier(universal or name, part(field, 1), part(field, 5) or kind)


TABLES: dict[str, dict[str, str]] = {
    "sex": {
        "F": "female", "M": "male", "O": "other", "U": "unknown", "A": "ambiguous",
        "N": "not applicable", "X": "non-binary",
    },
    "class": {
        "E": "emergency", "I": "inpatient", "O": "outpatient", "P": "preadmission",
        "R": "recurring", "B": "obstetrics", "C": "commercial account", "N": "not applicable",
    },
    "flag": {
        "L": "low", "H": "high", "LL": "critically low", "HH": "critically high", "N": "normal",
        "A": "abnormal", "AA": "critically abnormal", "<": "below scale", ">": "above scale",
        "U": "better", "D": "worse", "B": "better", "W": "worse", "S": "susceptible",
        "R": "resistant", "I": "intermediate", "MS": "moderately susceptible",
        "VS": "very susceptible", "POS": "positive", "NEG": "negative", "IND": "indeterminate",
    },
    "result": {
        "F": "final", "P": "preliminary", "C": "corrected", "I": "pending", "X": "not obtainable",
        "R": "not verified", "S": "partial", "D": "deleted", "W": "wrong", "N": "not asked",
        "O": "order detail only", "U": "final without retransmission", "A": "amended",
        "B": "appended",
    },
    "order": {
        "NW": "new", "CA": "cancel", "OC": "cancelled", "CR": "cancelled as requested",
        "DC": "discontinue", "OD": "discontinued", "HD": "hold", "OK": "accepted",
        "RE": "observations to follow", "RO": "replacement", "RP": "replace",
        "SC": "status changed",
        "SN": "send order number", "NA": "number assigned", "XO": "change", "XX": "changed",
        "UA": "unable to accept", "PA": "parent", "CH": "child", "RF": "refill", "SR": "response",
        "SS": "status requested",
    },
    "order status": {
        "A": "some results available", "CA": "cancelled", "CM": "completed", "DC": "discontinued",
        "ER": "error", "HD": "on hold", "IP": "in process", "RP": "replaced", "SC": "scheduled",
    },
    "allergy": {
        "DA": "drug", "FA": "food", "MA": "miscellaneous", "EA": "environment", "AA": "animal",
        "PA": "plant", "LA": "pollen", "MC": "miscellaneous contraindication",
    },
    "severity": {"SV": "severe", "MO": "moderate", "MI": "mild", "U": "unknown"},
    "diagnosis": {"A": "admitting", "W": "working", "F": "final", "D": "discharge"},
    "transaction": {"CG": "charge", "CD": "credit", "PY": "payment", "AJ": "adjustment"},
    "marital": {
        "S": "single", "M": "married", "D": "divorced", "W": "widowed", "A": "separated",
        "E": "legally separated", "P": "domestic partner", "U": "unknown", "O": "other",
    },
    "completion": {
        "CP": "completed", "RE": "refused", "NA": "not administered",
        "PA": "partially administered",
    },
    "document": {
        "AU": "authenticated", "DI": "dictated", "DO": "documented", "IN": "incomplete",
        "IP": "in progress", "LA": "legally authenticated", "PA": "pre-authenticated",
    },
    "yes": {"Y": "yes", "N": "no"},
}  # fmt: skip
"""HL7 tables 0001, 0004, 0078, 0085, 0119, 0038, 0127, 0128, 0052, 0017, 0002, 0322, 0271, 0136."""
