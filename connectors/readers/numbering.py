"""Numbers of paragraphs and headings in Word (ECMA-376 17.9), counted as Word counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MAX_DEPTH = 8
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is numbered; `%2` in `text` stands for the second level's number."""

    format: str
    text: str
    start: int = 1
    style: str = ""


@dataclass
class Numbering:
    """The lists of a document and how far each has counted."""

    levels: dict[tuple[str, int], Level] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    overrides: dict[tuple[str, int], int] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _begun: set[tuple[str, int]] = field(default_factory=set)

    def depth_of(self, number: str, style: str) -> int:
        """The level that a list gives to paragraphs of a style; 0 if it names none."""
        name = self.lists.get(number, "")
        for (key, depth), level in self.levels.items():
            if key == name and level.style == style:
                return depth
        return 0

    def label(self, number: str, depth: int) -> str | None:
        """Count a paragraph of a list and return its number (`2.1`, `a)`); None for a bullet."""
        name = self.lists.get(number, "")
        level = self.levels.get((name, depth))
        if level is None or level.format in ("bullet", "none", ""):
            return None
        counts = self._counts.setdefault(name, {})
        begun = self.overrides.get((number, depth))
        if begun is not None and (number, depth) not in self._begun:
            self._begun.add((number, depth))
            counts[depth] = begun - 1
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [key for key in counts if key > depth]:
            del counts[deeper]
        return _PLACE.sub(lambda m: self._shown(name, int(m.group(1)) - 1), level.text).strip()

    def _shown(self, name: str, depth: int) -> str:
        level = self.levels.get((name, depth), Level("decimal", ""))
        count = self._counts[name].setdefault(depth, level.start)
        return written(count, level.format)


def written(number: int, style: str) -> str:
    """A number in a list's format: decimal, letters (`a`, `b` … `aa`) or Roman."""
    if style.endswith("Letter") and number > 0:
        text = chr(97 + (number - 1) % 26) * min(1 + (number - 1) // 26, 9)
    elif style.endswith("Roman") and 0 < number < 4000:
        text = ""
        for value, letters in _ROMAN:
            text += letters * (number // value)
            number %= value
    else:
        return f"{number:02d}" if style == "decimalZero" else str(number)
    return text.upper() if style.startswith("upper") else text


def read_numbering(root: etree._Element | None, by_style: Mapping[str, str]) -> Numbering:
    """The lists of `numbering.xml`; `by_style` are the lists that styles name."""
    numbering = Numbering()
    linked: dict[str, str] = {}
    for abstract in root.iter(f"{_W}abstractNum") if root is not None else ():
        key = abstract.get(f"{_W}abstractNumId", "")
        if style := _val(abstract, "numStyleLink"):
            linked[key] = style
        for level in abstract.iter(f"{_W}lvl"):
            depth = level.get(f"{_W}ilvl", "0")
            if depth.isdigit() and int(depth) <= _MAX_DEPTH:
                numbering.levels[key, int(depth)] = _level(level)
    for number in root.iter(f"{_W}num") if root is not None else ():
        key = number.get(f"{_W}numId", "")
        numbering.lists[key] = _val(number, "abstractNumId")
        for change in number.iter(f"{_W}lvlOverride"):
            start, depth = _val(change, "startOverride"), change.get(f"{_W}ilvl", "")
            if start.isdigit() and depth.isdigit():
                numbering.overrides[key, int(depth)] = int(start)
    for key, name in numbering.lists.items():
        target = by_style.get(linked.get(name, ""), "")
        numbering.lists[key] = numbering.lists.get(target, name)
    return numbering


def _val(element: etree._Element, tag: str) -> str:
    found = element.find(f"{_W}{tag}")
    return "" if found is None else found.get(f"{_W}val", "")


def _level(level: etree._Element) -> Level:
    start = _val(level, "start")
    return Level(
        _val(level, "numFmt"),
        _val(level, "lvlText"),
        int(start) if start.isdigit() else 1,
        _val(level, "pStyle"),
    )
