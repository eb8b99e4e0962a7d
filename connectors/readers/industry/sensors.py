"""Series of sensors in CSV: summed up by column, since nobody asks for one row of thousands."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value
from connectors.readers.register import Register, shown
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

LEAST_ROWS = 200
_MOST_ROWS = 3_000_000
_SIGNALS = re.compile(
    r"temp|press|vibra|rotat|torque|current|corrente|voltage|tens[aã]o|\brpm\b|flow|vaz[aã]o|humid|"
    r"umid|sensor|accel|acel|wear|\bload|power|pot[eê]ncia|speed|velocid|frequen|setting|level\b",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[\[(]([^\])]{1,12})[\])]\s*$")
_TIME = re.compile(r"time|date|\bdata\b|hora|timestamp|^ts$|datetime", re.IGNORECASE)
_FLAG = re.compile(r"fail|fault|alarm|anomal|falha|defeito|breakdown|status|label|target|[A-Z]{3}$")
_GAP = 5
_SHOWN_GAPS = 10


def fits(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first rows of a file are a sensor's: mostly numbers, columns named as signals."""
    if len(rows) <= LEAST_ROWS:
        return False
    header, body = rows[0], rows[1:]
    numeric = [i for i in range(len(header)) if _is_numeric(row[i] for row in body if i < len(row))]
    signals = [i for i in numeric if _SIGNALS.search(header[i]) or _is_unit(header[i])]
    return (
        len(numeric) >= 2 and len(numeric) * 2 >= len(header) and len(signals) * 3 >= len(numeric)
    )


def _is_numeric(cells: Iterable[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return (
        bool(filled) and sum(_number(cell) is not None for cell in filled) * 10 >= len(filled) * 9
    )


def _is_unit(name: str) -> bool:
    return bool(_UNIT.search(name))


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass
class _Series:
    """Count, mean and spread of a column in one pass (Welford 1962)."""

    name: str
    n: int = 0
    missing: int = 0
    mean: float = 0.0
    spread: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    first: str = ""
    last: str = ""
    n_ones: int = 0
    is_binary: bool = True
    at_failure: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def add(self, cell: str) -> float | None:
        """Take a cell."""
        number = _number(cell)
        if number is None:
            self.missing += 1
            return None
        self.n += 1
        step = number - self.mean
        self.mean += step / self.n
        self.spread += step * (number - self.mean)
        self.least, self.most = min(self.least, number), max(self.most, number)
        self.first = self.first or cell
        self.last = cell
        self.n_ones += number == 1
        self.is_binary = self.is_binary and number in (0, 1)
        return number

    @property
    def deviation(self) -> float:
        """The standard deviation of the sample."""
        return math.sqrt(self.spread / (self.n - 1)) if self.n > 1 else 0.0


@dataclass
class _Clock:
    """The time column: its ends and its gaps."""

    first: datetime | None = None
    last: datetime | None = None
    steps: list[float] = field(default_factory=list)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    n_gaps: int = 0

    def add(self, cell: str) -> None:
        """Take a time; one that can't be read is passed over."""
        try:
            now = datetime.fromisoformat(cell.strip()).replace(tzinfo=None)
        except ValueError:
            return
        if self.last is not None:
            step = (now - self.last).total_seconds()
            usual = sorted(self.steps)[len(self.steps) // 2] if len(self.steps) >= 20 else 0.0
            if usual > 0 and step > _GAP * usual:
                self.n_gaps += 1
                self.gaps += [(self.last, now)] if len(self.gaps) < _SHOWN_GAPS else []
            elif len(self.steps) < 101:
                self.steps.append(step)
        self.first = self.first or now
        self.last = now


def summed_up(rows: Iterator[list[str]], register: Register) -> None:
    """Read all rows and add one record a column, and one for the whole."""
    header = [clean(cell) for cell in next(rows)]
    series = [_Series(name or f"column {n}") for n, name in enumerate(header, 1)]
    times = next((n for n, name in enumerate(header) if _TIME.search(name)), None)
    failure = next((n for n, name in enumerate(header) if _FLAG.search(name.lower())), None)
    clock, n_rows = _Clock(), 0
    for row in itertools.islice(rows, _MOST_ROWS):
        if not any(row):
            continue
        n_rows += 1
        has_failed = failure is not None and failure < len(row) and row[failure].strip() in _TRUE
        for place, cell in enumerate(row[: len(series)]):
            number = series[place].add(cell)
            if has_failed and number is not None:
                series[place].at_failure[0] += number
                series[place].at_failure[1] += 1
        if times is not None and times < len(row):
            clock.add(row[times])
    if n_rows == _MOST_ROWS:
        register.warn(f"Only the first {_MOST_ROWS} rows were summed up.")
    _whole(register, n_rows, header, clock)
    label = header[failure] if failure is not None and series[failure].is_binary else ""
    for place, one in enumerate(series):
        if place != times and one.n:
            _column(register, one, n_rows, label if label != one.name else "")


_TRUE = frozenset({"1", "1.0", "True", "true", "TRUE"})


def _whole(register: Register, n_rows: int, header: Sequence[str], clock: _Clock) -> None:
    gaps = tuple(f"{shown(start)} to {shown(end)}" for start, end in clock.gaps)
    step = sorted(clock.steps)[len(clock.steps) // 2] if clock.steps else 0.0
    register.state(
        "series",
        f"{n_rows} rows of {len(header)} columns",
        {
            "rows": n_rows,
            "columns": tuple(header),
            "first_time": clock.first,
            "last_time": clock.last,
            "usual_step": Quantity(_decimal(step), "s") if step else None,
            "n_gaps": clock.n_gaps or None,
            "gaps": gaps,
        },
        silent=("rows",),
    )


def _column(register: Register, one: _Series, n_rows: int, label: str) -> None:
    found = _UNIT.search(one.name)
    unit = found.group(1) if found else ""
    name = one.name[: found.start()].strip() if found else one.name
    if one.is_binary:
        register.state(
            "flag",
            f"{name} — set in {one.n_ones} of {one.n} rows ({100 * one.n_ones / one.n:.2f} %)",
            {"name": name, "n_set": one.n_ones, "count": one.n, "missing": n_rows - one.n},
            record_id=name,
            silent=("name", "n_set", "count") + (() if n_rows != one.n else ("missing",)),
        )
        return

    def amount(number: float) -> Quantity:
        return Quantity(_decimal(number), unit)

    values: dict[str, Value | None] = {
        "name": name,
        "count": one.n,
        "missing": (n_rows - one.n) or None,
        "minimum": amount(one.least),
        "mean": amount(one.mean),
        "maximum": amount(one.most),
        "standard_deviation": amount(one.deviation),
        "first": one.first,
        "last": one.last,
    }
    if label and one.at_failure[1]:
        values[f"mean_at_{label}"] = amount(one.at_failure[0] / one.at_failure[1])
    register.state("sensor", name, values, record_id=name, silent=("name",))


def _decimal(number: float) -> Decimal:
    """A number with six significant digits."""
    return Decimal(f"{number:.6g}")


def read(source: Source, rows: Iterator[list[str]]) -> Reading:
    """Sum up a file whose first rows fit; raises `ReadError` for quotes that never end."""
    register = Register(cap=source.limits.rows)
    try:
        summed_up(rows, register)
    except csv.Error as error:
        raise ReadError(
            "corrupt", "The table has a field that never ends; check its quotes."
        ) from error
    return Reading(
        source.media_type,
        best_title(None, None, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        (
            "The rows of a sensor were summed up by column; single rows were left out.",
            *register.warnings,
        ),
    )


def rows_of(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a CSV text, one at a time."""
    return csv.reader(text.replace("\x00", "").splitlines(), delimiter=delimiter)
