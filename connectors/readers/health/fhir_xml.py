"""FHIR in XML (hl7.org/fhir/xml.html): turned into its JSON form, and read as that."""

from __future__ import annotations

from typing import Any

from lxml import etree

from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.health import fhir
from connectors.readers.model import Reading
from connectors.readers.source import Source

_MAX_DEPTH = 64


def read(source: Source) -> Reading:
    """Read a resource or a Bundle in XML; raises `ReadError`."""
    resources = fhir.resources_of(resource_of(parse(source.path.read_bytes()), 0))
    if not resources:
        raise ReadError("empty", "The Bundle holds no resources.")
    return fhir.reading_of_resources(resources, source, source.media_type)


def resource_of(element: etree._Element, depth: int) -> dict[str, Any]:
    """A resource as JSON has it."""
    return {"resourceType": etree.QName(element).localname, **_fields(element, depth)}


def _fields(element: etree._Element, depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        line = element.sourceline
        raise ReadError(
            "bomb", f"The XML is nested deeper than {_MAX_DEPTH} levels in line {line}."
        )
    fields: dict[str, Any] = {
        key: text for key in ("id", "url") if (text := element.get(key)) is not None
    }
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child).localname
        value = _value(child, name, depth + 1)
        if name in fields:
            known = fields[name]
            fields[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            fields[name] = value
    return fields


def _value(element: etree._Element, name: str, depth: int) -> Any:
    if name == "div":
        return etree.tostring(element, encoding="unicode", with_tail=False)
    inner = [child for child in element if isinstance(child.tag, str)]
    if name in ("resource", "contained") and len(inner) == 1:
        return resource_of(inner[0], depth)
    text = element.get("value")
    if text is None or inner:
        return _fields(element, depth)
    return {"true": True, "false": False}.get(text, text)
