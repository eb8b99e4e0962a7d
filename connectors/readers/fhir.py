"""FHIR R4 JSON (hl7.org/fhir): each resource as a sentence that names its patient, with values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.text import best_title, clean, language

if TYPE_CHECKING:
    from pydantic import JsonValue

Resource = dict[str, Any]
Fields = dict[str, Any]

MEDIA_TYPE = "application/fhir+json"
# Bookkeeping about the record itself: nothing that a clinician would ask for.
_SILENT = frozenset(
    "resourceType id meta implicitRules text contained extension modifierExtension identifier".split()
)


def resources_of(value: Any) -> list[Resource]:
    """The FHIR resources of a resource, a Bundle, or a list of them; empty for other JSON."""
    roots = value if isinstance(value, list) else [value]
    if not roots or not all(isinstance(r, dict) and _word(r.get("resourceType")) for r in roots):
        return []
    found: list[Resource] = []
    for root in roots:
        if root["resourceType"] == "Bundle":
            entries = root.get("entry")
            inner = [e.get("resource") for e in _list(entries) if isinstance(e, dict)]
            found += [r for r in inner if isinstance(r, dict) and _word(r.get("resourceType"))]
        else:
            found.append(root)
    return found


def reading_of_resources(resources: list[Resource], name: str) -> Reading:
    """Resources grouped by type under the patient's name, one record block each."""
    patients = {
        ref: _human_name(r)
        for r in resources
        if r["resourceType"] == "Patient"
        for ref in (f"Patient/{r.get('id')}", f"urn:uuid:{r.get('id')}")
    }
    only = next(iter(patients.values()), "") if len(set(patients.values())) == 1 else ""
    outline = Outline()
    if only:
        outline.heading(only, 1)
    records: list[dict[str, JsonValue]] = []
    kinds = sorted(
        dict.fromkeys(r["resourceType"] for r in resources), key=lambda kind: kind != "Patient"
    )
    for kind in kinds:
        outline.heading(_spaced(kind), 2)
        for resource in (r for r in resources if r["resourceType"] == kind):
            patient = _patient_of(resource, patients)
            sentence, fields = _worded(resource)
            outline.record(f"{patient} — {sentence}" if patient else sentence)
            record = {"resource": kind, "id": resource.get("id"), "patient": patient, **fields}
            records.append({k: v for k, v in record.items() if _has_value(v)})
    title = f"Health record of {only}" if only else None
    lang = language(resources[0].get("language") if isinstance(resources[0], dict) else None)
    return Reading(
        MEDIA_TYPE,
        best_title(title, None, name),
        tuple(outline.blocks),
        lang,
        tuple(records),
    )


def _has_value(value: Any) -> bool:
    return value is not None and value != ""


def _worded(resource: Resource) -> tuple[str, Fields]:
    """A sentence a person would read, and the values behind it."""
    reader = _READERS.get(resource["resourceType"])
    if reader is None:
        return _generic(resource), {"status": _text(resource.get("status"))}
    head, fields = reader(resource)
    details = [head, *(f"{_spaced(k)}: {v}" for k, v in fields.items() if _has_value(v))]
    return f"{_spaced(resource['resourceType'])}: " + "; ".join(filter(None, details)), {
        "name": head,
        **fields,
    }


def _patient(r: Resource) -> tuple[str, Fields]:
    address = "; ".join(
        ", ".join(
            filter(
                None,
                [*map(_text, _list(a.get("line"))), _text(a.get("city")), _text(a.get("state"))],
            )
        )
        for a in _dicts(r.get("address"))
    )
    return _human_name(r), {
        "gender": _text(r.get("gender")),
        "birthDate": _text(r.get("birthDate")),
        "deceased": _text(r.get("deceasedDateTime")) or _text(r.get("deceasedBoolean")),
        "maritalStatus": _concept(r.get("maritalStatus")),
        "telephone": ", ".join(filter(None, (_text(t.get("value")) for t in _dicts(r.get("telecom"))))),
        "address": address,
    }


def _observation(r: Resource) -> tuple[str, Fields]:
    value = _value(r)
    parts = [f"{_concept(c.get('code'))} {_value(c)}".strip() for c in _dicts(r.get("component"))]
    quantity = r.get("valueQuantity")
    quantity = quantity if isinstance(quantity, dict) else {}
    head = " ".join(filter(None, [_concept(r.get("code")), value]))
    return head + (f" ({', '.join(parts)})" if parts else ""), {
        "date": _when(r),
        "interpretation": ", ".join(_concept(i) for i in _dicts(r.get("interpretation"))),
        "referenceRange": ", ".join(_range(x) for x in _dicts(r.get("referenceRange"))),
        "status": _text(r.get("status")),
        "value": _number(quantity.get("value")),
        "unit": _text(quantity.get("unit") or quantity.get("code")),
        "note": _notes(r),
    }


def _condition(r: Resource) -> tuple[str, Fields]:
    return _concept(r.get("code")), {
        "clinicalStatus": _concept(r.get("clinicalStatus")),
        "verification": _concept(r.get("verificationStatus")),
        "severity": _concept(r.get("severity")),
        "bodySite": ", ".join(_concept(s) for s in _dicts(r.get("bodySite"))),
        "onset": _text(r.get("onsetDateTime")) or _text(r.get("onsetString")),
        "abatement": _text(r.get("abatementDateTime")) or _text(r.get("abatementString")),
        "recorded": _text(r.get("recordedDate")),
        "note": _notes(r),
    }


def _medication(r: Resource) -> tuple[str, Fields]:
    reference = r.get("medicationReference")
    name = _concept(r.get("medicationCodeableConcept")) or _reference(reference)
    if not name and isinstance(reference, dict) and _text(reference.get("reference"))[:1] == "#":
        wanted = _text(reference.get("reference"))[1:]
        name = next(
            (_concept(c.get("code")) for c in _dicts(r.get("contained")) if c.get("id") == wanted),
            "",
        )
    return name, {
        "dosage": "; ".join(_dosage(d) for d in _dicts(r.get("dosageInstruction"))),
        "reason": ", ".join(_concept(c) for c in _dicts(r.get("reasonCode"))),
        "status": _text(r.get("status")),
        "intent": _text(r.get("intent")),
        "authored": _text(r.get("authoredOn")),
        "requester": _reference(r.get("requester")),
        "note": _notes(r),
    }


def _allergy(r: Resource) -> tuple[str, Fields]:
    reactions = []
    for reaction in _dicts(r.get("reaction")):
        signs = ", ".join(_concept(m) for m in _dicts(reaction.get("manifestation")))
        reactions.append(" ".join(filter(None, [_text(reaction.get("severity")), signs])))
    return _concept(r.get("code")), {
        "reaction": "; ".join(filter(None, reactions)),
        "criticality": _text(r.get("criticality")),
        "type": _text(r.get("type")),
        "category": ", ".join(map(_text, _list(r.get("category")))),
        "clinicalStatus": _concept(r.get("clinicalStatus")),
        "verification": _concept(r.get("verificationStatus")),
        "recorded": _text(r.get("recordedDate")),
        "note": _notes(r),
    }


def _procedure(r: Resource) -> tuple[str, Fields]:
    return _concept(r.get("code")), {
        "performed": _text(r.get("performedDateTime")) or _period(r.get("performedPeriod")),
        "status": _text(r.get("status")),
        "reason": ", ".join(
            filter(
                None,
                [_concept(c) for c in _dicts(r.get("reasonCode"))]
                + [_reference(c) for c in _dicts(r.get("reasonReference"))],
            )
        ),
        "note": _notes(r),
    }


def _encounter(r: Resource) -> tuple[str, Fields]:
    kinds = ", ".join(filter(None, (_concept(t) for t in _dicts(r.get("type")))))
    visit = r.get("class")
    return kinds or "visit", {
        "class": _text(visit.get("display") or visit.get("code"))
        if isinstance(visit, dict)
        else "",
        "period": _period(r.get("period")),
        "reason": ", ".join(_concept(c) for c in _dicts(r.get("reasonCode"))),
        "status": _text(r.get("status")),
        "provider": _reference(r.get("serviceProvider")),
    }


def _care_plan(r: Resource) -> tuple[str, Fields]:
    activities = []
    for activity in _dicts(r.get("activity")):
        detail = activity.get("detail")
        detail = detail if isinstance(detail, dict) else {}
        activities.append(_concept(detail.get("code")) or _text(detail.get("description")))
    title = _text(r.get("title")) or ", ".join(_concept(c) for c in _dicts(r.get("category")))
    return title, {
        "activities": ", ".join(filter(None, activities)),
        "period": _period(r.get("period")),
        "status": _text(r.get("status")),
        "description": _text(r.get("description")),
    }


def _report(r: Resource) -> tuple[str, Fields]:
    return _concept(r.get("code")), {
        "date": _when(r),
        "conclusion": _text(r.get("conclusion")),
        "results": ", ".join(filter(None, (_reference(x) for x in _dicts(r.get("result"))))),
        "status": _text(r.get("status")),
    }


def _immunization(r: Resource) -> tuple[str, Fields]:
    return _concept(r.get("vaccineCode")), {
        "date": _text(r.get("occurrenceDateTime")),
        "status": _text(r.get("status")),
    }


_READERS: dict[str, Callable[[Resource], tuple[str, Fields]]] = {
    "Patient": _patient,
    "Observation": _observation,
    "Condition": _condition,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "AllergyIntolerance": _allergy,
    "Procedure": _procedure,
    "Encounter": _encounter,
    "CarePlan": _care_plan,
    "DiagnosticReport": _report,
    "Immunization": _immunization,
}


def _generic(r: Resource) -> str:
    """The narrative that every resource may carry, else its plain fields."""
    kind = _spaced(r["resourceType"])
    narrative = r.get("text")
    if isinstance(narrative, dict) and isinstance(narrative.get("div"), str):
        from connectors.readers.markup import place_html

        outline = Outline()
        place_html(outline, narrative["div"])
        told = " ".join(block.text.replace("\n", "; ") for block in outline.blocks)
        if told:
            return f"{kind}: {told}"
    fields = [
        f"{_spaced(key)}: {shown}"
        for key, value in r.items()
        if key not in _SILENT and (shown := _anything(value))
    ]
    return f"{kind}: " + "; ".join(fields)


def _anything(value: Any, depth: int = 0) -> str:
    """The human-readable part of any FHIR element."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_anything(item, depth + 1) for item in value[:50])))
    if not isinstance(value, dict):
        return _text(value)
    known = _quantity(value) or _concept(value) or _reference(value) or _period(value)
    if known or depth > 4:
        return known
    return ", ".join(
        f"{_spaced(key)} {shown}"
        for key, child in value.items()
        if key not in _SILENT and (shown := _anything(child, depth + 1))
    )


def _word(value: Any) -> bool:
    return isinstance(value, str) and value.isalpha()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a repeated element, tolerating a single one."""
    items = [value] if isinstance(value, dict) else _list(value)
    return [item for item in items if isinstance(item, dict)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, dict | list):
        return ""
    return clean(str(getattr(value, "raw", value)))


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _spaced(name: str) -> str:
    """`birthDate` → `birth date`, `CarePlan` → `Care plan`."""
    words = "".join(f" {ch.lower()}" if ch.isupper() and i else ch for i, ch in enumerate(name))
    return clean(words)


def _human_name(r: Resource) -> str:
    names = _dicts(r.get("name"))
    names.sort(key=lambda n: n.get("use") != "official")
    if not names:
        return ""
    first = names[0]
    parts = [*map(_text, _list(first.get("given"))), _text(first.get("family"))]
    return _text(first.get("text")) or " ".join(filter(None, parts))


def _patient_of(r: Resource, patients: dict[str, str]) -> str:
    if r["resourceType"] == "Patient":
        return ""
    subject = r.get("subject") or r.get("patient") or r.get("beneficiary")
    if not isinstance(subject, dict):
        return ""
    reference = _text(subject.get("reference"))
    return patients.get(reference) or _text(subject.get("display"))


def _concept(value: Any) -> str:
    """A CodeableConcept or Coding by its text, else its first display, else its code."""
    if not isinstance(value, dict):
        return ""
    codings = [value, *_dicts(value.get("coding"))]
    for key in ("text", "display", "code"):
        for coding in codings:
            if shown := _text(coding.get(key)):
                return shown
    return ""


def _reference(value: Any) -> str:
    return _text(value.get("display")) if isinstance(value, dict) else ""


def _quantity(value: Any) -> str:
    if not isinstance(value, dict) or value.get("value") is None:
        return ""
    amount = f"{_text(value.get('comparator'))}{_text(value.get('value'))}"
    return f"{amount} {_text(value.get('unit') or value.get('code'))}".strip()


def _period(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    start, end = _text(value.get("start")), _text(value.get("end"))
    return f"{start} to {end}" if start and end else start or (f"until {end}" if end else "")


def _range(value: dict[str, Any]) -> str:
    low, high = _quantity(value.get("low")), _quantity(value.get("high"))
    return _text(value.get("text")) or " to ".join(filter(None, [low, high]))


def _value(r: Resource) -> str:
    for key, value in r.items():
        if key.startswith("value"):
            return _anything(value) if isinstance(value, dict) else _text(value)
    return _concept(r.get("dataAbsentReason"))


def _when(r: Resource) -> str:
    return (
        _text(r.get("effectiveDateTime"))
        or _period(r.get("effectivePeriod"))
        or _text(r.get("issued"))
    )


def _notes(r: Resource) -> str:
    return " ".join(filter(None, (_text(n.get("text")) for n in _dicts(r.get("note")))))


def _dosage(value: dict[str, Any]) -> str:
    if told := _text(value.get("text")):
        return told
    doses = [_quantity(d.get("doseQuantity")) for d in _dicts(value.get("doseAndRate"))]
    timing = value.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    rhythm = ""
    if isinstance(repeat, dict) and repeat.get("frequency"):
        rhythm = (
            f"{_text(repeat.get('frequency'))} time(s) every "
            f"{_text(repeat.get('period'))} {_text(repeat.get('periodUnit'))}"
        )
    route = _concept(value.get("route"))
    return " ".join(filter(None, [*doses, rhythm, route]))
