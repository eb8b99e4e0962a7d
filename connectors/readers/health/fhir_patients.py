"""Which patient each FHIR resource is about: by reference, identifier, or contained resource."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.readers.health.fhir_types import Resource, human_name, objects, scalar
from connectors.readers.health.patients import Identifier, identifier, subject

_ABOUT = ("patient", "subject", "beneficiary", "individual", "for")


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom a resource is about: the name to show, and the key that links; both may be empty."""

    name: str = ""
    subject: str = ""


class Patients:
    """The patients of a file, by every reference that its other resources may use."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._known: dict[str, Patient] = {}
        self.names: list[str] = []
        for resource in resources:
            if resource["resourceType"] == "Patient":
                patient = described(resource)
                self.names.append(patient.name)
                self._known |= dict.fromkeys(references(resource), patient)

    def about(self, resource: Resource) -> Patient:
        """Whom a resource is about; a patient is not about itself by name."""
        if resource["resourceType"] == "Patient":
            return Patient("", described(resource).subject)
        for key in _ABOUT:
            for target in objects(resource.get(key)):
                return self._target(target, resource, key)
        return Patient()

    def _target(self, target: dict[str, Any], resource: Resource, key: str) -> Patient:
        written = scalar(target.get("reference"))
        display = scalar(target.get("display"))
        if written.startswith("#"):
            inner = [c for c in objects(resource.get("contained")) if c.get("id") == written[1:]]
            found = described(inner[0]) if inner else Patient()
            return Patient(found.name or display, found.subject)
        known = self._known.get(written) or self._known.get(_short(written))
        if known:
            return Patient(known.name or display, known.subject)
        own = _identifiers(target.get("identifier"))
        if own:
            return Patient(display, subject(own))
        is_patient = key == "patient" or _short(written).startswith("Patient/")
        return Patient(display, f"patient:{_bare(written)}" if written and is_patient else "")


def described(resource: Resource) -> Patient:
    """The name and the key of a Patient resource."""
    own = subject(identifiers(resource))
    if not own and (refs := references(resource)):
        own = f"patient:{_bare(refs[0])}"
    return Patient(human_name(resource), own)


def identifiers(resource: Resource) -> list[Identifier]:
    """The identifiers of a Patient resource, those in use first."""
    written = objects(resource.get("identifier"))
    return _identifiers(sorted(written, key=lambda one: one.get("use") == "old"))


def references(resource: Resource) -> list[str]:
    """How other resources refer to a Patient resource."""
    own = scalar(resource.get("id"))
    found = [f"Patient/{own}", f"urn:uuid:{own}"] if own else []
    url = scalar(resource.get("fullUrl"))
    return [*found, url] if url and url not in found else found


def links(resource: Resource) -> tuple[str, ...]:
    """All references that mean the person of a Patient resource, `link` included."""
    others = [one.get("other") for one in objects(resource.get("link"))]
    named = [scalar(o.get("reference")) for o in others if isinstance(o, dict)]
    own = [ref for ref in references(resource) if not ref.startswith("urn:uuid:")]
    return tuple(dict.fromkeys(_bare(ref) for ref in (*own, *named) if "Patient/" in ref))


def _identifiers(written: Any) -> list[Identifier]:
    found = []
    for one in objects(written):
        kind = one.get("type")
        codings = objects(kind.get("coding")) if isinstance(kind, dict) else []
        code = next((c for coding in codings if (c := scalar(coding.get("code")))), "")
        found.append(identifier(scalar(one.get("system")), scalar(one.get("value")), code))
    return list(dict.fromkeys(one for one in found if one is not None))


def _short(reference: str) -> str:
    """The last two parts of a reference: `https://a.example/fhir/Patient/1` → `Patient/1`."""
    if reference.startswith("urn:"):
        return reference
    return "/".join(reference.partition("/_history")[0].split("/")[-2:])


def _bare(reference: str) -> str:
    """A reference as part of a key: without scheme and version."""
    return re.sub(r"^https?://", "", reference.partition("/_history")[0])
