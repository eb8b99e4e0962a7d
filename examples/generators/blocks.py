"""The plain values that documents are written from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

NUMBER = re.compile(
    r"^[(+\-–−]?\s*(R\$|US\$|\$|€)?\s*[(\-–−]?\d[\d.,]*\s*(%|pp|p\.p\.|x)?\)?$|^[–—-]$"
)
"""A table cell that is right-aligned: an amount, a percentage, a dash."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A section heading; level 1 is the outermost."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `<b>` and `<i>` are allowed in a PDF only."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, with numbers instead of bullets if `numbered`."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; columns that hold only numbers are right-aligned, rows named in `bold` stand out."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    bold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rect:
    """A labelled rectangle; x and y (points) are its lower left corner."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Circle:
    """A labelled circle around (x, y), in points."""

    x: float
    y: float
    radius: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from (x1, y1) to (x2, y2), with an arrow head at its end if `arrow`."""

    x1: float
    y1: float
    x2: float
    y2: float
    arrow: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """Text that begins at (x, y)."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A vector drawing; the origin is its lower left corner, at most 470 points wide."""

    width: float
    height: float
    parts: tuple[Rect | Circle | Line | Label, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a new page."""


Block = Heading | Paragraph | Bullets | Table | Drawing | PageBreak
Cell = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its header row, then its rows. `formats` maps a header to a number format."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    formats: tuple[tuple[str, str], ...] = ()
