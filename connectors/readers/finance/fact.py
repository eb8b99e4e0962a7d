"""A fact of a filing as a sentence that reads alone."""

from __future__ import annotations

from connectors.readers.ledger import joined

_MILLION = 1_000_000


def sentence(label: str, concept: str, period: str, value: str, unit: str, *details: str) -> str:
    """Return `Profit (ProfitLoss) — 2025-12-31 (since 2025-01-01): 1,284 (BRL millions); …`."""
    amount = shown(value, unit)
    is_exact = not unit or amount.split(" ")[0] == value
    exact = "" if is_exact else f"exact value: {value}"
    return joined(f"{label} ({concept}) — {period}: {amount}", exact, *details)


def shown(value: str, unit: str) -> str:
    """Return a number as people write it, with its unit; big sums of money in millions."""
    if not unit:
        return value
    is_money = len(unit) == 3 and unit.isupper()
    digits = value.lstrip("-")
    if not digits.isdigit():
        if unit == "pure" and digits.startswith("0."):
            return f"{value} ({float(value) * 100:.6g}%)"
        return value if unit == "pure" else f"{value} ({unit})"
    number = int(value)
    if is_money and abs(number) >= _MILLION and number % (_MILLION // 10) == 0:
        tenths = f"{number / _MILLION:,.1f}".removesuffix(".0")
        return f"{tenths} ({unit} millions)"
    return f"{number:,}" if unit == "pure" else f"{number:,} ({unit})"
