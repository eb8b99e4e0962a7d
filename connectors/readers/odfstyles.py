"""What the styles of an OpenDocument file say: headings, titles, numbered lists, hidden text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_SHOW = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_HEADING = re.compile(r"^heading(?:_20_)?\s?(\d)$", re.IGNORECASE)
_MAX_CHAIN = 20


@dataclass
class Styles:
    """Styles by name; automatic ones inherit from those that people see."""

    parents: dict[str, str] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    hidden_slides: set[str] = field(default_factory=set)
    numbered: set[tuple[str, int]] = field(default_factory=set)

    def level(self, name: str) -> int | None:
        """The heading level of a paragraph's style; titles are 1, subtitles 2."""
        for style in self._chain(name):
            if style in self.levels:
                return self.levels[style]
            if match := _HEADING.match(style):
                return int(match.group(1))
            if style.lower() in ("title", "subtitle"):
                return 1 if style.lower() == "title" else 2
        return None

    def is_title(self, name: str) -> bool:
        """Whether a paragraph is the document's title."""
        return any(style.lower() == "title" for style in self._chain(name))

    def is_caption(self, name: str) -> bool:
        """Whether a paragraph is the caption of a figure or table."""
        return any(style.lower() == "caption" for style in self._chain(name))

    def is_hidden(self, name: str) -> bool:
        """Whether text of a style is not shown."""
        return any(style in self.hidden for style in self._chain(name))

    def is_hidden_slide(self, name: str) -> bool:
        """Whether a slide is not shown."""
        return name in self.hidden_slides

    def is_numbered(self, name: str, level: int) -> bool:
        """Whether the items of a list have numbers at a level (from 0)."""
        return (name, level) in self.numbered

    def _chain(self, name: str) -> list[str]:
        chain: list[str] = []
        while name and len(chain) < _MAX_CHAIN:
            chain.append(name)
            name = self.parents.get(name, "")
        return chain


def read_styles(*roots: etree._Element | None) -> Styles:
    """The styles of a document's parts."""
    styles = Styles()
    for root in (root for root in roots if root is not None):
        for style in root.iter(f"{_STYLE}style"):
            _read_style(styles, style)
        for kind in root.iter(f"{_TEXT}list-style"):
            name = kind.get(f"{_STYLE}name", "")
            for level in kind.iter(f"{_TEXT}list-level-style-number"):
                depth = level.get(f"{_TEXT}level", "")
                shown = level.get(
                    "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}num-format", "1"
                )
                if depth.isdigit() and shown:
                    styles.numbered.add((name, int(depth) - 1))
    return styles


def _read_style(styles: Styles, style: etree._Element) -> None:
    name = style.get(f"{_STYLE}name", "")
    if parent := style.get(f"{_STYLE}parent-style-name"):
        styles.parents[name] = parent
    level = style.get(f"{_STYLE}default-outline-level", "")
    if level.isdigit() and level != "0":
        styles.levels[name] = int(level)
    for about in style.iter(f"{_STYLE}text-properties"):
        if about.get(f"{_TEXT}display") == "none":
            styles.hidden.add(name)
    for about in style.iter(f"{_STYLE}drawing-page-properties"):
        if about.get(f"{_SHOW}visibility") == "hidden":
            styles.hidden_slides.add(name)
