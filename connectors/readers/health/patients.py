"""Who a clinical record is about: identifiers, one spelling each, and the subject they make.

The rule (docs/explanation/patients.md): two records are about one patient if they share an
identifier, which is a value together with the authority that assigned it. Names never link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.readers.record import Record
from connectors.readers.text import clean

SSN = "2.16.840.1.113883.4.1"
CPF = "2.16.840.1.113883.13.237"
CNS = "2.16.840.1.113883.13.236"
# The same authority under the names that FHIR, and HL7 v2 without an OID, give it.
_SAME = {
    "hl7.org/fhir/sid/us-ssn": SSN,
    "hl7.org/fhir/sid/us-npi": "2.16.840.1.113883.4.6",
    "hl7.org/fhir/sid/us-medicare": "2.16.840.1.113883.4.572",
    "hl7.org/fhir/sid/us-mbi": "2.16.840.1.113883.4.927",
    "rnds.saude.gov.br/fhir/r4/namingsystem/cpf": CPF,
    "rnds.saude.gov.br/fhir/r4/namingsystem/cns": CNS,
    "saude.gov.br/fhir/r4/namingsystem/cpf": CPF,
    "saude.gov.br/fhir/r4/namingsystem/cns": CNS,
    "usssa": SSN,
    "ssa": SSN,
}
_PUNCTUATED = frozenset({SSN, CPF, CNS})
# HL7 table 0203, the medical record number first; what is missing here comes in between.
_RANK = {"MR": 0, "MRN": 0, "MRT": 1, "PI": 2, "PT": 2, "PN": 3, "": 4}
_OF_A_COUNTRY = {"SS": SSN, "CPF": CPF, "CNS": CNS}
_LAST = frozenset(
    {"SS", "DL", "PPN", "CPF", "CNS", "NI", "TAX", "MA", "MC", "MB", "BC", "AN", "VN"}
)
_NATIONAL = (SSN, CPF, CNS, "2.16.840.1.113883.4.3.", "2.16.840.1.113883.4.330")
_NAMES_ITSELF = "urn:ietf:rfc:3986"
_NO_VALUE = re.compile(r"(\W*0+\W*|(.)\2{5,}|unknown|none|n/?a|null|-+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value that an authority assigned to a patient; `kind` is a code of HL7 table 0203."""

    system: str
    value: str
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.system}|{self.value}"


def identifier(system: str, value: str, kind: str = "") -> Identifier | None:
    """Return an identifier in its one spelling; None without a value, or with a placeholder.

    OIDs are bare (`urn:oid:1.2` is `1.2`), URLs have neither scheme nor a last slash, and
    authorities known by both are their OID. Values lose spaces; national numbers, punctuation.
    """
    kind = clean(kind).upper()
    if system.lower().startswith(_NAMES_ITSELF):
        value = re.sub(r"^urn:(uuid|oid):", "", value.strip(), flags=re.IGNORECASE).lower()
    name = _system(system)
    if not name or name in ("local", "hospital"):
        name = _OF_A_COUNTRY.get(kind, name)
    value = "".join(clean(value).split())
    if name in _PUNCTUATED or name.startswith(SSN):
        value = re.sub(r"\W", "", value)
    if not value or _NO_VALUE.fullmatch(value):
        return None
    return Identifier(name, value, kind)


def _system(text: str) -> str:
    text = clean(text).strip()
    text = re.sub(r"^(urn:oid:|urn:uuid:|oid:)", "", text, flags=re.IGNORECASE)
    if address := re.fullmatch(r"\w+://([^/?#]*)(.*)", text):
        text = f"{address.group(1).lower()}{address.group(2).rstrip('/')}"
    found = _SAME.get(text.lower())
    if found:
        return found
    return text if "/" in text else text.lower()


def subject(identifiers: Iterable[Identifier]) -> str:
    """Return `patient:<authority>|<value>` of the best identifier: the medical record number.

    An identifier without an authority counts only if there is no other. Numbers of a country,
    an insurer or an account come last. Empty without identifiers.
    """
    ranked = sorted(identifiers, key=_rank)
    return f"patient:{ranked[0]}" if ranked else ""


def _rank(found: Identifier) -> tuple[bool, int]:
    is_last = found.kind in _LAST or found.system.startswith(_NATIONAL)
    return not found.system, 9 if is_last else _RANK.get(found.kind, 5)


def linked(records: Iterable[Record], *, is_one_source: bool = False) -> Mapping[str, str]:
    """Return the subjects of patients → one subject for all that share an identifier.

    Patients have their `identifiers`, and so has a message that merges two; those without an
    authority are no ground to link. Nor are relative references (`Patient/7`), which another FHIR
    server uses for somebody else, unless all records are of one source. The first subject stands
    for the others.
    """
    parent: dict[str, str] = {}

    def top(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    order: dict[str, int] = {}
    for record in records:
        if record.kind not in ("patient", "merged_patient") or not record.subject:
            continue
        order.setdefault(record.subject, len(order))
        shared = [name for name in _texts(record, "identifiers") if not name.startswith("|")]
        shared += _texts(record, "references") if is_one_source else ()
        own = record.subject
        parent.setdefault(own, own)
        for name in (f"patient:{n}" for n in shared):
            parent.setdefault(name, name)
            parent[top(name)] = top(own)
    first: dict[str, str] = {}
    for name in order:
        first.setdefault(top(name), name)
    return {name: first[top(name)] for name in parent if top(name) in first}


def _texts(record: Record, key: str) -> tuple[str, ...]:
    value = record.values.get(key, ())
    return value if isinstance(value, tuple) else ()
