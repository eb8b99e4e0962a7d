"""Columns of exports by what they mean, whatever a system or a language calls them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from connectors.readers.record import Value, decimal, moment, snake
from connectors.readers.text import clean

_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T](\d{1,2}):(\d{2})(?::\d{2})?)?$")
_COMMA = re.compile(r"-?\d{1,3}(\.\d{3})*,\d+$|-?\d+,\d+$")

Names = Mapping[str, frozenset[str]]
"""Meaning → the spellings of its columns, as `bare` writes them."""


def bare(name: str) -> str:
    """A column's name without accents, case and separators: `Work Order #` is `workorder`."""
    flat = unicodedata.normalize("NFKD", name.rpartition(":")[2])
    return re.sub(r"[^a-z0-9]", "", flat.encode("ascii", "ignore").decode().lower())


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a header have which meaning."""

    places: Mapping[str, tuple[int, ...]]
    header: Sequence[str]

    def cell(self, row: Sequence[str], meaning: str) -> str:
        """The first filled cell of a meaning; empty where there is none."""
        cells = (row[place] for place in self.places.get(meaning, ()) if place < len(row))
        return next(filter(None, map(clean, cells)), "")

    def others(self, row: Sequence[str]) -> dict[str, Value | None]:
        """The cells of columns without a known meaning, by their own names."""
        known = {place for places in self.places.values() for place in places}
        return {
            snake(name): clean(cell)
            for place, (name, cell) in enumerate(zip(self.header, row, strict=False))
            if place not in known and snake(name) and clean(cell)
        }


def told(columns: Columns, row: Sequence[str], but: Collection[str]) -> list[str]:
    """Word the filled cells whose meaning is not among these: `Technician: Ana`."""
    left_out = {place for name in but for place in columns.places.get(name, ())}
    return [
        f"{clean(name)}: {clean(cell)}" if clean(name) else clean(cell)
        for place, (name, cell) in enumerate(zip(columns.header, row, strict=False))
        if place not in left_out and clean(cell)
    ]


def columns_of(header: Sequence[str], names: Names) -> Columns:
    """Find the columns of a header."""
    spelled = [bare(cell) for cell in header]
    places: dict[str, list[int]] = {}
    taken: set[int] = set()
    for meaning, spellings in names.items():
        found = [n for n, name in enumerate(spelled) if name in spellings and n not in taken]
        if found:
            places[meaning] = found
            taken.update(found)
    return Columns({meaning: tuple(found) for meaning, found in places.items()}, header)


def is_day_first(cells: Sequence[str], *, default: bool) -> bool:
    """Whether dates such as 02/03/2024 begin with the day, by one that leaves no doubt."""
    for cell in cells:
        if found := _DAY.match(cell.strip()):
            if found.group(2) == "." or int(found.group(1)) > 12:
                return True
            if int(found.group(3)) > 12:
                return False
    return default


def date_of(text: str, *, day_first: bool) -> Value | None:
    """A date or time in a common notation; None for placeholders such as `0/1/00`."""
    text = text.strip()
    found = _DAY.match(text)
    if not found:
        return moment(text) if re.match(r"\d{4}-?\d{2}", text) else None
    first, _, second, year, hour, minute = found.groups()
    day, month = (first, second) if day_first else (second, first)
    whole = int(year) + (2000 if len(year) == 2 else 0)
    try:
        if hour:
            return datetime(whole, int(month), int(day), int(hour), int(minute))
        return date(whole, int(month), int(day))
    except ValueError:
        return None


def number_of(text: str) -> Decimal | None:
    """A number with a point or a comma for decimals."""
    text = re.sub(r"[\s$€£]|R\$", "", text)
    if _COMMA.match(text):
        text = text.replace(".", "").replace(",", ".")
    return decimal(text.replace(",", "")) if text else None
