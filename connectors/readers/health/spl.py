"""Drug labels (HL7 Structured Product Labeling, as DailyMed has them): text and products."""

from __future__ import annotations

from lxml import etree

from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.health.cda_types import (
    Texts,
    child,
    children,
    code,
    name_of,
    quantity_of,
    time_of,
)
from connectors.readers.health.narrative import local, place_narrative, words
from connectors.readers.model import Reading
from connectors.readers.record import Value
from connectors.readers.register import Register, shown
from connectors.readers.source import Source
from connectors.readers.text import best_title, language

_MAX_DEPTH = 20
_INACTIVE = "IACT"


def read(source: Source) -> Reading:
    """Read a label: its sections as text, its products and ingredients as records."""
    root = parse(source.path.read_bytes())
    texts = Texts(root)
    declared = child(root, "languageCode")
    lang = language("" if declared is None else declared.get("code"))
    register = Register(lang=lang, cap=source.limits.rows)
    title = words(e) if (e := child(root, "title")) is not None else ""
    title = title or texts.coded(child(root, "code"))
    register.outline.heading(title, 1)
    maker = child(root, "author", "assignedEntity", "representedOrganization", "name")
    set_id, version = child(root, "setId"), child(root, "versionNumber")
    number = "" if set_id is None else set_id.get("root", "")
    register.state(
        "document",
        title,
        {
            "title": title,
            "type": texts.coded(child(root, "code")),
            "date": time_of(child(root, "effectiveTime")),
            "manufacturer": name_of(maker),
            "version": "" if version is None else version.get("value", ""),
            "set_id": number,
        },
        record_id=number,
        silent=("title",),
    )
    for section in children(root, "component", "structuredBody", "component", "section"):
        _section(section, register, texts, 2)
    if len(register.outline.blocks) < 3:
        raise ReadError("empty", "The label has no sections.")
    return Reading(
        source.media_type,
        best_title(title, None, source.name),
        tuple(register.outline.blocks),
        lang,
        tuple(register.records),
        tuple(register.warnings),
    )


def _section(section: etree._Element, register: Register, texts: Texts, level: int) -> None:
    title = words(e) if (e := child(section, "title")) is not None else ""
    register.outline.heading(title or texts.coded(child(section, "code")), level)
    text = child(section, "text")
    if text is not None:
        place_narrative(register.outline, text)
    for product in children(section, "subject", "manufacturedProduct"):
        inner = child(product, "manufacturedProduct")
        if inner is None:
            inner = child(product, "manufacturedMedicine")
        _product(product if inner is None else inner, product, register, texts)
    if level > _MAX_DEPTH:
        register.warn(f"Sections nested deeper than {_MAX_DEPTH} levels were left out.")
        return
    for part in children(section, "component", "section"):
        _section(part, register, texts, level + 1)


def _product(
    product: etree._Element, holder: etree._Element, register: Register, texts: Texts
) -> None:
    name = name_of(child(product, "name"))
    coding = child(product, "code")
    number = "" if coding is None else coding.get("code", "")
    generic = child(product, "asEntityWithGeneric", "genericMedicine", "name")
    route = child(holder, "consumedIn", "substanceAdministration", "routeCode")
    subject = f"product:{number}" if number else ""
    register.state(
        "product",
        name,
        {
            "name": name,
            "generic_name": name_of(generic),
            "code": code(coding),
            "form": texts.coded(child(product, "formCode")),
            "route": texts.coded(route),
            "packages": tuple(_packages(product, texts)),
        },
        record_id=number,
        subject=subject,
        silent=("name",),
    )
    for ingredient in product:
        if local(ingredient) in ("ingredient", "activeIngredient", "inactiveIngredient"):
            _ingredient(ingredient, name, subject, register)


def _ingredient(ingredient: etree._Element, product: str, subject: str, register: Register) -> None:
    substance = next((e for e in ingredient if local(e).lower().endswith("substance")), None)
    if substance is None:
        substance = next((e for e in ingredient if "ngredient" in local(e)), None)
    is_active = (
        local(ingredient) != "inactiveIngredient" and ingredient.get("classCode") != _INACTIVE
    )
    parts = [
        quantity_of(child(ingredient, "quantity", name)) for name in ("numerator", "denominator")
    ]
    strength = " / ".join(shown(part) for part in parts if part)
    values: dict[str, Value | None] = {
        "name": name_of(child(substance, "name")),
        "product": product,
        "code": code(child(substance, "code")),
        "strength": strength,
        "amount": parts[0],
        "active": is_active,
    }
    register.state(
        "ingredient",
        str(values["name"]),
        values,
        subject=subject,
        silent=("name", "amount", "code"),
    )


def _packages(product: etree._Element, texts: Texts) -> list[str]:
    """`100 TABLET in 1 BOTTLE (NDC 0002-3)` for each package."""
    found = []
    for content in product.iter("{urn:hl7-org:v3}asContent"):
        amount = quantity_of(child(content, "quantity", "numerator"))
        package = child(content, "containerPackagedProduct")
        if package is None:
            package = child(content, "containerPackagedMedicine")
        form = texts.coded(child(package, "formCode"))
        number = code(child(package, "code"))
        told = " in ".join(filter(None, (shown(amount) if amount else "", form)))
        found.append(f"{told} ({number})" if number else told)
    return [one for one in found if one]
