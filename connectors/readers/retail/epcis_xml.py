"""EPCIS events in XML, in the shape that they have in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.readers.branches import Element, attribute, content, inside, local
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError

_EVENT_NAMES = (
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
    "QuantityEvent",
)
_PLAIN_LISTS = frozenset({"epcList", "childEPCs", "inputEPCList", "outputEPCList"})
_QUANTITY_LISTS = frozenset(
    {"quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"}
)
_TYPED_LISTS = {
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}
_WRAPPERS = frozenset({"extension", "baseExtension"})


@dataclass(frozen=True, slots=True)
class Found:
    """An event, capture job or piece of master data, and where it stands."""

    values: dict[str, Any]
    place: str


def in_xml(data: bytes) -> Iterator[Found]:
    """Yield what an XML document holds; raises `ReadError` if it is no EPCIS document."""
    root = parse(data)
    name = local(root.tag)
    if name == "EPCISCaptureJob":
        values = {local(key): str(value) for key, value in root.attrib.items()}
        values |= {local(child.tag): content(child) for child in inside(root)}
        yield Found({"type": name, **values}, _line(root))
        return
    if name == "EPCISDocument" and next(root.iter("{*}EPCISBody"), None) is None:
        raise ReadError(
            "corrupt", f"The EPCIS document breaks its format: {_line(root)} has no EPCISBody."
        )
    for vocabulary in root.iter("{*}Vocabulary"):
        for element in vocabulary.iter("{*}VocabularyElement"):
            yield Found(_vocabulary(vocabulary, element), _line(element))
    for listed in root.iter("{*}EventList"):
        for event in _events(listed):
            yield Found({"type": local(event.tag), **dict(_fields(event))}, _line(event))


def _events(listed: Element) -> Iterator[Element]:
    """The events of a list; versions before 2.0 wrap the newer kinds in `extension`."""
    for child in inside(listed):
        if local(child.tag) in _WRAPPERS:
            yield from _events(child)
        else:
            yield child


def _line(element: Element) -> str:
    return f"line {element.sourceline or '?'}, element {local(element.tag)}"


def _vocabulary(vocabulary: Element, element: Element) -> dict[str, Any]:
    attributes = {attribute(a, "id"): content(a) for a in element.iter("{*}attribute")}
    return {
        "type": "VocabularyElement",
        "vocabulary": attribute(vocabulary, "type"),
        "id": attribute(element, "id"),
        "attributes": attributes,
    }


def _fields(event: Element) -> Iterator[tuple[str, Any]]:
    for child in inside(event):
        name = local(child.tag)
        if name in _WRAPPERS:
            yield from _fields(child)
        elif name in _PLAIN_LISTS:
            yield name, [content(epc) for epc in inside(child)]
        elif name in _QUANTITY_LISTS:
            yield name, [{local(f.tag): content(f) for f in inside(q)} for q in inside(child)]
        elif name in _TYPED_LISTS:
            key = _TYPED_LISTS[name]
            yield name, [{"type": attribute(t, "type"), key: content(t)} for t in inside(child)]
        elif name == "sensorElementList":
            yield name, [_sensor(sensor) for sensor in inside(child)]
        elif name in ("readPoint", "bizLocation"):
            yield name, {local(f.tag): content(f) for f in inside(child)}
        else:
            yield name, _value(child, 0)


def _sensor(sensor: Element) -> dict[str, Any]:
    reports = [
        {local(key): str(value) for key, value in child.attrib.items()}
        for child in inside(sensor)
        if local(child.tag) == "sensorReport"
    ]
    meta = next((c for c in inside(sensor) if local(c.tag) == "sensorMetadata"), None)
    attributes = meta.attrib.items() if meta is not None else ()
    return {
        "sensorMetadata": {local(key): str(value) for key, value in attributes},
        "sensorReport": reports,
    }


def _value(element: Element, depth: int) -> Any:
    children = list(inside(element))
    if not children or depth > 8:
        return content(element)
    return {local(child.tag): _value(child, depth + 1) for child in children}
