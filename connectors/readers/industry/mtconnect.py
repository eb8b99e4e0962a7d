"""MTConnect documents (ANSI/MTC1.4): devices, streams of observations, assets, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from connectors.readers.branches import every, first, text
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal, moment, snake, valued
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

_MAX_DEPTH = 40
_HOUSEKEEPING = frozenset({"Description", "DataItems", "Components", "Configuration"})


def read(source: Source) -> Reading:
    """Read an MTConnect document of any kind and version; raises `ReadError`."""
    root = parse(source.path.read_bytes())
    kind = _local(root)
    register = Register(cap=source.limits.rows)
    _KINDS[kind](root, register)
    if not register.records:
        raise ReadError("empty", f"The document ({kind}) holds nothing below its header.")
    return Reading(
        source.media_type,
        best_title(None, register.outline.first_heading, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        tuple(register.warnings),
    )


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _said(name: str) -> str:
    """`SPINDLE_SPEED` or `x:FLOW` as words."""
    return name.rpartition(":")[2].replace("_", " ").lower()


def _devices(root: etree._Element, register: Register) -> None:
    for device in every(root, "Devices/*"):
        name = device.get("name") or device.get("uuid") or device.get("id") or ""
        register.outline.heading(name, 1)
        subject = f"asset:{device.get('uuid') or device.get('id') or name}"
        _component(device, register, name, subject, 1)


def _component(
    element: etree._Element, register: Register, path: str, subject: str, depth: int
) -> None:
    kind = _local(element)
    about = first(element, "Description")
    register.state(
        "device" if depth == 1 else "component",
        path,
        {
            "name": element.get("name"),
            "path": path,
            "type": kind,
            "uuid": element.get("uuid"),
            "native_name": element.get("nativeName"),
            "manufacturer": None if about is None else about.get("manufacturer"),
            "serial_number": None if about is None else about.get("serialNumber"),
            "station": None if about is None else about.get("station"),
            "description": text(about),
            "settings": tuple(_settings(element)),
        },
        record_id=element.get("id", ""),
        subject=subject,
        silent=("name", "path", "type") if depth == 1 else ("name", "path"),
    )
    for item in every(element, "DataItems/DataItem"):
        _item(item, register, path, subject)
    if depth > _MAX_DEPTH:
        register.warn(f"Components nested deeper than {_MAX_DEPTH} levels were left out.")
        return
    for inner in every(element, "Components/*"):
        name = inner.get("name") or inner.get("id") or _local(inner)
        _component(inner, register, f"{path} › {name}", subject, depth + 1)


def _settings(element: etree._Element) -> Iterator[str]:
    """What a component's configuration says: each of its texts and attributes by name."""
    configuration = first(element, "Configuration")
    for one in () if configuration is None else list(configuration.iter())[:200]:
        said = [clean(one.text or ""), *(f"{k!s} {v!s}" for k, v in one.items())]
        if isinstance(one.tag, str) and any(said):
            yield f"{_local(one)} {' '.join(filter(None, said))}"


def _item(item: etree._Element, register: Register, path: str, subject: str) -> None:
    kind, part = _said(item.get("type", "")), _said(item.get("subType", ""))
    limits = [
        f"{_local(one).lower()} {text(one)}" for one in every(item, "Constraints/*") if text(one)
    ]
    filters = [
        f"{_said(one.get('type', ''))} {text(one)}".strip()
        for holder in ("Filters/Filter", "Constraints/Filter")
        for one in every(item, holder)
    ]
    register.state(
        "data_item",
        " ".join(filter(None, [f"{path} ›", item.get("name") or item.get("id"), "—", part, kind])),
        {
            "name": item.get("name"),
            "path": path,
            "type": item.get("type"),
            "sub_type": item.get("subType"),
            "category": (item.get("category") or "").lower(),
            "unit": item.get("units"),
            "native_unit": item.get("nativeUnits"),
            "representation": item.get("representation"),
            "statistic": item.get("statistic"),
            "constraints": tuple(limits),
            "filters": tuple(filters),
            "source": text(item, "Source"),
        },
        record_id=item.get("id", ""),
        subject=subject,
        silent=("name", "path", "type", "sub_type"),
    )


def _streams(root: etree._Element, register: Register) -> None:
    for device in every(root, "Streams/DeviceStream"):
        name = device.get("name") or device.get("uuid") or ""
        register.outline.heading(name, 1)
        subject = f"asset:{device.get('uuid') or name}"
        for stream in every(device, "ComponentStream"):
            place = f"{name} › {stream.get('name') or stream.get('componentId') or ''}"
            register.outline.heading(f"{stream.get('component', '')} {stream.get('name', '')}", 2)
            for group, kind in (
                ("Samples", "sample"),
                ("Events", "event"),
                ("Condition", "condition"),
            ):
                for one in every(stream, f"{group}/*"):
                    _observation(one, register, kind, place, subject)


def _observation(
    element: etree._Element, register: Register, kind: str, place: str, subject: str
) -> None:
    entries = [f"{e.get('key', '')}={text(e)}" for e in every(element, "Entry")]
    written = "; ".join(entries) or text(element)
    number = decimal(written) if kind == "sample" else None
    name = element.get("name") or element.get("dataItemId") or ""
    value: Value = written if number is None else number
    register.state(
        kind,
        f"{place} › {name} — {_words(element)}: {written}".rstrip(": "),
        {
            "name": name,
            "item": element.get("dataItemId"),
            "type": element.get("type") or _local(element),
            "sub_type": element.get("subType"),
            "value": value,
            "state": _local(element) if kind == "condition" else None,
            "date": moment(element.get("timestamp", "")),
            "code": element.get("nativeCode"),
            "severity": element.get("nativeSeverity"),
            "qualifier": element.get("qualifier"),
            "duration": decimal(element.get("duration", "")),
        },
        record_id=element.get("sequence", ""),
        subject=subject,
        silent=("name", "item", "type", "sub_type", "value", "state"),
    )


def _words(element: etree._Element) -> str:
    """`PathFeedrate` is `path feedrate`; a condition says its type and level."""
    level = snake(_local(element)).replace("_", " ")
    if element.get("type") and level in ("normal", "warning", "fault", "unavailable"):
        return f"{_said(element.get('type', ''))} {level}"
    return level


def _assets(root: etree._Element, register: Register) -> None:
    for asset in every(root, "Assets/*"):
        number = asset.get("assetId", "")
        kind = snake(_local(asset)).replace("_", " ")
        register.outline.heading(f"{kind} {number}".strip(), 1)
        subject = f"asset:{number}" if number else ""
        register.state(
            "asset",
            f"{kind} {number}",
            {
                "type": _local(asset),
                "asset": number,
                "tool": asset.get("toolId"),
                "serial_number": asset.get("serialNumber"),
                "manufacturer": asset.get("manufacturers"),
                "device": asset.get("deviceUuid"),
                "date": moment(asset.get("timestamp", "")),
                "removed": True if asset.get("removed") == "true" else None,
                "description": text(asset, "Description"),
                **_life(asset),
            },
            record_id=number,
            subject=subject,
            silent=("type", "asset"),
        )
        for leaf in asset.iter():
            if isinstance(leaf.tag, str) and not len(leaf) and leaf is not asset:
                _property(leaf, register, asset, subject)


def _life(asset: etree._Element) -> dict[str, Value | None]:
    life: dict[str, Value | None] = {}
    for one in asset.iter("{*}ToolLife"):
        amount = decimal(text(one))
        unit = (one.get("type") or "").lower()
        key = "life" if not one.get("type") else f"life_{snake(one.get('type', ''))}"
        life[key] = Quantity(amount, unit) if amount is not None else text(one)
    return life


def _property(
    leaf: etree._Element, register: Register, asset: etree._Element, subject: str
) -> None:
    told = text(leaf)
    facts = valued({snake(_bare(str(k))): clean(str(v)) for k, v in leaf.items()})
    name = _local(leaf)
    if name in ("Description", "ToolLife") or not (told or facts):
        return
    above = [_local(a) for a in leaf.iterancestors()]
    path = list(reversed(above[: above.index(_local(asset))]))
    amount = decimal(told)
    register.state(
        "property",
        " › ".join([*path, name]) + (f": {told}" if told else ""),
        {"name": name, "value": told if amount is None else amount, **facts},
        subject=subject,
        silent=("name", "value"),
    )


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


def _errors(root: etree._Element, register: Register) -> None:
    register.outline.heading("MTConnect error", 1)
    found = every(root, "Errors/Error") or every(root, "Error")
    for error in found or every(root, "Errors/*"):
        code = error.get("errorCode", "") or _local(error)
        told = text(error)
        register.state(
            "error",
            f"{_said(code)}: {told}".rstrip(": "),
            {"code": code, "text": told},
            silent=("code", "text"),
        )


_KINDS: dict[str, Callable[[etree._Element, Register], None]] = {
    "MTConnectDevices": _devices,
    "MTConnectStreams": _streams,
    "MTConnectAssets": _assets,
    "MTConnectError": _errors,
}
