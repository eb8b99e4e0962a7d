"""Records collected together with the blocks that word them, in the language of their file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from connectors.readers.labels import said
from connectors.readers.outline import Outline
from connectors.readers.record import Period, Quantity, Record, Value, valued
from connectors.readers.text import clean

_MAX_SHOWN = 2_000


@dataclass
class Register:
    """Writes each record as one block of an outline; stops at `cap` records with a warning."""

    outline: Outline = field(default_factory=Outline)
    lang: str | None = None
    cap: int = 50_000
    records: list[Record] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether no further record is taken; the first one that isn't leaves a warning."""
        if len(self.records) < self.cap:
            return False
        warning = f"Only the first {self.cap} records were read."
        if warning not in self.warnings:
            self.warnings.append(warning)
        return True

    def state(
        self,
        kind: str,
        head: str,
        values: Mapping[str, Value | None],
        *,
        record_id: str = "",
        subject: str = "",
        about: str = "",
        silent: Collection[str] = (),
        told: str = "",
    ) -> None:
        """Add a record, worded as `about — Kind: head; label: value; …`.

        `silent` names values that the sentence leaves out, mostly because `head` says them; `told`
        is the whole sentence if the reader has a better one.
        """
        if self.is_full:
            return
        kept = valued(values)
        sentence = told or self._sentence(kind, head, kept, silent)
        self.outline.record(f"{about} — {sentence}" if about else sentence)
        block = len(self.outline.blocks) - 1
        self.records.append(Record(kind, kept, record_id, subject, block if block >= 0 else None))

    def note(
        self,
        kind: str,
        values: Mapping[str, Value | None],
        *,
        record_id: str = "",
        subject: str = "",
    ) -> None:
        """Add a record that the last block words."""
        if not self.is_full:
            block = len(self.outline.blocks) - 1
            self.records.append(
                Record(kind, valued(values), record_id, subject, block if block >= 0 else None)
            )

    def warn(self, sentence: str) -> None:
        """Tell the admin what was left out, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _sentence(
        self, kind: str, head: str, values: Mapping[str, Value], silent: Collection[str]
    ) -> str:
        name = said(kind, self.lang)
        details = [clean(head)] if clean(head) else []
        details += [
            f"{said(key, self.lang)}: {text}"
            for key, value in values.items()
            if key not in silent and (text := shown(value, self.lang))
        ]
        return f"{name[:1].upper()}{name[1:]}: " + "; ".join(details)


def shown(value: Value, lang: str | None = None) -> str:
    """Return a value as a person reads it."""
    match value:
        case bool():
            return said("yes" if value else "no", lang)
        case str():
            text = clean(value)
            return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
        case Quantity():
            return f"{_plain(value.amount)} {value.unit}".strip()
        case Decimal():
            return _plain(value)
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M" + (":%S" if value.second else ""))
        case date():
            return value.isoformat()
        case Period():
            return _span(value, lang)
        case tuple():
            return ", ".join(filter(None, map(clean, value)))
    return str(value)


def _span(period: Period, lang: str | None) -> str:
    start, end = (day.isoformat() if day else "" for day in (period.start, period.end))
    if start and end:
        return start if start == end else f"{start} {said('to', lang)} {end}"
    if end:
        return f"{said('until', lang)} {end}"
    return f"{said('since', lang)} {start}" if start else ""


def _plain(number: Decimal) -> str:
    """Return a number as it was written, without an exponent unless it is a huge one."""
    return str(number) if abs(number.adjusted()) > 20 else format(number, "f")
