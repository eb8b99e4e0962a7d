"""How far the rows of a database were listed, as it is kept between runs.

Rows may be committed later than their change column says, and many may share one value of it. So a
run reads again everything from a little below the highest value on (`low`), and leaves out what it
remembers having listed from there on, unchanged (`seen`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from connectors.contract import ConnectorError, CursorExpired

Value = int | float | str | Decimal | datetime | date | UUID

MAX_SEEN = 2000
"""Of more rows than this the oldest are forgotten; listed again, they are still unchanged."""

_TYPES: Mapping[str, Callable[[str], Value]] = {
    "time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one kind got: rows from `low` on are read again, less those in `seen`.

    `after` is the (change, id) of the last row that an interrupted run listed.
    """

    low: Value | None = None
    seen: tuple[str, ...] = ()
    after: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """How far all kinds got since the last full listing began.

    `full` is the kind that an unfinished full listing is in, with the last listed id behind `at`.
    """

    began: datetime
    kinds: Mapping[str, Reach] = field(default_factory=dict)
    full: str = ""
    at: tuple[Value, ...] = ()
    done: int = 0

    @classmethod
    def of(cls, cursor: JsonValue) -> Place:
        """Return the place of a cursor; raises `CursorExpired` if it is none of this source."""
        try:
            return _place(cursor)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise CursorExpired(
                "The database's cursor is not one of its own; it is listed afresh."
            ) from error

    @property
    def cursor(self) -> JsonValue:
        """Return what a run that stops here goes on from."""
        return {
            "began": self.began.isoformat(),
            "kinds": {
                name: {
                    "low": None if reach.low is None else packed(reach.low),
                    "seen": list(reach.seen),
                    "after": [packed(value) for value in reach.after],
                }
                for name, reach in self.kinds.items()
            },
            "full": self.full,
            "at": [packed(value) for value in self.at],
            "done": self.done,
        }


def packed(value: Any) -> JsonValue:
    """Return a value of a column as JSON; raises `ConnectorError` for one without an order."""
    if isinstance(value, bool):
        raise ConnectorError("An id or change column holds true or false; name another column.")
    if isinstance(value, int | float | str):
        return value
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, UUID):
        return {"uuid": str(value)}
    raise ConnectorError(
        f"An id or change column holds {type(value).__name__}; name one with numbers, texts, "
        "times or UUIDs."
    )


def unpacked(value: Any) -> Value:
    """Return a value that was `packed`; raises ValueError and its kin for anything else."""
    if isinstance(value, int | float | str):
        return value
    ((kind, text),) = value.items()
    return _TYPES[kind](text)


def lowered(high: Any, overlap: float, now: datetime) -> Value | None:
    """Return where the next run begins if `high` is the highest value of a change column.

    `overlap` is subtracted, in seconds from times and as it is from numbers. A time in the future
    counts as now: else what changes until then would be missed.
    """
    if high is None:
        return None
    packed(high)
    if isinstance(high, datetime):
        # Times without a zone may be those of any zone.
        limit = now if high.tzinfo else now.replace(tzinfo=None) + timedelta(hours=14)
        return min(high, limit) - timedelta(seconds=overlap)
    if isinstance(high, int):
        return high - int(overlap)
    if isinstance(high, float):
        return high - overlap
    if isinstance(high, Decimal):
        return high - Decimal(overlap)
    found: Value = high
    return found


def _place(cursor: Any) -> Place:
    kinds = {
        str(name): Reach(
            low=None if reach["low"] is None else unpacked(reach["low"]),
            seen=tuple(str(digest) for digest in reach["seen"]),
            after=tuple(unpacked(value) for value in reach["after"]),
        )
        for name, reach in cursor["kinds"].items()
    }
    began = datetime.fromisoformat(cursor["began"])
    at = tuple(unpacked(value) for value in cursor["at"])
    return Place(began.astimezone(UTC), kinds, str(cursor["full"]), at, int(cursor["done"]))
