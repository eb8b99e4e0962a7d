"""Data types of CDA R2 (HL7 version 3) as words and values; a null flavour is told, not hidden."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from connectors.readers.health.codes import code_of
from connectors.readers.health.hl7_words import moment
from connectors.readers.health.narrative import local, words
from connectors.readers.health.patients import Identifier, identifier
from connectors.readers.record import Period, Quantity, Value, day, decimal
from connectors.readers.text import clean

V3 = "{urn:hl7-org:v3}"
SDTC = "{urn:hl7-org:sdtc}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NO_SYSTEM = "urn:ietf:rfc:3986"

NULLS = {
    "NI": "no information", "UNK": "unknown", "NASK": "not asked", "ASKU": "asked but unknown",
    "NAV": "temporarily unavailable", "NA": "not applicable", "MSK": "masked",
    "NINF": "unbounded", "PINF": "unbounded",
}  # fmt: skip
"""Null flavours that say something; `OTH` means that the text has it."""


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element at a path of names."""
    for name in path:
        element = None if element is None else element.find(f"{V3}{name}")
    return element


def children(element: etree._Element | None, *path: str) -> list[etree._Element]:
    """All elements at a path of names."""
    if element is None:
        return []
    return element.findall("/".join(f"{V3}{name}" for name in path))


class Texts:
    """The narrative's parts by their ID, which entries refer to instead of repeating them."""

    def __init__(self, root: etree._Element) -> None:
        self._by_id = {e.get("ID", ""): e for e in root.iter() if e.get("ID")}

    def of(self, element: etree._Element | None) -> str:
        """The text of an element, or of what its `reference` points to."""
        if element is None:
            return ""
        reference = child(element, "reference")
        if reference is not None:
            target = self._by_id.get(reference.get("value", "").removeprefix("#"))
            return words(target) if target is not None else words(element)
        return words(element)

    def coded(self, element: etree._Element | None) -> str:
        """A coded value by its name, its original text, a translation's name, else its code."""
        if element is None:
            return ""
        for shown in (
            element.get("displayName"),
            self.of(child(element, "originalText")),
            *(t.get("displayName") for t in children(element, "translation")),
            element.get("code"),
        ):
            if text := clean(shown or ""):
                return text
        return NULLS.get(element.get("nullFlavor", ""), "")


def code(element: etree._Element | None) -> str:
    """The code with its vocabulary's name; a translation's if it has none itself."""
    for one in [] if element is None else [element, *children(element, "translation")]:
        if found := one.get("code"):
            system = code_of(one.get("codeSystem", ""), found)
            named = one.get("codeSystemName", "")
            return system if " " in system or not named else clean(f"{named} {found}")
    return ""


def identifier_of(element: etree._Element) -> Identifier | None:
    """An instance identifier: root and extension, or a root that is a whole id."""
    if extension := element.get("extension"):
        return identifier(element.get("root", ""), extension)
    return identifier(_NO_SYSTEM, element.get("root", ""))


def first_id(element: etree._Element) -> str:
    """The first id of a statement: its extension, else its root."""
    found = child(element, "id")
    return "" if found is None else clean(found.get("extension") or found.get("root") or "")


def time_of(element: etree._Element | None) -> Value | None:
    """A point in time, or a period between two days."""
    if element is None:
        return None
    if value := element.get("value"):
        return moment(value)
    low, high, center = (child(element, name) for name in ("low", "high", "center"))
    if center is not None and center.get("value"):
        return moment(center.get("value", ""))
    start, end = (None if e is None else e.get("value") for e in (low, high))
    days = [day(text) if text and len(text) >= 8 else None for text in (start, end)]
    if any(days):
        return Period(days[0], days[1])
    return moment(start or end or "")


def name_of(element: etree._Element | None) -> str:
    """A person's or an organisation's name."""
    if element is None:
        return ""
    parts = [e for n in ("prefix", "given", "family", "suffix") for e in children(element, n)]
    return clean(" ".join(words(part) for part in parts)) or words(element)


def address_of(element: etree._Element) -> str:
    """An address on one line."""
    return ", ".join(filter(None, (words(part) for part in element if local(part))))


def quantity_of(element: etree._Element | None) -> Quantity | None:
    """An amount with its unit (PQ, INT, REAL); a lone `1` counts nothing in particular."""
    if element is None:
        return None
    amount = decimal(element.get("value", ""))
    if amount is None:
        return None
    unit = element.get("unit", "")
    return Quantity(amount, "" if unit == "1" else unit)


def worded(quantity: Quantity) -> str:
    """An amount as a person writes it."""
    return f"{_plain(quantity.amount)} {quantity.unit}".strip()


def range_of(element: etree._Element | None) -> str:
    """An interval of amounts in words."""
    if element is None:
        return ""
    low, high = (quantity_of(child(element, name)) for name in ("low", "high"))
    if low and high:
        is_same = low.unit == high.unit
        return f"{_plain(low.amount) if is_same else worded(low)} to {worded(high)}"
    if low:
        return f"≥ {worded(low)}"
    return f"≤ {worded(high)}" if high else ""


def value_of(element: etree._Element, texts: Texts) -> tuple[Value | None, str]:
    """The value of an observation by its type, and how it is told."""
    kind = element.get(_TYPE, "").rpartition(":")[2]
    if flavour := element.get("nullFlavor"):
        told = texts.coded(element) or NULLS.get(flavour, "")
        return told or None, told
    if kind in ("PQ", "INT", "REAL", "MO") or (not kind and element.get("value")):
        quantity = quantity_of(element)
        if quantity is not None:
            return quantity, worded(quantity)
    if kind in ("IVL_PQ", "IVL_INT", "IVL_REAL"):
        told = range_of(element)
        return told, told
    if kind in ("TS", "IVL_TS"):
        return time_of(element), ""
    if kind == "RTO" or kind.startswith("RTO_"):
        parts = [quantity_of(child(element, name)) for name in ("numerator", "denominator")]
        told = " / ".join(worded(part) for part in parts if part)
        return told, told
    if kind == "BL":
        return element.get("value") == "true", ""
    told = texts.of(element) if kind in ("ST", "ED", "") else texts.coded(element)
    told = told or texts.coded(element) or clean(element.get("value", ""))
    return told or None, told


def _plain(number: Decimal) -> str:
    return format(number, "f") if abs(number.adjusted()) < 20 else str(number)
