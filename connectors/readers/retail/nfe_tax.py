"""The taxes of an item of an NF-e: ICMS, IPI, PIS, COFINS, II, and those of the 2026 reform."""

from __future__ import annotations

from connectors.readers.branches import Element, inside, local, number, text
from connectors.readers.ledger import joined, worded
from connectors.readers.record import Quantity, Value

_TAXES = ("ICMS", "IPI", "PIS", "COFINS", "II", "ISSQN", "IBSCBS")


def taxes(element: Element | None) -> tuple[dict[str, Value | None], list[str]]:
    """Return the taxes as values (`icms_cst`, `icms_base`, `icms_rate`, `icms`), and in words."""
    values: dict[str, Value | None] = {}
    words: list[str] = []
    for tax in inside(element) if element is not None else ():
        name = local(tax.tag)
        if name not in _TAXES:
            continue
        # The group's own name tells how it is taxed: `ICMS00`, `PISAliq`, `IPINT`.
        group = next((g for g in inside(tax) if len(g)), tax)
        found = _tax(name, group, tax)
        values |= {f"{name.lower()}{suffix}": value for suffix, value in found.items()}
        words.append(_worded(name, found))
    total = number(element, "vTotTrib") if element is not None else None
    if total:
        values["taxes"] = Quantity(total, "BRL")
    return values, [word for word in words if word]


def _tax(name: str, group: Element, tax: Element) -> dict[str, Value | None]:
    amount = number(group, f"v{name}", "vISSQN", "vIBS")
    base = number(group, "vBC")
    substituted = number(group, "vICMSST")
    return {
        "_cst": text(group, "CST", "CSOSN") or text(tax, "CST"),
        "_base": None if base is None else Quantity(base, "BRL"),
        "_rate": number(group, f"p{name}", "vAliq"),
        "": None if amount is None else Quantity(amount, "BRL"),
        "_st": None if substituted is None else Quantity(substituted, "BRL"),
    }


def _worded(name: str, found: dict[str, Value | None]) -> str:
    cst, rate, amount = found["_cst"], found["_rate"], found[""]
    situation = f"CST/CSOSN {cst}" if cst else ""
    paid = ""
    if isinstance(amount, Quantity) and amount.amount:
        paid = joined(f"{worded(rate, 'pt')}%" if rate else "", worded(amount, "pt"), by=" = ")
    told = joined(situation, paid, by=", ")
    return f"{name}: {told}" if told else ""
