"""The paragraphs of a shape on a slide (DrawingML text), with their bullets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.readers.text import clean

if TYPE_CHECKING:
    from lxml import etree

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_MAX_LEVEL = 8


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; `bullet` is None where the slide's layout decides."""

    text: str
    level: int = 0
    bullet: str | None = None

    def is_item(self, by_layout: bool) -> bool:
        """Whether it has a bullet or number; `by_layout` where it does not say so itself."""
        return by_layout if self.bullet is None else bool(self.bullet)


def paragraphs_of(element: etree._Element) -> list[Paragraph]:
    """The paragraphs with text of a shape or a cell."""
    found = []
    for paragraph in element.iter(f"{_A}p"):
        text = clean("".join(_pieces(paragraph)))
        if text:
            about = paragraph.find(f"{_A}pPr")
            level = about.get("lvl", "0") if about is not None else "0"
            depth = min(int(level), _MAX_LEVEL) if level.isdigit() else 0
            found.append(Paragraph(text, depth, _bullet(about)))
    return found


def _pieces(paragraph: etree._Element) -> Iterator[str]:
    for part in paragraph.iter(f"{_A}t", f"{_A}br", f"{_A}tab", _MATH):
        yield (part.text or "") if part.tag in (f"{_A}t", _MATH) else " "


def _bullet(about: etree._Element | None) -> str | None:
    if about is None:
        return None
    if about.find(f"{_A}buNone") is not None:
        return ""
    if about.find(f"{_A}buAutoNum") is not None:
        return "1"
    is_bullet = about.find(f"{_A}buChar") is not None or about.find(f"{_A}buBlip") is not None
    return "-" if is_bullet else None


def list_lines(items: Sequence[Paragraph]) -> list[str]:
    """The items as lines with their marks; numbers count on each level."""
    counts: dict[int, int] = {}
    lines = []
    for item in items:
        counts = {level: n for level, n in counts.items() if level <= item.level}
        mark = "-"
        if item.bullet == "1":
            counts[item.level] = counts.get(item.level, 0) + 1
            mark = f"{counts[item.level]}."
        else:
            counts.pop(item.level, None)
        lines.append(f"{'  ' * item.level}{mark} {item.text}")
    return lines
