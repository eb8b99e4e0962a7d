"""Studies of ClinicalTrials.gov: the JSON of its API (version 2), and the older XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from connectors.readers.branches import every, first, text, texts
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.record import Value, decimal, moment
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

JSON = "application/clinical-trial+json"

Object = dict[str, Any]


def is_study(value: Any) -> bool:
    """Whether a JSON value is a study, a page of studies, or a list of them."""
    return bool(_studies(value))


def read_json(value: Any, source: Source) -> Reading:
    """Read studies in JSON."""
    return _reading(_studies(value), source, JSON)


def read(source: Source) -> Reading:
    """Read a study in XML."""
    root = parse(source.path.read_bytes())
    if not text(root, "id_info/nct_id"):
        raise ReadError("corrupt", "The study has no id_info/nct_id; download it again.")
    return _reading([_from_xml(root)], source, source.media_type)


def _studies(value: Any) -> list[Object]:
    if isinstance(value, dict):
        value = value.get("studies", [value])
    found = value if isinstance(value, list) else []
    is_all = all(
        isinstance(one, dict) and isinstance(one.get("protocolSection"), dict) for one in found
    )
    return found if is_all else []


def _reading(studies: list[Object], source: Source, media_type: str) -> Reading:
    register = Register(cap=source.limits.rows)
    for study in studies:
        _study(study, register)
    only = register.outline.first_heading if len(studies) == 1 else None
    return Reading(
        media_type,
        best_title(only, None, source.name),
        tuple(register.outline.blocks),
        "en",
        tuple(register.records),
        tuple(register.warnings),
    )


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _objects(value: Any, *path: str) -> list[Object]:
    found = _at(value, *path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(value: Any, *path: str) -> str:
    found = _at(value, *path)
    if isinstance(found, list):
        return ", ".join(filter(None, (_text(one) for one in found)))
    if found is None or isinstance(found, dict):
        return ""
    return clean(str(getattr(found, "raw", found)))


def _study(study: Object, register: Register) -> None:
    protocol = study["protocolSection"]
    number = _text(protocol, "identificationModule", "nctId")
    title = _text(protocol, "identificationModule", "briefTitle")
    official = _text(protocol, "identificationModule", "officialTitle")
    subject = f"study:{number}" if number else ""
    register.outline.heading(title or number, 1)
    register.state(
        "study", f"{number} {title}", _facts(protocol), record_id=number, subject=subject
    )
    if official and official != title:
        register.outline.paragraph(official)
    for heading, *path in (
        ("Summary", "descriptionModule", "briefSummary"),
        ("Description", "descriptionModule", "detailedDescription"),
        ("Eligibility", "eligibilityModule", "eligibilityCriteria"),
    ):
        told = _at(protocol, *path)
        if isinstance(told, str) and told.strip():
            register.outline.heading(heading, 2)
            _prose(register.outline, told)
    for heading, rows in _tables(protocol):
        if rows:
            register.outline.heading(heading, 2)
        for kind, head, values in rows:
            register.state(kind, head, values, subject=subject, silent=("name",))
    _results(study, register, subject)


def _facts(protocol: Object) -> dict[str, Value | None]:
    status, design = (_at(protocol, name) for name in ("statusModule", "designModule"))
    eligible = _at(protocol, "eligibilityModule")
    return {
        "acronym": _text(protocol, "identificationModule", "acronym"),
        "status": _text(status, "overallStatus").replace("_", " ").lower(),
        "why_stopped": _text(status, "whyStopped"),
        "type": _text(design, "studyType").replace("_", " ").lower(),
        "phase": _text(design, "phases").replace("PHASE", "phase ").lower(),
        "conditions": _text(protocol, "conditionsModule", "conditions"),
        "sponsor": _text(protocol, "sponsorCollaboratorsModule", "leadSponsor", "name"),
        "started": moment(_text(status, "startDateStruct", "date")),
        "completed": moment(_text(status, "completionDateStruct", "date")),
        "primary_completion": moment(_text(status, "primaryCompletionDateStruct", "date")),
        "updated": moment(_text(status, "lastUpdatePostDateStruct", "date")),
        "enrollment": decimal(_text(design, "enrollmentInfo", "count")),
        "allocation": _text(design, "designInfo", "allocation").replace("_", " ").lower(),
        "masking": _text(design, "designInfo", "maskingInfo", "masking").lower(),
        "purpose": _text(design, "designInfo", "primaryPurpose").replace("_", " ").lower(),
        "sex": _text(eligible, "sex").lower(),
        "minimum_age": _text(eligible, "minimumAge"),
        "maximum_age": _text(eligible, "maximumAge"),
        "healthy_volunteers": _at(eligible, "healthyVolunteers") is True or None,
        "keywords": _text(protocol, "conditionsModule", "keywords"),
    }


Row = tuple[str, str, "dict[str, Value | None]"]


def _tables(protocol: Object) -> Iterator[tuple[str, list[Row]]]:
    arms = _objects(protocol, "armsInterventionsModule", "armGroups")
    yield "Arms", [_row("arm", a, "label", type="type", description="description") for a in arms]
    drugs = _objects(protocol, "armsInterventionsModule", "interventions")
    yield (
        "Interventions",
        [_row("intervention", d, "name", type="type", description="description",
              arms="armGroupLabels", other_names="otherNames") for d in drugs],
    )  # fmt: skip
    for key, heading in (("primary", "Primary outcomes"), ("secondary", "Secondary outcomes"),
                         ("other", "Other outcomes")):  # fmt: skip
        found = _objects(protocol, "outcomesModule", f"{key}Outcomes")
        rows = [_row("outcome", o, "measure", description="description", time_frame="timeFrame")
                for o in found]  # fmt: skip
        yield heading, [(kind, head, {**values, "rank": key}) for kind, head, values in rows]
    places = _objects(protocol, "contactsLocationsModule", "locations")
    yield (
        "Sites",
        [_row("site", p, "facility", city="city", state="state", country="country", status="status")
         for p in places],
    )  # fmt: skip
    papers = _objects(protocol, "referencesModule", "references")
    yield "References", [_row("reference", p, "citation", pubmed="pmid") for p in papers]


def _row(kind: str, value: Object, head: str, **keys: str) -> Row:
    name = _text(value, head)
    return kind, name, {"name": name, **{key: _text(value, path) for key, path in keys.items()}}


def _results(study: Object, register: Register, subject: str) -> None:
    results = study.get("resultsSection")
    for measure in _objects(results, "outcomeMeasuresModule", "outcomeMeasures"):
        title, unit = _text(measure, "title"), _text(measure, "unitOfMeasure")
        groups = {_text(g, "id"): _text(g, "title") for g in _objects(measure, "groups")}
        register.outline.heading(f"Result: {title}", 2)
        for label, one in _measurements(measure):
            group = groups.get(_text(one, "groupId"), "")
            written = _text(one, "value")
            spread = " to ".join(filter(None, (_text(one, "lowerLimit"), _text(one, "upperLimit"))))
            register.state(
                "result",
                f"{title} — {' · '.join(filter(None, (group, label)))}: {written} {unit}".strip(),
                {
                    "name": title,
                    "group": group,
                    "label": label,
                    "value": decimal(written) if decimal(written) is not None else written,
                    "unit": unit,
                    "spread": spread or _text(one, "spread"),
                    "parameter": _text(measure, "paramType").replace("_", " ").lower(),
                    "time_frame": _text(measure, "timeFrame"),
                },
                subject=subject,
                silent=("name", "group", "label", "value", "unit"),
            )
    groups = {_text(g, "id"): _text(g, "title")
              for g in _objects(results, "adverseEventsModule", "eventGroups")}  # fmt: skip
    for key in ("serious", "other"):
        events = _objects(results, "adverseEventsModule", f"{key}Events")
        if events:
            register.outline.heading(f"{key.capitalize()} adverse events", 2)
        for event in events:
            counts = tuple(
                f"{groups.get(_text(s, 'groupId'), '')} "
                f"{_text(s, 'numAffected')}/{_text(s, 'numAtRisk')}"
                for s in _objects(event, "stats")
            )
            register.state(
                "adverse_event",
                _text(event, "term"),
                {"name": _text(event, "term"), "organ_system": _text(event, "organSystem"),
                 "severity": key, "affected": counts},
                subject=subject,
                silent=("name",),
            )  # fmt: skip


def _measurements(measure: Object) -> Iterator[tuple[str, Object]]:
    for part in _objects(measure, "classes"):
        for category in _objects(part, "categories"):
            label = " · ".join(filter(None, (_text(part, "title"), _text(category, "title"))))
            for one in _objects(category, "measurements"):
                yield label, one


def _prose(outline: Outline, told: str) -> None:
    """Paragraphs and lists of a text with `*` or `-` before its items."""
    bullets: list[str] = []
    for line in (line.strip() for line in told.splitlines()):
        if line.startswith(("*", "- ", "•")):
            bullets.append(f"- {line.lstrip('*-• ')}")
            continue
        if line or not bullets:
            outline.items(bullets)
            bullets = []
        outline.paragraph(line)
    outline.items(bullets)


def _from_xml(root: etree._Element) -> Object:
    """The older XML (clinical_study) as the JSON has it."""

    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": text(root, "id_info/nct_id"),
                "briefTitle": text(root, "brief_title"),
                "officialTitle": text(root, "official_title"),
                "acronym": text(root, "acronym"),
            },
            "statusModule": {
                "overallStatus": text(root, "overall_status"),
                "whyStopped": text(root, "why_stopped"),
                "startDateStruct": {"date": text(root, "start_date")},
                "completionDateStruct": {"date": text(root, "completion_date")},
            },
            "sponsorCollaboratorsModule": {
                "leadSponsor": {"name": text(root, "sponsors/lead_sponsor/agency")}
            },
            "descriptionModule": {
                "briefSummary": _prose_at(root, "brief_summary/textblock"),
                "detailedDescription": _prose_at(root, "detailed_description/textblock"),
            },
            "conditionsModule": {
                "conditions": texts(root, "condition"),
                "keywords": texts(root, "keyword"),
            },
            "designModule": {
                "studyType": text(root, "study_type"),
                "phases": texts(root, "phase"),
                "enrollmentInfo": {"count": text(root, "enrollment")},
                "designInfo": {"allocation": text(root, "study_design_info/allocation")},
            },
            **_plan_from_xml(root),
        }
    }


def _plan_from_xml(root: etree._Element) -> Object:
    """Arms, outcomes, eligibility and sites."""

    def outcomes(name: str) -> list[Object]:
        return [
            {"measure": text(one, "measure"), "description": text(one, "description"),
             "timeFrame": text(one, "time_frame")}
            for one in every(root, name)
        ]  # fmt: skip

    return {
        "armsInterventionsModule": {
            "armGroups": [
                {
                    "label": text(one, "arm_group_label"),
                    "type": text(one, "arm_group_type"),
                    "description": text(one, "description"),
                }
                for one in every(root, "arm_group")
            ],
            "interventions": [
                {
                    "name": text(one, "intervention_name"),
                    "type": text(one, "intervention_type"),
                    "description": text(one, "description"),
                }
                for one in every(root, "intervention")
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": outcomes("primary_outcome"),
            "secondaryOutcomes": outcomes("secondary_outcome"),
            "otherOutcomes": outcomes("other_outcome"),
        },
        "eligibilityModule": {
            "eligibilityCriteria": _prose_at(root, "eligibility/criteria/textblock"),
            "sex": text(root, "eligibility/gender"),
            "minimumAge": text(root, "eligibility/minimum_age"),
            "maximumAge": text(root, "eligibility/maximum_age"),
        },
        "contactsLocationsModule": {
            "locations": [
                {
                    "facility": text(one, "facility/name"),
                    "city": text(one, "facility/address/city"),
                    "country": text(one, "facility/address/country"),
                    "status": text(one, "status"),
                }
                for one in every(root, "location")
            ]
        },
    }


def _prose_at(root: etree._Element, path: str) -> str:
    """The text at a path with its line breaks."""
    found = first(root, path)
    return "" if found is None else str(found.text or "")
