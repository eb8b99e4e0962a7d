"""The address space of an OPC UA server as texts: an object with its variables and methods.

Values of properties (serial numbers, ranges, manuals) belong to a text, as they rarely change.
Values of variables are what the plant does at the moment: they are left out, unless chosen, so
that a text doesn't change whenever it is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asyncua import Client, Node, ua

from connectors.contract import ConnectorError

MAX_DEPTH = 30
_UNITS, _RANGE = "EngineeringUnits", "EURange"
_LONGEST_VALUE = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """An object: its id does not depend on the order of namespaces; `path` is made of names."""

    id: str
    path: str
    node: Node


@dataclass(frozen=True, slots=True, order=True)
class _Child:
    """A variable or method as its parent lists it; `label` is its name for people."""

    name: str
    label: str
    nodeid: ua.NodeId = field(compare=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is written down: the values of which variables, and floating numbers how exactly."""

    value_of: Callable[[str], bool]
    digits: int


async def objects(client: Client, max_nodes: int) -> AsyncIterator[Place]:
    """Yield the objects below Objects that have variables or methods.

    Those of OPC UA's own namespace (the server, aliases, locations) are left out. Raises
    `ConnectorError` beyond `max_nodes` nodes: an address space is never read in part.
    """
    uris = await client.get_namespace_array()
    seen, n_nodes = set[ua.NodeId](), 0
    waiting = [("", client.nodes.objects)]
    while waiting:
        path, node = waiting.pop()
        inside, has_content = list[tuple[str, Node]](), False
        for found in await node.get_children_descriptions():
            n_nodes += 1
            if n_nodes > max_nodes:
                raise ConnectorError(
                    f"The server has more than {max_nodes} nodes; choose with max_nodes."
                )
            has_content |= found.NodeClass in (ua.NodeClass.Variable, ua.NodeClass.Method)
            nodeid = (
                found.NodeId.to_nodeid() if hasattr(found.NodeId, "to_nodeid") else found.NodeId
            )
            is_theirs = found.NodeClass == ua.NodeClass.Object and nodeid.NamespaceIndex > 0
            if is_theirs and nodeid not in seen:
                seen.add(nodeid)
                name = (found.BrowseName.Name or "").replace("/", "%2F")
                inside.append((f"{path}/{name}" if path else name, client.get_node(nodeid)))
        if path and has_content:
            yield Place(_id(node.nodeid, uris), path, node)
        if path.count("/") < MAX_DEPTH:
            waiting += inside


async def text(client: Client, place: Place, wanted: Wanted) -> str:
    """Return an object as Markdown: what it is, its variables as a table, its methods."""
    name = str((await place.node.read_display_name()).Text or place.path.rpartition("/")[2])
    description, _ = await _told(place.node)
    lines = [f"# {_line(name)}", "", f"Place: {_line(place.path)}", ""]
    if description and description != name:
        lines += [description.strip(), ""]
    rows = [
        await _row(client, place, child, is_property, wanted)
        for is_property in (True, False)
        for child in await _children(place.node, is_property, ua.NodeClass.Variable)
    ]
    if rows:
        head = "| Name | Value | Unit | Range | Description |"
        lines += [head, "|---|---|---|---|---|", *rows, ""]
    methods = await _children(place.node, False, ua.NodeClass.Method)
    if methods:
        lines += ["## Methods", ""]
    for method in methods:
        lines += [await _method(client, method), ""]
    return "\n".join(lines)


async def _row(
    client: Client, place: Place, child: _Child, is_property: bool, wanted: Wanted
) -> str:
    node = client.get_node(child.nodeid)
    description, value = await _told(node)
    if not is_property and not wanted.value_of(f"{place.path}/{child.name}"):
        value = None
    facts = {}
    for inner in [] if is_property else await _children(node, True, ua.NodeClass.Variable):
        if inner.name in (_UNITS, _RANGE):
            facts[inner.name] = (await _told(client.get_node(inner.nodeid)))[1]
    cells = (
        child.label or child.name,
        shown(value, wanted.digits),
        shown(facts.get(_UNITS), wanted.digits),
        shown(facts.get(_RANGE), wanted.digits),
        description if description != child.name else "",
    )
    return "| " + " | ".join(_line(cell).replace("|", "\\|") for cell in cells) + " |"


async def _method(client: Client, child: _Child) -> str:
    node = client.get_node(child.nodeid)
    description, _ = await _told(node)
    arguments = {"InputArguments": "", "OutputArguments": ""}
    for inner in await _children(node, True, ua.NodeClass.Variable):
        if inner.name in arguments:
            _, value = await _told(client.get_node(inner.nodeid))
            arguments[inner.name] = ", ".join(_argument(one) for one in value or ())
    result = f" → {arguments['OutputArguments']}" if arguments["OutputArguments"] else ""
    told = f": {_line(description)}" if description and description != child.name else ""
    return f"**{_line(child.label or child.name)}({arguments['InputArguments']}){result}**{told}"


def _argument(one: Any) -> str:
    told = getattr(getattr(one, "Description", None), "Text", None)
    return _line(f"{one.Name} ({told})" if told else str(one.Name))


async def _children(node: Node, is_property: bool, kind: ua.NodeClass) -> list[_Child]:
    """Return properties or components of one kind, in the order of their names."""
    reference = ua.ObjectIds.HasProperty if is_property else ua.ObjectIds.HasComponent
    found = await node.get_children_descriptions(reference, kind)
    return sorted(
        _Child(one.BrowseName.Name or "", one.DisplayName.Text or "", one.NodeId) for one in found
    )


async def _told(node: Node) -> tuple[str, Any]:
    """Return a node's description and its value, None where it is bad or may not be read."""
    wanted = (ua.AttributeIds.Description, ua.AttributeIds.Value)
    description, value = await node.read_attributes(wanted)
    told = description.Value.Value if description.Value is not None else None
    is_good = value.StatusCode is None or value.StatusCode.is_good()
    found = value.Value.Value if is_good and value.Value is not None else None
    return getattr(told, "Text", None) or "", found


def shown(value: Any, digits: int) -> str:
    """Return a value as people read it, at most 2,000 characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, ua.EUInformation):
        return value.DisplayName.Text or ""
    if isinstance(value, ua.Range):
        return f"{value.Low:.{digits}g} to {value.High:.{digits}g}"
    if isinstance(value, ua.LocalizedText):
        return value.Text or ""
    if isinstance(value, list | tuple):
        return ", ".join(shown(one, digits) for one in value)[:_LONGEST_VALUE]
    return str(value)[:_LONGEST_VALUE]


def _line(value: str) -> str:
    return " ".join(value.split())


def _id(nodeid: ua.NodeId, uris: list[str]) -> str:
    index = nodeid.NamespaceIndex
    uri = uris[index] if index < len(uris) else str(index)
    kind = {ua.NodeIdType.String: "s", ua.NodeIdType.Guid: "g", ua.NodeIdType.ByteString: "b"}
    value = nodeid.Identifier
    told = value.hex() if isinstance(value, bytes) else str(value)
    return f"nsu={uri};{kind.get(nodeid.NodeIdType, 'i')}={told}"
