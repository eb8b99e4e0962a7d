"""FHIR R4 JSON (hl7.org/fhir): each resource as a sentence that names its patient, with values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.readers.health.codes import code_of
from connectors.readers.health.fhir_patients import Patient, Patients, identifiers, links
from connectors.readers.health.fhir_types import (
    SILENT,
    Resource,
    anything,
    concept,
    dosage,
    human_name,
    is_word,
    items,
    notes,
    number,
    objects,
    period,
    reference,
    scalar,
    spaced,
    span,
    value_of,
    when,
)
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.record import Period, Quantity, Record, day, decimal, moment, snake, valued
from connectors.readers.source import Source
from connectors.readers.text import best_title, language

Fields = dict[str, Any]

_MOMENTS = frozenset(
    {"birth_date", "date", "onset", "abatement", "recorded", "authored", "performed"}
)

MEDIA_TYPE = "application/fhir+json"


def resources_of(value: Any) -> list[Resource]:
    """The FHIR resources of a resource, a Bundle, or a list of them; empty for other JSON."""
    roots = value if isinstance(value, list) else [value]
    if not roots or not all(isinstance(r, dict) and is_word(r.get("resourceType")) for r in roots):
        return []
    found: list[Resource] = []
    for root in roots:
        if root["resourceType"] == "Bundle":
            entries = root.get("entry")
            for entry in objects(entries):
                inner = entry.get("resource")
                if isinstance(inner, dict) and is_word(inner.get("resourceType")):
                    found.append({**inner, "fullUrl": entry.get("fullUrl")})
        else:
            found.append(root)
    return found


def reading_of_resources(
    resources: list[Resource], source: Source, media_type: str = MEDIA_TYPE
) -> Reading:
    """Resources grouped by type under the patient's name, one record block each."""
    warnings: list[str] = []
    if len(resources) > source.limits.rows:
        warnings.append(f"Only the first {source.limits.rows} resources were read.")
        resources = resources[: source.limits.rows]
    patients = Patients(resources)
    only = patients.names[0] if len(set(patients.names)) == 1 else ""
    outline = Outline()
    if only:
        outline.heading(only, 1)
    records: list[Record] = []
    kinds = sorted(
        dict.fromkeys(r["resourceType"] for r in resources), key=lambda kind: kind != "Patient"
    )
    for kind in kinds:
        outline.heading(spaced(kind), 2)
        for resource in (r for r in resources if r["resourceType"] == kind):
            patient = patients.about(resource)
            sentence, fields = _worded(resource)
            outline.record(f"{patient.name} — {sentence}" if patient.name else sentence)
            records.append(_record(resource, patient, fields, len(outline.blocks) - 1))
    title = f"Health record of {only}" if only else None
    lang = language(resources[0].get("language") if isinstance(resources[0], dict) else None)
    return Reading(
        media_type,
        best_title(title, None, source.name),
        tuple(outline.blocks),
        lang,
        tuple(records),
        tuple(warnings),
    )


def _has_value(value: Any) -> bool:
    return value is not None and value != ""


def _record(resource: Resource, patient: Patient, fields: Fields, block: int) -> Record:
    values = {snake(key): value for key, value in fields.items() if _has_value(value)}
    amount, unit = decimal(str(values.pop("value", ""))), values.pop("unit", "")
    if amount is not None:
        values["value"] = Quantity(amount, unit)
    for key in _MOMENTS & values.keys():
        values[key] = moment(values[key])
    span_of = resource.get("period")
    if "period" in values and isinstance(span_of, dict):
        start, end = (day(scalar(span_of.get(key))) for key in ("start", "end"))
        values["period"] = Period(start, end)
    if resource["resourceType"] == "Patient":
        values["identifiers"] = tuple(map(str, identifiers(resource)))
        values["references"] = links(resource)
    return Record(
        snake(resource["resourceType"]),
        valued({"patient": patient.name, **values, "code": _code(resource)}),
        id=scalar(resource.get("id")),
        subject=patient.subject,
        block=block,
    )


def _code(resource: Resource) -> str:
    """The first code of what a resource is about, with its vocabulary."""
    for key in ("code", "vaccineCode", "medicationCodeableConcept"):
        for found in objects(resource.get(key)):
            for coding in objects(found.get("coding")):
                if text := code_of(scalar(coding.get("system")), scalar(coding.get("code"))):
                    return text
    return ""


def _worded(resource: Resource) -> tuple[str, Fields]:
    """A sentence a person would read, and the values behind it."""
    reader = _READERS.get(resource["resourceType"])
    if reader is None:
        return _generic(resource), {"status": scalar(resource.get("status"))}
    head, fields = reader(resource)
    told = {k: v for k, v in fields.items() if _has_value(v) and k not in ("value", "unit")}
    details = [head, *(f"{spaced(k)}: {v}" for k, v in told.items())]
    return f"{spaced(resource['resourceType'])}: " + "; ".join(filter(None, details)), {
        "name": head,
        **fields,
    }


def _patient(r: Resource) -> tuple[str, Fields]:
    address = "; ".join(
        ", ".join(
            filter(
                None,
                [*map(scalar, items(a.get("line"))), scalar(a.get("city")), scalar(a.get("state"))],
            )
        )
        for a in objects(r.get("address"))
    )
    return human_name(r), {
        "gender": scalar(r.get("gender")),
        "birthDate": scalar(r.get("birthDate")),
        "deceased": scalar(r.get("deceasedDateTime")) or scalar(r.get("deceasedBoolean")),
        "maritalStatus": concept(r.get("maritalStatus")),
        "telephone": ", ".join(
            filter(None, (scalar(t.get("value")) for t in objects(r.get("telecom"))))
        ),
        "address": address,
    }


def _observation(r: Resource) -> tuple[str, Fields]:
    value = value_of(r)
    parts = [f"{concept(c.get('code'))} {value_of(c)}".strip() for c in objects(r.get("component"))]
    quantity = r.get("valueQuantity")
    quantity = quantity if isinstance(quantity, dict) else {}
    head = " ".join(filter(None, [concept(r.get("code")), value]))
    return head + (f" ({', '.join(parts)})" if parts else ""), {
        "date": when(r),
        "interpretation": ", ".join(concept(i) for i in objects(r.get("interpretation"))),
        "referenceRange": ", ".join(span(x) for x in objects(r.get("referenceRange"))),
        "status": scalar(r.get("status")),
        "value": number(quantity.get("value")),
        "unit": scalar(quantity.get("unit") or quantity.get("code")),
        "note": notes(r),
    }


def _condition(r: Resource) -> tuple[str, Fields]:
    return concept(r.get("code")), {
        "clinicalStatus": concept(r.get("clinicalStatus")),
        "verification": concept(r.get("verificationStatus")),
        "severity": concept(r.get("severity")),
        "bodySite": ", ".join(concept(s) for s in objects(r.get("bodySite"))),
        "onset": scalar(r.get("onsetDateTime")) or scalar(r.get("onsetString")),
        "abatement": scalar(r.get("abatementDateTime")) or scalar(r.get("abatementString")),
        "recorded": scalar(r.get("recordedDate")),
        "note": notes(r),
    }


def _medication(r: Resource) -> tuple[str, Fields]:
    drug = r.get("medicationReference")
    name = concept(r.get("medicationCodeableConcept")) or reference(drug)
    if not name and isinstance(drug, dict) and scalar(drug.get("reference"))[:1] == "#":
        wanted = scalar(drug.get("reference"))[1:]
        name = next(
            (concept(c.get("code")) for c in objects(r.get("contained")) if c.get("id") == wanted),
            "",
        )
    return name, {
        "dosage": "; ".join(dosage(d) for d in objects(r.get("dosageInstruction"))),
        "reason": ", ".join(concept(c) for c in objects(r.get("reasonCode"))),
        "status": scalar(r.get("status")),
        "intent": scalar(r.get("intent")),
        "authored": scalar(r.get("authoredOn")),
        "requester": reference(r.get("requester")),
        "note": notes(r),
    }


def _allergy(r: Resource) -> tuple[str, Fields]:
    reactions = []
    for reaction in objects(r.get("reaction")):
        signs = ", ".join(concept(m) for m in objects(reaction.get("manifestation")))
        reactions.append(" ".join(filter(None, [scalar(reaction.get("severity")), signs])))
    return concept(r.get("code")), {
        "reaction": "; ".join(filter(None, reactions)),
        "criticality": scalar(r.get("criticality")),
        "type": scalar(r.get("type")),
        "category": ", ".join(map(scalar, items(r.get("category")))),
        "clinicalStatus": concept(r.get("clinicalStatus")),
        "verification": concept(r.get("verificationStatus")),
        "recorded": scalar(r.get("recordedDate")),
        "note": notes(r),
    }


def _procedure(r: Resource) -> tuple[str, Fields]:
    return concept(r.get("code")), {
        "performed": scalar(r.get("performedDateTime")) or period(r.get("performedPeriod")),
        "status": scalar(r.get("status")),
        "reason": ", ".join(
            filter(
                None,
                [concept(c) for c in objects(r.get("reasonCode"))]
                + [reference(c) for c in objects(r.get("reasonReference"))],
            )
        ),
        "note": notes(r),
    }


def _encounter(r: Resource) -> tuple[str, Fields]:
    kinds = ", ".join(filter(None, (concept(t) for t in objects(r.get("type")))))
    visit = r.get("class")
    return kinds or "visit", {
        "class": scalar(visit.get("display") or visit.get("code"))
        if isinstance(visit, dict)
        else "",
        "period": period(r.get("period")),
        "reason": ", ".join(concept(c) for c in objects(r.get("reasonCode"))),
        "status": scalar(r.get("status")),
        "provider": reference(r.get("serviceProvider")),
    }


def _care_plan(r: Resource) -> tuple[str, Fields]:
    activities = []
    for activity in objects(r.get("activity")):
        detail = activity.get("detail")
        detail = detail if isinstance(detail, dict) else {}
        activities.append(concept(detail.get("code")) or scalar(detail.get("description")))
    title = scalar(r.get("title")) or ", ".join(concept(c) for c in objects(r.get("category")))
    return title, {
        "activities": ", ".join(filter(None, activities)),
        "period": period(r.get("period")),
        "status": scalar(r.get("status")),
        "description": scalar(r.get("description")),
    }


def _report(r: Resource) -> tuple[str, Fields]:
    return concept(r.get("code")), {
        "date": when(r),
        "conclusion": scalar(r.get("conclusion")),
        "results": ", ".join(filter(None, (reference(x) for x in objects(r.get("result"))))),
        "status": scalar(r.get("status")),
    }


def _immunization(r: Resource) -> tuple[str, Fields]:
    return concept(r.get("vaccineCode")), {
        "date": scalar(r.get("occurrenceDateTime")),
        "status": scalar(r.get("status")),
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
    kind = spaced(r["resourceType"])
    narrative = r.get("text")
    if isinstance(narrative, dict) and isinstance(narrative.get("div"), str):
        from connectors.readers.markup import place_html

        outline = Outline()
        place_html(outline, narrative["div"])
        told = " ".join(block.text.replace("\n", "; ") for block in outline.blocks)
        if told:
            return f"{kind}: {told}"
    fields = [
        f"{spaced(key)}: {shown}"
        for key, value in r.items()
        if key not in SILENT and (shown := anything(value))
    ]
    return f"{kind}: " + "; ".join(fields)
