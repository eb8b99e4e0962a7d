"""Clinical statements of a CDA document (problems, drugs, results, …) as records.

C-CDA R2.1 tells by template ids what a statement is; where they are missing, its element and the
code of its section do. A statement that only details another (severity, reaction, status) becomes
a value of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from connectors.readers.health.cda_types import (
    V3,
    Texts,
    child,
    children,
    code,
    first_id,
    name_of,
    quantity_of,
    range_of,
    time_of,
    value_of,
)
from connectors.readers.health.narrative import local
from connectors.readers.record import Quantity, Value
from connectors.readers.register import Register, shown
from connectors.readers.text import clean

STATEMENTS = frozenset(
    {"observation", "substanceAdministration", "procedure", "encounter", "act", "organizer"}
    | {"supply", "observationMedia"}
)
_TEMPLATES = "2.16.840.1.113883.10.20."
_CONDITIONS = frozenset({"22.4.4", "1.28", "22.4.74"})
_ALLERGIES = frozenset({"22.4.7", "24.3.90", "1.18"})
_IMMUNIZATIONS = frozenset({"22.4.52", "22.4.120"})
_WRAPPERS = frozenset(
    {"22.4.3", "22.4.30", "22.4.80", "22.4.33", "22.4.34", "22.4.65", "22.4.36", "22.4.35", "1.27"}
    | {"22.4.132", "22.4.133"}
)
_DETAILS = {
    "22.4.8": "severity",
    "1.55": "severity",
    "22.4.9": "reaction",
    "1.54": "reaction",
    "22.4.6": "clinical_status",
    "1.50": "clinical_status",
    "1.39": "clinical_status",
    "22.4.28": "clinical_status",
    "22.4.145": "criticality",
    "22.4.5": "health_status",
    "22.4.31": "age_at_onset",
    "22.4.64": "note",
    "1.40": "note",
    "22.4.19": "reason",
    "22.4.20": "instructions",
    "22.4.53": "refusal",
}
"""The template of a detail → the value that it gives to its statement."""

_CONDITION_SECTIONS = frozenset({"11450-4", "11348-0", "46241-6", "11535-2", "10219-4"})
_ALLERGY_SECTION = "48765-2"
_IMMUNIZATION_SECTION = "11369-6"
_MAX_DEPTH = 50


@dataclass
class Statements:
    """Writes the statements of a document's sections into a register."""

    register: Register
    texts: Texts
    patient: str
    subject: str

    def place(self, entry: etree._Element, section: str, depth: int = 0) -> None:
        """Add the statements below an entry; `section` is the LOINC code of its section."""
        if depth > _MAX_DEPTH:
            self.register.warn("Statements nested deeper than 50 levels were left out.")
            return
        for statement in entry:
            if local(statement) in STATEMENTS:
                self._statement(statement, section, depth)

    def _statement(self, statement: etree._Element, section: str, depth: int) -> None:
        name = local(statement)
        templates = _templates(statement)
        details = dict(self._details(statement))
        if not (name == "act" and templates & _WRAPPERS):
            kind = _kind(statement, name, templates, section)
            head, values = self._told(statement, name, kind)
            self._state(statement, kind, head, {**values, **details})
        for relation in _relations(statement):
            if not any(_detail(inner) for inner in relation):
                self.place(relation, section, depth + 1)

    def _state(
        self, statement: etree._Element, kind: str, head: str, values: dict[str, Value | None]
    ) -> None:
        is_bare = statement.tag == f"{V3}organizer" or not any(values.values())
        if not head and is_bare:
            return
        is_negated = statement.get("negationInd") == "true"
        if is_negated:
            no = "não" if self.register.lang == "pt" else "no"
            head = f"{no} {head}" if head else no
        self.register.state(
            kind,
            head,
            {"patient": self.patient, "negated": is_negated or None, **values},
            record_id=first_id(statement),
            subject=self.subject,
            about=self.patient,
            silent=("patient", "negated", "name", "value", "code"),
        )

    def _details(self, statement: etree._Element) -> Iterator[tuple[str, Value]]:
        found: dict[str, list[str]] = {}
        for relation in _relations(statement):
            for inner in relation:
                if key := _detail(inner):
                    found.setdefault(key, []).append(self._detail_text(inner))
        for key, told in found.items():
            if any(told):
                yield key, "; ".join(filter(None, told))

    def _detail_text(self, detail: etree._Element) -> str:
        value = child(detail, "value")
        told = ""
        if value is not None:
            typed, words = value_of(value, self.texts)
            told = words or ("" if typed is None else shown(typed))
        inner = dict(self._details(detail))
        severity = inner.get("severity")
        told = (
            told or self.texts.of(child(detail, "text")) or self.texts.coded(child(detail, "code"))
        )
        return f"{told} ({severity})" if severity else told

    def _told(
        self, statement: etree._Element, name: str, kind: str
    ) -> tuple[str, dict[str, Value | None]]:
        if name == "substanceAdministration":
            return self._administration(statement, kind)
        if name == "supply":
            return self._supply(statement)
        if kind == "allergy_intolerance":
            return self._allergy(statement)
        if name == "observation":
            return self._observation(statement, kind)
        return self._other(statement)

    def _observation(
        self, statement: etree._Element, kind: str
    ) -> tuple[str, dict[str, Value | None]]:
        coding = child(statement, "code")
        name = self.texts.coded(coding)
        values, told = self._values(statement)
        common: dict[str, Value | None] = {
            "code": code(coding),
            "status": _status(statement),
            "note": self._text(statement, name, told),
        }
        if kind == "condition":
            value = child(statement, "value")
            common |= {"code": code(value), "onset": time_of(child(statement, "effectiveTime"))}
            return told or name, {"name": told or name, **common}
        first = values[0] if len(values) == 1 else (told or None)
        if first is not None and not told:
            told = shown(first, self.register.lang)
        return " ".join(filter(None, [name, told])), {
            "name": name,
            "value": first,
            **common,
            "date": time_of(child(statement, "effectiveTime")),
            "interpretation": self._joined(statement, "interpretationCode"),
            "reference_range": self._ranges(statement),
            "body_site": self._joined(statement, "targetSiteCode"),
            "method": self._joined(statement, "methodCode"),
        }

    def _values(self, statement: etree._Element) -> tuple[list[Value], str]:
        found = [value_of(value, self.texts) for value in children(statement, "value")]
        return [v for v, _ in found if v is not None], ", ".join(
            filter(None, (t for _, t in found))
        )

    def _ranges(self, statement: etree._Element) -> str:
        told = []
        for one in children(statement, "referenceRange", "observationRange"):
            told.append(range_of(child(one, "value")) or self.texts.of(child(one, "text")))
        return "; ".join(filter(None, told))

    def _allergy(self, statement: etree._Element) -> tuple[str, dict[str, Value | None]]:
        playing = child(statement, "participant", "participantRole", "playingEntity")
        agent = child(playing, "code")
        substance = self.texts.coded(agent) or name_of(child(playing, "name"))
        _, kind = self._values(statement)
        return substance or kind, {
            "name": substance or kind,
            "code": code(agent),
            "type": kind if substance else None,
            "onset": time_of(child(statement, "effectiveTime")),
            "status": _status(statement),
        }

    def _administration(
        self, statement: etree._Element, kind: str
    ) -> tuple[str, dict[str, Value | None]]:
        product = child(statement, "consumable", "manufacturedProduct")
        material = child(product, "manufacturedMaterial")
        if material is None:
            material = child(product, "manufacturedLabeledDrug")
        coding = child(material, "code")
        name = self.texts.coded(coding) or name_of(child(material, "name"))
        times = children(statement, "effectiveTime")
        dose = child(statement, "doseQuantity")
        is_shot = kind == "immunization"
        values: dict[str, Value | None] = {
            "name": name,
            "code": code(coding),
            "date" if is_shot else "period": time_of(times[0]) if times else None,
            "dose": quantity_of(dose) or range_of(dose),
            "rate": quantity_of(child(statement, "rateQuantity")),
            "route": self._joined(statement, "routeCode"),
            "body_site": self._joined(statement, "approachSiteCode"),
            "rhythm": "; ".join(filter(None, map(self._rhythm, times))),
            "lot": clean(_text_of(child(material, "lotNumberText"))),
            "manufacturer": name_of(child(product, "manufacturerOrganization", "name")),
            "status": _status(statement),
        }
        return name, {**values, "note": self._text(statement, name)}

    def _rhythm(self, time: etree._Element) -> str:
        period = quantity_of(child(time, "period"))
        if period is not None:
            return f"{_EVERY.get(self.register.lang or '', 'every')} {shown(period)}"
        return self.texts.coded(child(time, "event"))

    def _supply(self, statement: etree._Element) -> tuple[str, dict[str, Value | None]]:
        product = child(statement, "product", "manufacturedProduct", "manufacturedMaterial")
        coding = child(product, "code")
        name = self.texts.coded(coding) or name_of(child(product, "name"))
        device = child(statement, "participant", "participantRole", "playingDevice", "code")
        name = name or self.texts.coded(device)
        quantity = quantity_of(child(statement, "quantity"))
        repeats = quantity_of(child(statement, "repeatNumber"))
        values: dict[str, Value | None] = {
            "code": code(coding) or code(device),
            "date": time_of(child(statement, "effectiveTime")),
            "quantity": quantity,
            "repeats": repeats.amount if isinstance(repeats, Quantity) else None,
            "status": _status(statement),
        }
        return name, values if name or quantity else {}

    def _other(self, statement: etree._Element) -> tuple[str, dict[str, Value | None]]:
        """Procedures, encounters, acts and organizers."""
        coding = child(statement, "code")
        name = self.texts.coded(coding)
        return name, {
            "name": name,
            "code": code(coding),
            "date": time_of(child(statement, "effectiveTime")),
            "body_site": self._joined(statement, "targetSiteCode"),
            "status": _status(statement),
            "performer": ", ".join(filter(None, map(_performer, children(statement, "performer")))),
            "location": ", ".join(
                filter(
                    None,
                    (
                        name_of(child(one, "participantRole", "playingEntity", "name"))
                        for one in children(statement, "participant")
                        if one.get("typeCode") == "LOC"
                    ),
                )
            ),
            "note": self._text(statement, name),
        }

    def _joined(self, statement: etree._Element, name: str) -> str:
        return ", ".join(filter(None, map(self.texts.coded, children(statement, name))))

    def _text(self, statement: etree._Element, *known: str) -> str:
        """The statement's own text, where it says more than its codes do."""
        told = self.texts.of(child(statement, "text"))
        return "" if any(told.lower() in clean(k).lower() for k in known if k) else told


_EVERY = {"pt": "a cada"}


def _kind(statement: etree._Element, name: str, templates: set[str], section: str) -> str:
    kind = {
        "observation": "observation",
        "substanceAdministration": "medication_statement",
        "supply": "medication_dispense",
        "organizer": "diagnostic_report",
        "observationMedia": "media",
    }.get(name, name)
    if name == "observation":
        if templates & _ALLERGIES or (section == _ALLERGY_SECTION and not templates):
            return "allergy_intolerance"
        is_problem = section in _CONDITION_SECTIONS and not templates
        return "condition" if templates & _CONDITIONS or is_problem else kind
    if name == "substanceAdministration":
        if templates & _IMMUNIZATIONS or section == _IMMUNIZATION_SECTION:
            return "immunization"
        return "medication_request" if statement.get("moodCode") in ("INT", "RQO") else kind
    return "procedure" if name == "act" and templates & {"22.4.12", "22.4.41"} else kind


def _templates(statement: etree._Element) -> set[str]:
    roots = (template.get("root", "") for template in children(statement, "templateId"))
    return {root.removeprefix(_TEMPLATES) for root in roots}


def _detail(statement: etree._Element) -> str:
    """The value that a statement gives to the one around it; empty if it stands alone."""
    if local(statement) not in STATEMENTS:
        return ""
    return next((_DETAILS[t] for t in _templates(statement) if t in _DETAILS), "")


def _relations(statement: etree._Element) -> Iterator[etree._Element]:
    for inner in statement:
        if inner.tag in (f"{V3}entryRelationship", f"{V3}component"):
            yield inner


def _status(statement: etree._Element) -> str:
    found = child(statement, "statusCode")
    return "" if found is None else found.get("code", "")


def _performer(performer: etree._Element) -> str:
    entity = child(performer, "assignedEntity")
    return name_of(child(entity, "assignedPerson", "name")) or name_of(
        child(entity, "representedOrganization", "name")
    )


def _text_of(element: etree._Element | None) -> str:
    return "" if element is None else element.text or ""
