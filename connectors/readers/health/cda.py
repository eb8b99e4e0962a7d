"""Clinical documents (HL7 CDA R2, C-CDA): sections as text, their entries as records."""

from __future__ import annotations

import re

from lxml import etree

from connectors.readers import enclosed
from connectors.readers.elements import parse
from connectors.readers.health.cda_entries import Statements
from connectors.readers.health.cda_types import (
    SDTC,
    V3,
    Texts,
    address_of,
    child,
    children,
    code,
    first_id,
    identifier_of,
    name_of,
    time_of,
)
from connectors.readers.health.narrative import place_narrative, words
from connectors.readers.health.patients import subject
from connectors.readers.model import Reading
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, language

_MAX_DEPTH = 20


def read(source: Source) -> Reading:
    """Read a clinical document; raises `ReadError`."""
    root = parse(source.path.read_bytes())
    declared = child(root, "languageCode")
    lang = language("" if declared is None else declared.get("code"))
    register = Register(lang=lang, cap=source.limits.rows)
    texts = Texts(root)
    title = clean(root.findtext(f"{V3}title") or "") or texts.coded(child(root, "code"))
    register.outline.heading(title or "Clinical document", 1)
    name, about = _patients(root, register, texts)
    _document(root, register, texts, title, name, about)
    statements = Statements(register, texts, name, about)
    for section in children(root, "component", "structuredBody", "component", "section"):
        _section(section, register, statements, 2)
    _body(root, register, source)
    return Reading(
        source.media_type,
        best_title(" — ".join(filter(None, [title, name])), None, source.name),
        tuple(register.outline.blocks),
        lang,
        tuple(register.records),
        tuple(register.warnings),
    )


def _patients(root: etree._Element, register: Register, texts: Texts) -> tuple[str, str]:
    """Add each patient; returns the name and the subject of the first."""
    found: list[tuple[str, str]] = []
    for role in children(root, "recordTarget", "patientRole"):
        person = child(role, "patient")
        ids = [one for e in children(role, "id") if (one := identifier_of(e)) is not None]
        name = name_of(child(person, "name"))
        about = subject(ids)
        deceased = None if person is None else person.find(f"{SDTC}deceasedTime")
        register.state(
            "patient",
            name,
            {
                "name": name,
                "birth_date": time_of(child(person, "birthTime")),
                "gender": texts.coded(child(person, "administrativeGenderCode")).lower(),
                "marital_status": texts.coded(child(person, "maritalStatusCode")),
                "race": texts.coded(child(person, "raceCode")),
                "ethnicity": texts.coded(child(person, "ethnicGroupCode")),
                "religion": texts.coded(child(person, "religiousAffiliationCode")),
                "language": _language(person),
                "address": "; ".join(map(address_of, children(role, "addr"))),
                "telephone": ", ".join(
                    filter(
                        None,
                        (
                            re.sub("^(tel|mailto):", "", e.get("value", ""))
                            for e in children(role, "telecom")
                        ),
                    )
                ),
                "deceased": time_of(deceased),
                "identifiers": tuple(dict.fromkeys(map(str, ids))),
            },
            record_id=ids[0].value if ids else "",
            subject=about,
            silent=("name",),
        )
        found.append((name, about))
        if not about:
            register.warn("The patient has no usable identifier; the records link to nobody.")
    if not found:
        register.warn("The document names no patient; its records link to nobody.")
    return found[0] if found else ("", "")


def _language(person: etree._Element | None) -> str:
    spoken = child(person, "languageCommunication", "languageCode")
    return "" if spoken is None else spoken.get("code", "")


def _document(
    root: etree._Element, register: Register, texts: Texts, title: str, name: str, about: str
) -> None:
    authors = (
        name_of(child(one, "assignedAuthor", "assignedPerson", "name"))
        or name_of(child(one, "assignedAuthor", "representedOrganization", "name"))
        or clean(
            words(e)
            if (e := child(one, "assignedAuthor", "assignedAuthoringDevice", "softwareName"))
            is not None
            else ""
        )
        for one in children(root, "author")
    )
    keeper = child(
        root, "custodian", "assignedCustodian", "representedCustodianOrganization", "name"
    )
    visit = child(root, "componentOf", "encompassingEncounter")
    place = child(visit, "location", "healthCareFacility", "location", "name")
    version = child(root, "versionNumber")
    register.state(
        "document",
        title,
        {
            "patient": name,
            "title": title,
            "type": texts.coded(child(root, "code")),
            "code": code(child(root, "code")),
            "date": time_of(child(root, "effectiveTime")),
            "author": ", ".join(dict.fromkeys(filter(None, authors))),
            "custodian": name_of(keeper),
            "encounter": time_of(child(visit, "effectiveTime")),
            "location": name_of(place),
            "version": "" if version is None else version.get("value", ""),
            "confidentiality": texts.coded(child(root, "confidentialityCode")),
        },
        record_id=first_id(root),
        subject=about,
        about=name,
        silent=("patient", "title", "code"),
    )


def _section(
    section: etree._Element, register: Register, statements: Statements, level: int
) -> None:
    title = words(e) if (e := child(section, "title")) is not None else ""
    coding = child(section, "code")
    register.outline.heading(title or statements.texts.coded(coding), level)
    text = child(section, "text")
    if text is not None:
        place_narrative(register.outline, text)
    for entry in children(section, "entry"):
        statements.place(entry, "" if coding is None else coding.get("code", ""))
    if level > _MAX_DEPTH:
        register.warn(f"Sections nested deeper than {_MAX_DEPTH} levels were left out.")
        return
    for inner in children(section, "component", "section"):
        _section(inner, register, statements, level + 1)


def _body(root: etree._Element, register: Register, source: Source) -> None:
    """A body that is a file of its own, such as a scanned letter in PDF."""
    text = child(root, "component", "nonXMLBody", "text")
    if text is None:
        return
    kind = text.get("mediaType", "text/plain")
    reference = child(text, "reference")
    if text.get("representation") == "B64":
        name = "enclosed document" if register.lang != "pt" else "documento anexo"
        enclosed.place_base64(register, words(text), name, source.limits, kind)
    elif reference is not None:
        register.warn(
            f"The document's text is another file ({reference.get('value', '')}); add it as well."
        )
    else:
        register.outline.paragraph(words(text))
