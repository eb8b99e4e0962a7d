"""GS1 EPCIS 1.x and 2.0 events, from XML or JSON-LD: what, when, where and why of each.

Identifiers of the Core Business Vocabulary are shown by their names; GTINs are computed from
EPC URNs (Tag Data Standard 2.0) or read from GS1 Digital Links, so that events of one product link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NoReturn

from connectors.readers.errors import ReadError
from connectors.readers.ledger import Ledger, joined, named
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal
from connectors.readers.retail.epcis_xml import Found, in_xml
from connectors.readers.retail.gtin import gtin_of
from connectors.readers.source import Source
from connectors.readers.text import clean

EVENTS = frozenset(
    {
        "ObjectEvent",
        "AggregationEvent",
        "TransactionEvent",
        "TransformationEvent",
        "AssociationEvent",
        "QuantityEvent",
    }
)
_WITH_ACTION = EVENTS - {"TransformationEvent", "QuantityEvent"}
_LISTS = {
    "epcList": "objects",
    "childEPCs": "contents",
    "inputEPCList": "inputs",
    "outputEPCList": "outputs",
}
_QUANTITIES = {
    "quantityList": "object",
    "childQuantityList": "content",
    "inputQuantityList": "input",
    "outputQuantityList": "output",
}
_TOLD = """
    type eventTime eventTimeZoneOffset recordTime eventID action bizStep disposition readPoint
    bizLocation parentID bizTransactionList sourceList destinationList sensorElementList
    errorDeclaration persistentDisposition transformationID @context epcClass quantity
"""
_KNOWN = frozenset({*_LISTS, *_QUANTITIES, *_TOLD.split()})
_JOBS = frozenset({"EPCISCaptureJob"})


def read(source: Source) -> Reading:
    """Read an XML document; raises `ReadError` with line and element where an event is broken."""
    return _reading(source, in_xml(source.path.read_bytes()))


def is_epcis(value: Any) -> bool:
    """Whether a JSON value is an EPCIS document, a query result, or events."""
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict):
        return False
    kind = first.get("type") or first.get("isA")
    return kind in ("EPCISDocument", "EPCISQueryDocument", "EPCISCaptureJob") or (
        kind in EVENTS and "eventTime" in first
    )


def read_json(value: Any, source: Source) -> Reading:
    """Read a JSON-LD document; raises `ReadError` with the path where an event is broken."""
    return _reading(source, _in_json(value))


def _in_json(value: Any) -> Iterator[Found]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _json_items(item, f"[{i}]")
    else:
        yield from _json_items(value, "")


def _json_items(value: Any, path: str) -> Iterator[Found]:
    if not isinstance(value, dict):
        return
    kind = value.get("type") or value.get("isA")
    if kind in EVENTS or kind in _JOBS:
        yield Found({**value, "type": kind}, path or "the document")
        return
    body = value.get("epcisBody")
    if isinstance(body, dict):
        results = body.get("queryResults")
        if isinstance(results, dict) and isinstance(results.get("resultsBody"), dict):
            body = results["resultsBody"]
        events = body.get("eventList")
        if not isinstance(events, list):
            events = [body["event"]] if "event" in body else None
        if events is None:
            _refuse("epcisBody", "has no eventList")
        for i, event in enumerate(events):
            if not isinstance(event, dict):
                _refuse(f"epcisBody.eventList[{i}]", "is no event")
            yield Found(event, f"epcisBody.eventList[{i}]")
    elif kind in ("EPCISDocument", "EPCISQueryDocument"):
        _refuse(path or "the document", "has no epcisBody")


def _reading(source: Source, found: Iterator[Found]) -> Reading:
    ledger = Ledger(source)
    ledger.heading("EPCIS events", 1)
    for item in found:
        if item.values.get("type") in _JOBS:
            _job(ledger, item.values)
        elif item.values.get("type") == "VocabularyElement":
            _master_data(ledger, item.values)
        else:
            _event(ledger, item)
    if not ledger.n_records:
        ledger.paragraph("The document holds no events.")
    return ledger.reading(source.media_type, None)


def _event(ledger: Ledger, found: Found) -> None:
    event, place = found.values, found.place
    kind = event.get("type")
    if kind not in EVENTS:
        _refuse(place, f"has type {str(kind)[:40]!r}, which is no EPCIS event")
    at = _moment(event.get("eventTime"))
    if at is None:
        _refuse(place, f"has eventTime {str(event.get('eventTime'))[:40]!r}, which is no time")
    action = _text(event.get("action"))
    if kind in _WITH_ACTION and action not in ("ADD", "OBSERVE", "DELETE"):
        _refuse(place, f"has action {action!r}, not ADD, OBSERVE or DELETE")
    objects = {name: _texts(event.get(key)) for key, name in _LISTS.items()}
    everything = [e for epcs in objects.values() for e in epcs]
    quantities = _quantities(event)
    products = _products([*everything, *(str(q["class"]) for q in quantities)])
    values: dict[str, Value | None] = {
        "type": str(kind),
        "time": at,
        "action": action.lower(),
        "step": _name(event.get("bizStep")),
        "disposition": _name(event.get("disposition")),
        "read_point": _place(event.get("readPoint")),
        "location": _place(event.get("bizLocation")),
        "parent": _text(event.get("parentID")),
        **objects,
        "products": products,
        "transactions": _typed(event.get("bizTransactionList"), "bizTransaction"),
        "sources": _typed(event.get("sourceList"), "source"),
        "destinations": _typed(event.get("destinationList"), "destination"),
        "transformation": _text(event.get("transformationID")),
        "recorded": _moment(event.get("recordTime")),
        "corrected": _correction(event.get("errorDeclaration")),
        "extensions": tuple(_extensions(event)),
    }
    subject = f"product:{products[0]}" if len(products) == 1 else ""
    number = _text(event.get("eventID"))
    ledger.state(
        _sentence(event, values, quantities), "event", values, own_id=number, subject=subject
    )
    for quantity in quantities:
        amount = quantity["quantity"]
        gtin = gtin_of(str(quantity["class"]))
        ledger.again(
            "event_quantity",
            {**quantity, "time": at, "event": number, "step": values["step"]},
            subject=f"product:{gtin}" if gtin else "",
        ) if amount is not None else None
    _sensors(ledger, event, at, number)


def _sentence(
    event: Mapping[str, Any],
    values: Mapping[str, Value | None],
    quantities: list[dict[str, Value | None]],
) -> str:
    """What, when, where and why, in that order."""
    offset = _text(event.get("eventTimeZoneOffset"))
    when = f"{_text(event.get('eventTime'))[:19].replace('T', ' ')} {offset}".strip()
    kind = str(values["type"]).removesuffix("Event").lower()
    deed = joined(str(values["step"] or ""), str(values["disposition"] or ""), by=", ")
    action = f" ({values['action']})" if values["action"] else ""
    measured = ", ".join(
        f"{q['quantity'].amount:f} {q['quantity'].unit} of {q['class']} ({q['role']})".replace(
            "  ", " "
        )
        for q in quantities
        if isinstance(q["quantity"], Quantity)
    )
    keys = (
        "parent objects contents inputs outputs products read_point location transactions sources "
        "destinations transformation corrected extensions"
    )
    return joined(
        f"{when} {kind} event{action}: {deed}".rstrip(": "),
        *(named(key.replace("_", " "), values[key]) for key in keys.split() if values[key]),
        named("quantities", measured),
    )


def _quantities(event: Mapping[str, Any]) -> list[dict[str, Value | None]]:
    found: list[dict[str, Value | None]] = []
    listed = [
        (role, item) for key, role in _QUANTITIES.items() for item in _objects(event.get(key))
    ]
    if event.get("type") == "QuantityEvent":
        listed.append(("object", dict(event)))
    for role, item in listed:
        amount = decimal(str(getattr(item.get("quantity"), "raw", item.get("quantity"))))
        unit = _text(item.get("uom"))
        found.append(
            {
                "class": _text(item.get("epcClass")),
                "role": role,
                "quantity": Quantity(amount, unit) if amount is not None else None,
            }
        )
    return found


def _sensors(ledger: Ledger, event: Mapping[str, Any], at: datetime, number: str) -> None:
    for element in _objects(event.get("sensorElementList")):
        meta = element.get("sensorMetadata")
        meta = meta if isinstance(meta, dict) else {}
        for report in _objects(element.get("sensorReport")):
            unit = _text(report.get("uom"))
            amounts = {
                name: Quantity(amount, unit)
                for key, name in (
                    ("value", "value"),
                    ("minValue", "minimum"),
                    ("maxValue", "maximum"),
                    ("meanValue", "mean"),
                )
                if (amount := decimal(_text(report.get(key)))) is not None
            }
            others = {
                "text": _text(report.get("stringValue")) or _text(report.get("hexBinaryValue")),
                "device": _text(report.get("deviceID")) or _text(meta.get("deviceID")),
            }
            name = _name(report.get("type")) or "measurement"
            time = _moment(report.get("time") or meta.get("time") or meta.get("endTime")) or at
            told = (named(key, value) for key, value in (amounts | others).items())
            ledger.line(
                joined(f"{time:%Y-%m-%d %H:%M} sensor, {name}", *told),
                "sensor_report",
                {"type": name, "time": time, **amounts, **others, "event": number},
            )


def _job(ledger: Ledger, job: Mapping[str, Any]) -> None:
    names = "captureID running success captureErrorBehaviour createdAt finishedAt errorFile"
    values: dict[str, Value | None] = {name: _text(job.get(name)) for name in names.split()}
    number = str(values.pop("captureID") or "")
    told = [named(key, value) for key, value in values.items()]
    ledger.state(joined(f"Capture job {number}", *told), "capture_job", values, own_id=number)


def _master_data(ledger: Ledger, element: Mapping[str, Any]) -> None:
    number, kind = _text(element.get("id")), _name(element.get("vocabulary"))
    told = {_name(key): _text(value) for key, value in element.get("attributes", {}).items()}
    ledger.state(
        joined(f"{kind} {number}", *(named(key, value) for key, value in told.items())),
        "master_data",
        {"vocabulary": kind, **{key.replace(" ", "_"): value for key, value in told.items()}},
        own_id=number,
    )


def _products(identifiers: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(gtin for epc in identifiers if (gtin := gtin_of(epc))))


def _correction(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return joined(
        "declared wrong", _text(value.get("declarationTime")), _name(value.get("reason")), by=" "
    )


def _extensions(event: Mapping[str, Any]) -> Iterator[str]:
    for key, value in event.items():
        if key not in _KNOWN and not key.startswith("@"):
            yield from _flat(key, value, 0)


def _flat(key: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and depth < 8:
        for name, inner in value.items():
            yield from _flat(f"{key} {name}", inner, depth + 1)
    elif isinstance(value, list) and depth < 8:
        for inner in value:
            yield from _flat(key, inner, depth + 1)
    elif shown := _text(value):
        yield f"{key}={shown}"


def _typed(value: Any, key: str) -> tuple[str, ...]:
    return tuple(
        joined(_name(item.get("type")), _text(item.get(key)), by=" ") for item in _objects(value)
    )


def _place(value: Any) -> str:
    return _text(value.get("id")) if isinstance(value, dict) else _text(value)


def _objects(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, dict)]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value))) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    return clean(str(getattr(value, "raw", value)))


def _name(value: Any) -> str:
    """The last part of a vocabulary's URI or prefixed name: `in_transit` is `in transit`."""
    text = _text(value)
    return text.rpartition("/")[2].rpartition(":")[2].rpartition("#")[2].replace("_", " ")


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(_text(value))
    except ValueError:
        return None


def _refuse(place: str, problem: str) -> NoReturn:
    raise ReadError("corrupt", f"The EPCIS document breaks its format: {place} {problem}.")
