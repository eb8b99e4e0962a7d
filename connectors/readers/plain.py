"""Plain text: paragraphs, lists and evident headings."""

from __future__ import annotations

import re

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, clean_lines, decode

_ITEM = re.compile(r"^\s*([-*•·–]|\(?\d{1,3}[.)]|[a-z]\))\s+\S")
_NUMBERED = re.compile(r"^\d+(\.\d+)*\.?\s+\S")
_RULE = re.compile(r"^\s*([=\-*_~#])\1{2,}\s*$")


def read(source: Source) -> Reading:
    """Read a text file of any encoding."""
    text = decode(source.path.read_bytes())
    outline = Outline()
    place_text(outline, text)
    if not outline.blocks:
        raise ReadError("empty", "The file holds no visible text.")
    title = best_title(None, outline.first_heading, source.name)
    return Reading(source.media_type, title, tuple(outline.blocks))


def place_text(outline: Outline, text: str, *, headings: bool = True) -> None:
    """Add the paragraphs of a text, separated by blank lines; an underlined line is a heading."""
    for part in re.split(r"\n[^\S\n]*\n+", re.sub(r"\r\n?", "\n", text).replace("\f", "\n\n")):
        lines = [line for line in part.split("\n") if line.strip()]
        underlined = len(lines) > 1 and _RULE.match(lines[1]) and len(lines[0]) <= 120
        if headings and underlined:
            outline.heading(lines[0], 1 if lines[1].strip().startswith("=") else 2)
            lines = lines[2:]
        lines = [line for line in lines if not _RULE.match(line)]
        if lines:
            _place_lines(outline, lines, headings)


def _place_lines(outline: Outline, lines: list[str], headings: bool) -> None:
    if len(lines) == 1 and headings and _is_heading(clean(lines[0])):
        level = clean(lines[0]).split(" ")[0].strip(".").count(".") + 2
        outline.heading(lines[0], min(level, 6))
    elif len(lines) > 1 and sum(bool(_ITEM.match(line)) for line in lines) > len(lines) / 2:
        outline.items(_items(lines))
    else:
        outline.paragraph(" ".join(clean_lines(line) for line in lines))


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if _ITEM.match(line) or not items:
            items.append(clean(line))
        else:
            items[-1] += " " + clean(line)
    return items


def _is_heading(line: str) -> bool:
    """Short, in capitals or numbered, and no sentence."""
    if not 3 <= len(line) <= 80 or line[-1] in ".,;:!?":
        return False
    if _NUMBERED.match(line):
        return len(line.split()) <= 10 and any(ch.isalpha() for ch in line)
    return line.isupper() and sum(ch.isalpha() for ch in line) >= 3
