"""Asset Administration Shells in XML, versions 1 to 3: brought into the JSON form."""

from __future__ import annotations

from typing import Any

from lxml import etree

from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.industry import aas
from connectors.readers.model import Reading
from connectors.readers.source import Source

_ELEMENTS = frozenset(
    {
        "property", "multiLanguageProperty", "range", "file", "blob", "referenceElement",
        "relationshipElement", "annotatedRelationshipElement", "submodelElementCollection",
        "submodelElementList", "entity", "operation", "capability", "basicEventElement",
        "basicEvent",
    }
)  # fmt: skip
_LISTS = frozenset(
    {
        "assetAdministrationShells", "submodels", "conceptDescriptions", "submodelElements",
        "statements", "annotations", "keys", "description", "displayName", "qualifiers",
        "embeddedDataSpecifications", "specificAssetIds", "preferredName", "definition",
        "shortName", "supplementalSemanticIds", "extensions", "inputVariables", "outputVariables",
        "inoutputVariables", "isCaseOf", "assets", "submodelRefs", "refersTo",
    }
)  # fmt: skip
_LANGUAGE_STRINGS = frozenset({"langString", "IEC61360:langString"})
_MAX_DEPTH = 100


def read(source: Source) -> Reading:
    """Read an environment in XML."""
    return aas.read_environment(environment(source.path.read_bytes()), source, source.media_type)


def environment(data: bytes) -> dict[str, Any]:
    """An environment in XML as JSON has it; raises `ReadError`."""
    found = _object(parse(data), 0)
    for shell in aas.objects(found.get("assetAdministrationShells")):
        shell.setdefault("submodels", shell.pop("submodelRefs", []))
    return found


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _object(element: etree._Element, depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise ReadError(
            "bomb", f"The XML is nested too deeply in line {element.sourceline} to be a shell."
        )
    name = _local(element)
    found: dict[str, Any] = {}
    if name in _ELEMENTS:
        found["modelType"] = name[0].upper() + name[1:]
    for child in _children(element):
        key = _local(child)
        found["id" if key == "identification" else key] = _value(child, key, depth + 1)
    return found


def _value(element: etree._Element, name: str, depth: int) -> Any:
    inner = _children(element)
    names = {_local(child) for child in inner}
    is_list = name in _LISTS or (name in ("value", "annotations") and names & _ELEMENTS)
    if is_list or names & {"langString", "langStringTextType", "submodelElement"}:
        return [_item(child, depth + 1) for child in inner]
    if not inner:
        return (element.text or "").strip()
    return _object(element, depth)


def _item(element: etree._Element, depth: int) -> Any:
    """One item of a list: version 2 wraps elements, and has texts and keys as attributes."""
    name = _local(element)
    inner = _children(element)
    if name == "submodelElement" and inner:
        return _object(inner[0], depth)
    text = (element.text or "").strip()
    if name == "langString":
        return {"language": element.get("lang", ""), "text": text}
    if name == "key" and not inner:
        return {"type": element.get("type", ""), "value": text}
    if name == "submodelRef":
        return _object(element, depth)
    return _object(element, depth) if inner else text
