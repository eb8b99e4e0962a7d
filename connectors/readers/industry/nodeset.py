"""OPC UA information models (NodeSet2, OPC 10000-6 annex F): each node as a record.

A node has its browse path from the outermost node of the file, its type, data type, unit, range,
value and description. Namespace indexes become URIs, so that ids hold outside of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from connectors.readers.branches import every, first, text, texts
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.record import Value, snake
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

_KINDS = ("Object", "Variable", "Method", "ObjectType", "VariableType", "DataType",
          "ReferenceType", "View")  # fmt: skip
# Hierarchical references of namespace 0 from a parent to its child (OPC 10000-5).
_DOWN = frozenset(
    {"HasComponent", "HasProperty", "Organizes", "HasOrderedComponent", "HasSubtype", "HasAddIn",
     "HasInterfaceComponent", "i=47", "i=46", "i=35", "i=49", "i=45", "i=17604"}
)  # fmt: skip
_NAMES = {
    1: "Boolean", 2: "SByte", 3: "Byte", 4: "Int16", 5: "UInt16", 6: "Int32", 7: "UInt32",
    8: "Int64", 9: "UInt64", 10: "Float", 11: "Double", 12: "String", 13: "DateTime", 14: "Guid",
    15: "ByteString", 16: "XmlElement", 17: "NodeId", 18: "ExpandedNodeId", 19: "StatusCode",
    20: "QualifiedName", 21: "LocalizedText", 22: "Structure", 24: "BaseDataType", 26: "Number",
    27: "Integer", 28: "UInteger", 29: "Enumeration", 30: "Image", 58: "BaseObjectType",
    61: "FolderType", 62: "BaseVariableType", 63: "BaseDataVariableType", 68: "PropertyType",
    78: "Mandatory", 80: "Optional", 83: "ExposesItsArray", 290: "Duration", 294: "UtcTime",
    295: "LocaleId", 296: "Argument", 884: "Range", 887: "EUInformation", 2365: "DataItemType",
    2368: "AnalogItemType", 2372: "DiscreteItemType", 2373: "TwoStateDiscreteType",
    2376: "MultiStateDiscreteType", 2041: "BaseEventType", 7594: "EnumValueType",
    11508: "OptionalPlaceholder", 11510: "MandatoryPlaceholder", 17497: "AnalogUnitType",
    17570: "AnalogUnitRangeType", 85: "Objects", 86: "Types", 87: "Views", 84: "Root",
}  # fmt: skip
_MAX_DEPTH = 60
_PLAIN = re.compile(r"(ns=(\d+);)?([isgb]=.+)$")


@dataclass
class _Node:
    element: etree._Element
    kind: str
    number: str
    name: str
    parent: str = ""
    children: list[_Node] = field(default_factory=list)


def read(source: Source) -> Reading:
    """Read a NodeSet; raises `ReadError`."""
    root = parse(source.path.read_bytes())
    register = Register(cap=source.limits.rows)
    model = _Model(root)
    if not model.nodes:
        raise ReadError("empty", "The NodeSet defines no nodes.")
    title = ""
    for one in every(root, "Models/Model"):
        uri = one.get("ModelUri", "")
        title = title or uri
        register.outline.heading(uri, 1)
        register.state(
            "model",
            uri,
            {
                "version": one.get("Version", ""),
                "published": (one.get("PublicationDate") or "")[:10],
                "requires": tuple(r.get("ModelUri", "") for r in every(one, "RequiredModel")),
            },
            record_id=uri,
        )
    for top in model.tops():
        register.outline.heading(top.name, 2)
        for node, path in model.below(top):
            _state(register, model, node, path)
    n_told = sum(record.kind != "model" for record in register.records)
    if n_told < len(model.nodes) and not register.is_full:
        register.warn(
            f"{len(model.nodes) - n_told} nodes that are their own parents were left out."
        )
    return Reading(
        source.media_type,
        best_title(f"OPC UA model {title}" if title else None, None, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        tuple(register.warnings),
    )


class _Model:
    """The nodes of a file with their parents and the names of its namespaces."""

    def __init__(self, root: etree._Element) -> None:
        self._uris = ["http://opcfoundation.org/UA/", *texts(root, "NamespaceUris/Uri")]
        self._aliases = {a.get("Alias", ""): text(a) for a in every(root, "Aliases/Alias")}
        self.nodes: dict[str, _Node] = {}
        for element in root:
            kind = etree.QName(element).localname[2:] if isinstance(element.tag, str) else ""
            if kind in _KINDS:
                self._add(element, kind)
        for node in self.nodes.values():
            node.parent = self._parent(node)
        for node in self.nodes.values():
            if node.parent in self.nodes:
                self.nodes[node.parent].children.append(node)

    def _add(self, element: etree._Element, kind: str) -> None:
        number = element.get("NodeId", "")
        if not _PLAIN.match(number):
            raise ReadError(
                "corrupt", f"Line {element.sourceline}: the node has no NodeId such as ns=1;i=7."
            )
        name = text(element, "DisplayName") or _unqualified(element.get("BrowseName", ""))
        self.nodes[number] = _Node(element, kind, number, name or number)

    def _parent(self, node: _Node) -> str:
        if parent := node.element.get("ParentNodeId"):
            return self._aliases.get(parent, parent)
        for reference in every(node.element, "References/Reference"):
            kind = reference.get("ReferenceType", "")
            is_down = kind in _DOWN or self._aliases.get(kind, "") in _DOWN
            if is_down and reference.get("IsForward") == "false":
                return text(reference)
        return ""

    def tops(self) -> list[_Node]:
        """The nodes whose parent is in another file."""
        return [node for node in self.nodes.values() if node.parent not in self.nodes]

    def below(self, top: _Node) -> Iterator[tuple[_Node, tuple[str, ...]]]:
        """A node and all below it, parents first, with their browse paths."""
        stack: list[tuple[_Node, tuple[str, ...]]] = [(top, (top.name,))]
        while stack:
            node, path = stack.pop()
            yield node, path
            if len(path) < _MAX_DEPTH:
                stack += [(child, (*path, child.name)) for child in reversed(node.children)]

    def target(self, node: _Node, *kinds: str) -> str:
        """The name of what a node refers to by one of some reference types."""
        for reference in every(node.element, "References/Reference"):
            if reference.get("ReferenceType") in kinds and reference.get("IsForward") != "false":
                return self.named(text(reference))
        return ""

    def named(self, number: str) -> str:
        """A node by its name, where this file or namespace 0 has one."""
        whole = self._aliases.get(number, number)
        if number != whole:
            return number
        if whole in self.nodes:
            return self.nodes[whole].name
        if whole.startswith("i=") and whole[2:].isdigit():
            return _NAMES.get(int(whole[2:]), whole)
        return self.absolute(whole)

    def absolute(self, number: str) -> str:
        """A node id with the URI of its namespace."""
        found = _PLAIN.match(number)
        if found is None or not found.group(2):
            return number
        index = int(found.group(2)[:6])
        uri = self._uris[index] if index < len(self._uris) else f"ns={index}"
        return f"nsu={uri};{found.group(3)}"


def _unqualified(name: str) -> str:
    return re.sub(r"^\d+:", "", name)


def _state(register: Register, model: _Model, node: _Node, path: tuple[str, ...]) -> None:
    element = node.element
    by_name = {_unqualified(c.element.get("BrowseName", "")): c for c in node.children}
    units, limits = by_name.get("EngineeringUnits"), by_name.get("EURange")
    values: dict[str, Value | None] = {
        "name": node.name,
        "path": " › ".join(path),
        "type": model.target(node, "HasTypeDefinition", "i=40"),
        "data_type": model.named(element.get("DataType", "")),
        "unit": _unit(units) if units else "",
        "range": _range(limits) if limits else "",
        "value": _value(element),
        "rule": model.target(node, "HasModellingRule", "i=37"),
        "fields": tuple(_fields(element, model)),
        "abstract": True if element.get("IsAbstract") == "true" else None,
        "description": " ".join(texts(element, "Description")),
        "documentation": text(element, "Documentation"),
        "node_id": model.absolute(node.number),
    }
    register.state(
        snake(node.kind),
        " › ".join(path),
        values,
        record_id=model.absolute(node.number),
        silent=("name", "path", "node_id"),
    )


def _value(element: etree._Element) -> str:
    """A variable's value: scalars, lists, names of arguments and enumeration values."""
    holder = first(element, "Value")
    if holder is None:
        return ""
    arguments = [
        " ".join(filter(None, (text(one, "Name"), text(one, "Description/Text"))))
        for one in holder.iter("{*}Argument")
    ]
    if arguments:
        return "; ".join(arguments)[:2000]
    named = [
        f"{text(one, 'Value')} {text(one, 'DisplayName/Text')}"
        for one in holder.iter("{*}EnumValueType")
    ]
    leaves = (
        clean(leaf.text or "")
        for leaf in holder.iter()
        if isinstance(leaf.tag, str)
        and not len(leaf)
        and etree.QName(leaf).localname not in ("Identifier", "Locale", "ByteString")
    )
    return ("; ".join(named) or ", ".join(filter(None, leaves)))[:2000]


def _unit(node: _Node) -> str:
    for one in node.element.iter("{*}EUInformation"):
        return text(one, "DisplayName/Text") or text(one, "Description/Text")
    return ""


def _range(node: _Node) -> str:
    for one in node.element.iter("{*}Range"):
        return " to ".join(filter(None, (text(one, "Low"), text(one, "High"))))
    return ""


def _fields(element: etree._Element, model: _Model) -> Iterator[str]:
    """The fields of a structure with their types, or the values of an enumeration."""
    for one in every(element, "Definition/Field"):
        parts = [one.get("Name", "")]
        if number := one.get("Value"):
            parts.append(f"= {number}")
        elif kind := one.get("DataType"):
            parts.append(f"({model.named(kind)})")
        yield " ".join([*parts, *texts(one, "Description")])
