"""Who may read a FHIR resource: by its security labels and the patients it speaks of.

Everything unknown closes: a label that nobody mapped, a patient that can't be named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.contract import Access

NOBODY = Access()
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class AccessMap:
    """How a source's labels and patients become principals.

    `labels` maps `SYSTEM|CODE` or `CODE` to a principal that a reader must hold, `everyone` for
    no condition. `patient_group` holds `{id}`; empty means that `allow` decides for patients too.
    """

    allow: frozenset[str]
    labels: Mapping[str, str]
    patient_group: str = ""


def access_of(resource: Mapping[str, Any], rules: AccessMap) -> Access:
    """Return who may read a resource; nobody where a label or its patient is unknown."""
    needed = set[str]()
    for label in (resource.get("meta") or {}).get("security") or ():
        code = str(label.get("code", ""))
        principal = rules.labels.get(f"{label.get('system', '')}|{code}", rules.labels.get(code))
        if principal is None:
            return NOBODY
        needed.add(principal)
    needed.discard("everyone")
    allow = rules.allow
    if rules.patient_group:
        patients = patients_of(resource)
        if "" in patients:
            return NOBODY
        groups = [rules.patient_group.replace("{id}", patient) for patient in sorted(patients)]
        if groups:
            allow = frozenset(groups[:1])
            needed.update(groups[1:])
    return Access(allow=allow, all_of=frozenset(needed)) if allow else NOBODY


def patients_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the patients a resource names anywhere; `""` is one without an id."""
    found = set(_references(resource, 0))
    if resource.get("resourceType") == "Patient":
        found.add(str(resource.get("id", "")))
    for key in ("subject", "patient"):
        if resource.get(key) and not any(_references(resource[key], 0)):
            found.add("")
    return frozenset(found)


def _references(value: Any, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        yield ""
    elif isinstance(value, Mapping):
        reference = value.get("reference")
        if isinstance(reference, str):
            parts = reference.split("/_history/")[0].split("/")
            if len(parts) > 1 and parts[-2] == "Patient":
                yield parts[-1]
        elif value.get("type") == "Patient" and "identifier" in value:
            yield ""
        for inner in value.values():
            yield from _references(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner, depth + 1)
