"""Lines gathered into blocks under headings, together with the records that they word.

For files of many alike entries, of which one passage should hold several; a `Register` gives each
record a block of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.record import Period, Quantity, Record, Value, valued
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

_BLOCK_CHARS = 900
"""Lines are gathered into one block up to this size: that of a chunk, which is cited as a whole."""


class Ledger:
    """Collects what a file states: a sentence in a block, and the values behind it in a record.

    At most `limits.rows` records are kept; what is left out becomes a warning.
    """

    def __init__(self, source: Source) -> None:
        self.outline = Outline()
        self.warnings: list[str] = []
        self._source = source
        self._records: list[Record] = []
        self._lines: list[str] = []
        self._n_left_out = 0

    @property
    def n_records(self) -> int:
        """Return how many records there are."""
        return len(self._records)

    @property
    def is_full(self) -> bool:
        """Return whether the limit of records is reached."""
        return len(self._records) >= self._source.limits.rows

    def heading(self, text: str, level: int) -> None:
        """Begin what stands under a heading; level 1 is the outermost."""
        self._end_block()
        self.outline.heading(text, level)

    def warn(self, warning: str) -> None:
        """Add a sentence for the admin, once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def state(
        self,
        sentence: str,
        kind: str,
        values: Mapping[str, Value | None],
        *,
        own_id: str = "",
        subject: str = "",
    ) -> None:
        """Add a sentence in a block of its own, with its record."""
        self._end_block()
        self.line(sentence, kind, values, own_id=own_id, subject=subject)
        self._end_block()

    def line(
        self,
        sentence: str,
        kind: str,
        values: Mapping[str, Value | None],
        *,
        own_id: str = "",
        subject: str = "",
    ) -> None:
        """Add a sentence as one line of a block that it shares with its neighbours."""
        if self.is_full:
            self._n_left_out += 1
            return
        line = clean(sentence)
        if sum(map(len, self._lines)) + len(self._lines) + len(line) > _BLOCK_CHARS:
            self._end_block()
        self._lines.append(line)
        self.note(kind, values, own_id=own_id, subject=subject, block=len(self.outline.blocks))

    def note(
        self,
        kind: str,
        values: Mapping[str, Value | None],
        *,
        own_id: str = "",
        subject: str = "",
        block: int | None = None,
    ) -> None:
        """Add a record that an existing block words."""
        self._records.append(Record(kind, valued(values), clean(own_id), clean(subject), block))

    def again(
        self, kind: str, values: Mapping[str, Value | None], *, own_id: str = "", subject: str = ""
    ) -> None:
        """Add a record that the last line words already."""
        if self.is_full:
            self._n_left_out += 1
            return
        last = self._records[-1].block if self._records else None
        self.note(kind, values, own_id=own_id, subject=subject, block=last)

    def paragraph(self, text: str) -> None:
        """Add running text."""
        self._end_block()
        self.outline.paragraph(text)

    def reading(
        self, media_type: str, title: str | None = None, lang: str | None = None
    ) -> Reading:
        """Return all that was collected; raises `ReadError` if there is nothing."""
        self._end_block()
        if not self.outline.blocks:
            raise ReadError("empty", "The file holds no records.")
        if self._n_left_out:
            cap = self._source.limits.rows
            self.warn(f"Only the first {cap} records were read; {self._n_left_out} were left out.")
        return Reading(
            media_type,
            best_title(title, self.outline.first_heading, self._source.name),
            tuple(self.outline.blocks),
            lang,
            tuple(self._records),
            tuple(self.warnings),
        )

    def _end_block(self) -> None:
        if self._lines:
            self.outline.record("\n".join(self._lines))
            self._lines = []


def joined(*parts: str, by: str = "; ") -> str:
    """Return the parts that aren't empty, joined."""
    return by.join(part for part in parts if part)


def named(name: str, value: object) -> str:
    """Return `name: value`, or nothing without a value."""
    shown = value if isinstance(value, str) else worded(value)
    return f"{name}: {shown}" if shown else ""


def worded(value: object, lang: str = "en") -> str:
    """Return a value as people write it in English or Portuguese.

    `12,500.00 EUR` or `R$ 12.500,00`, `2024-03-02` or `02/03/2024`.
    """
    match value:
        case None:
            return ""
        case bool():
            return {"en": ("no", "yes"), "pt": ("não", "sim")}[lang][value]
        case Quantity():
            return _amount(value, lang)
        case Decimal() | int():
            return grouped(value, lang)
        case datetime():
            return value.strftime("%d/%m/%Y %H:%M" if lang == "pt" else "%Y-%m-%d %H:%M")
        case date():
            return value.strftime("%d/%m/%Y") if lang == "pt" else value.isoformat()
        case Period():
            start, end = worded(value.start, lang), worded(value.end, lang)
            return joined(start, end, by=" a " if lang == "pt" else " to ")
        case tuple():
            return ", ".join(map(str, value))
    return str(value)


def grouped(number: Decimal | int, lang: str = "en") -> str:
    """Return a number with its thousands grouped, all its decimals kept."""
    text = f"{number:,f}" if isinstance(number, Decimal) else f"{number:,}"
    return text.translate(str.maketrans(",.", ".,")) if lang == "pt" else text


def _amount(value: Quantity, lang: str) -> str:
    number = grouped(value.amount, lang)
    if lang == "pt" and value.unit == "BRL":
        return f"-R$ {number[1:]}" if number.startswith("-") else f"R$ {number}"
    return f"{number} {value.unit}".rstrip()
