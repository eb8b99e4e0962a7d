"""Structured values behind blocks: typed, with unit, currency and period, to filter and to sum."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount with its unit: an ISO 4217 code for money, else as the file writes it (UCUM)."""

    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to a day, both included; an instant, such as a balance, has only an end."""

    start: date | None
    end: date | None


Value: TypeAlias = (
    "str | bool | int | Decimal | date | datetime | Quantity | Period | tuple[str, ...]"
)


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that a file states: a transaction, an observation, a fact, a work order.

    `kind` and the keys of `values` are snake_case nouns. `id` is the file's own, unique for a
    kind, or empty. `subject` says what the record is about, and links records of several files:
    `patient:…`, `asset:…`, `account:…`, `product:…`, `company:…`, or empty. `block` is the index
    of the block that words it, so that it can be cited.
    """

    kind: str
    values: Mapping[str, Value]
    id: str = ""
    subject: str = ""
    block: int | None = None


def valued(
    values: Mapping[str, Value | None] | Iterable[tuple[str, Value | None]],
) -> dict[str, Value]:
    """Return values without the missing and empty ones."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return {key: value for key, value in pairs if value is not None and value not in ("", ())}


def snake(name: str) -> str:
    """Return a name as a key: `birthDate` and `Birth date` are `birth_date`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+|_+", "_", words).strip("_").lower()


def decimal(text: str) -> Decimal | None:
    """Return the number that a text in a machine's format is (`-1234.50`), else None."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def day(text: str) -> date | None:
    """Return the day of an ISO 8601 text (`2024-03-02`, `20240302`, with or without a time)."""
    text = text.strip()
    try:
        return date.fromisoformat(text[:10] if "-" in text[:10] else text[:8])
    except ValueError:
        return None


def moment(text: str) -> date | datetime | str | None:
    """Return an ISO 8601 text as a day or a time; as it is written if it is less than a day."""
    text = text.strip()
    if len(text) > 10:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    return day(text) or text or None


def record_json(record: Record) -> dict[str, JsonValue]:
    """Return a record as JSON: `kind, id, subject, block, values`.

    Texts, truths and whole numbers stand for themselves; others are `{"number": "1.10"}`,
    `{"date": …}`, `{"time": …}`, `{"amount": "12.50", "unit": "EUR"}` and `{"start": …, "end": …}`.
    """
    return {
        "kind": record.kind,
        "id": record.id,
        "subject": record.subject,
        "block": record.block,
        "values": {key: _plain(value) for key, value in record.values.items()},
    }


def record_of(value: Mapping[str, Any]) -> Record:
    """Return the record of its JSON; raises KeyError, TypeError or ValueError on another shape."""
    return Record(
        kind=str(value["kind"]),
        id=str(value["id"]),
        subject=str(value["subject"]),
        block=None if value["block"] is None else int(value["block"]),
        values={str(key): _value(item) for key, item in value["values"].items()},
    )


def _plain(value: Value) -> JsonValue:
    match value:
        case Decimal():
            return {"number": str(value)}
        case datetime():
            return {"time": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Quantity():
            return {"amount": str(value.amount), "unit": value.unit}
        case Period():
            start, end = (d.isoformat() if d else None for d in (value.start, value.end))
            return {"start": start, "end": end}
        case tuple():
            return list(value)
    return value


def _value(value: Any) -> Value:
    match value:
        case str() | bool() | int():
            return value
        case list():
            return tuple(str(item) for item in value)
        case {"number": str(text)}:
            return Decimal(text)
        case {"time": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"amount": str(text), "unit": str(unit)}:
            return Quantity(Decimal(text), unit)
        case {"start": start, "end": end}:
            return Period(_day(start), _day(end))
    raise ValueError("not a value of a record")


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)
