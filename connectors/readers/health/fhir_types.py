"""FHIR data types (hl7.org/fhir/R4/datatypes.html) as words; missing or odd values become empty."""

from __future__ import annotations

from typing import Any

from connectors.readers.record import decimal
from connectors.readers.text import clean

Resource = dict[str, Any]

# Bookkeeping about the record itself: nothing that a clinician would ask for.
SILENT = frozenset(
    (
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "text",
        "contained",
        "extension",
        "modifierExtension",
        "identifier",
        "fullUrl",
    )
)


def anything(value: Any, depth: int = 0) -> str:
    """The human-readable part of any FHIR element."""
    if isinstance(value, list):
        return ", ".join(filter(None, (anything(item, depth + 1) for item in value[:50])))
    if not isinstance(value, dict):
        return scalar(value)
    known = quantity(value) or concept(value) or reference(value) or period(value)
    if known or depth > 4:
        return known
    return ", ".join(
        f"{spaced(key)} {shown}"
        for key, child in value.items()
        if key not in SILENT and (shown := anything(child, depth + 1))
    )


def is_word(value: Any) -> bool:
    """Whether a value can be the name of a resource type."""
    return isinstance(value, str) and value.isalpha()


def items(value: Any) -> list[Any]:
    """A list; a single value, as XML has it, is a list of one."""
    if isinstance(value, list):
        return value
    return [] if value is None or isinstance(value, dict) else [value]


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a repeated element, tolerating a single one."""
    found = [value] if isinstance(value, dict) else items(value)
    return [item for item in found if isinstance(item, dict)]


def scalar(value: Any) -> str:
    """A primitive value as text; numbers as they were written."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, dict | list):
        return ""
    return clean(str(getattr(value, "raw", value)))


def number(value: Any) -> Any:
    """A number, or None; XML has numbers as text."""
    if isinstance(value, str):
        return value if decimal(value) is not None else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def spaced(name: str) -> str:
    """`birthDate` → `birth date`, `CarePlan` → `Care plan`."""
    words = "".join(f" {ch.lower()}" if ch.isupper() and i else ch for i, ch in enumerate(name))
    return clean(words)


def human_name(r: Resource) -> str:
    """The official name of a person, given names first."""
    names = objects(r.get("name"))
    names.sort(key=lambda n: n.get("use") != "official")
    if not names:
        return ""
    first = names[0]
    parts = [*map(scalar, items(first.get("given"))), scalar(first.get("family"))]
    return scalar(first.get("text")) or " ".join(filter(None, parts))


def concept(value: Any) -> str:
    """A CodeableConcept or Coding by its text, else its first display, else its code."""
    if not isinstance(value, dict):
        return ""
    codings = [value, *objects(value.get("coding"))]
    for key in ("text", "display", "code"):
        for coding in codings:
            if shown := scalar(coding.get(key)):
                return shown
    return ""


def reference(value: Any) -> str:
    """What a reference displays."""
    return scalar(value.get("display")) if isinstance(value, dict) else ""


def quantity(value: Any) -> str:
    """An amount with its unit."""
    if not isinstance(value, dict) or value.get("value") is None:
        return ""
    amount = f"{scalar(value.get('comparator'))}{scalar(value.get('value'))}"
    return f"{amount} {scalar(value.get('unit') or value.get('code'))}".strip()


def period(value: Any) -> str:
    """A time span in words."""
    if not isinstance(value, dict):
        return ""
    start, end = scalar(value.get("start")), scalar(value.get("end"))
    return f"{start} to {end}" if start and end else start or (f"until {end}" if end else "")


def span(value: dict[str, Any]) -> str:
    """A reference range in words."""
    low, high = quantity(value.get("low")), quantity(value.get("high"))
    return scalar(value.get("text")) or " to ".join(filter(None, [low, high]))


def value_of(r: Resource) -> str:
    """The `value[x]` of an observation, or why it is missing."""
    for key, value in r.items():
        if key.startswith("value"):
            return anything(value) if isinstance(value, dict) else scalar(value)
    return concept(r.get("dataAbsentReason"))


def when(r: Resource) -> str:
    """When an observation or report was made."""
    return (
        scalar(r.get("effectiveDateTime"))
        or period(r.get("effectivePeriod"))
        or scalar(r.get("issued"))
    )


def notes(r: Resource) -> str:
    """All annotations."""
    return " ".join(filter(None, (scalar(n.get("text")) for n in objects(r.get("note")))))


def dosage(value: dict[str, Any]) -> str:
    """A dosage instruction in words."""
    if told := scalar(value.get("text")):
        return told
    doses = [quantity(d.get("doseQuantity")) for d in objects(value.get("doseAndRate"))]
    timing = value.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    rhythm = ""
    if isinstance(repeat, dict) and repeat.get("frequency"):
        rhythm = (
            f"{scalar(repeat.get('frequency'))} time(s) every "
            f"{scalar(repeat.get('period'))} {scalar(repeat.get('periodUnit'))}"
        )
    route = concept(value.get("route"))
    return " ".join(filter(None, [*doses, rhythm, route]))
