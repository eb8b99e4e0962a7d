"""Addenda of ACH entries: payment information, returns and changes, international transfers."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.readers.finance.ach_line import Line
from connectors.readers.ledger import joined
from connectors.readers.record import Value


def addenda_details(addenda: Iterable[Line]) -> dict[str, Value | None]:
    """Return what the addenda of a domestic entry add: free text, return, or change."""
    notes: list[str] = []
    told: dict[str, Value | None] = {}
    for line in addenda:
        kind = line.cut(2, 3)
        if kind == "05":
            notes.append(line.text[3:83].rstrip())
        elif kind == "02":
            told["terminal"] = joined(line.cut(4, 10), line.cut(28, 54), line.cut(55, 69), by=", ")
        else:
            told |= _special(line, kind)
    return {"information": " ".join("".join(notes).split()), **told}


def details(addenda: Iterable[Line]) -> dict[str, Value | None]:
    """Return what the addenda of an international entry (IAT) say of its parties."""
    told: dict[str, Value | None] = {}
    remittance: list[str] = []
    foreign: list[str] = []
    for line in addenda:
        kind = line.cut(2, 3)
        if kind == "17":
            remittance.append(line.cut(4, 83))
        elif kind == "18":
            foreign.append(joined(line.cut(4, 38), line.cut(75, 77), by=" "))
        else:
            told |= _mandatory(line, kind)
    return {**told, "information": " ".join(remittance), "foreign_banks": tuple(foreign)}


def _mandatory(line: Line, kind: str) -> dict[str, Value | None]:
    """What one of the seven addenda that every international entry has says."""
    first, second = line.cut(4, 38), line.cut(39, 73)
    bank = joined(first, line.cut(41, 74), line.cut(75, 77), by=", ")
    match kind:
        case "10":
            return {"counterparty": line.cut(47, 81), "transaction_type": line.cut(4, 6)}
        case "11":
            return {"originator": joined(first, second, by=", ")}
        case "12":
            return {"originator_place": _place(first, second)}
        case "13":
            return {"originator_bank": bank}
        case "14":
            return {"receiver_bank": bank}
        case "15":
            return {"identification": line.cut(4, 18), "receiver_street": line.cut(19, 53)}
        case "16":
            return {"receiver_place": _place(first, second)}
    return _special(line, kind)


def _special(line: Line, kind: str) -> dict[str, Value | None]:
    if kind == "98":
        return {"change_code": line.cut(4, 6), "corrected": line.cut(36, 64)}
    if kind == "99":
        return {"return_code": line.cut(4, 6), "return_information": line.cut(36, 79)}
    if not kind.isdigit():
        line.refuse(f"the addenda type at positions 2–3 is {kind!r}, which does not exist")
    return {}


def _place(city: str, country: str) -> str:
    """`JacobsTown*PA\\` and `US*19305\\` as `JacobsTown PA, US 19305`."""
    parts = (part.replace("*", " ").replace("\\", " ").strip() for part in (city, country))
    return joined(*parts, by=", ")
