"""Lines of a PDF page to pieces: tables, lists and paragraphs with their size and place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.readers.glyphs import END_HYPHEN
from connectors.readers.runs import find_tables

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from connectors.readers.framed import Framed
    from connectors.readers.lines import Line

_SENTENCE_END = re.compile(r"[.!?:;][\"”’)]?$")


@dataclass
class Piece:
    """Something that reads as one: its lines; a table also has cells and the lines of each row.

    `cells` has the header first; `rows` are the lines of the rows below it.
    """

    lines: list[Line]
    cells: list[list[str]] | None = None
    text: str = field(default="")
    rows: list[list[Line]] = field(default_factory=list)

    @property
    def size(self) -> float:
        """The text height of the first line."""
        return self.lines[0].size

    @property
    def bold(self) -> bool:
        """Whether all lines are bold."""
        return all(line.bold for line in self.lines)


def pieces(
    lines: Sequence[Line], framed: Mapping[int, Framed], words: Container[str]
) -> list[Piece]:
    """The pieces of a page in reading order; `words` tell how to mend words cut by a hyphen."""
    result: list[Piece] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].region == lines[start].region:
            end += 1
        number = lines[start].frame
        if number is None:
            result += _region(lines[start:end], words)
        else:
            result.append(_drawn(lines[start], framed[number], words))
        start = end
    return result


def _drawn(line: Line, table: Framed, words: Container[str]) -> Piece:
    """A table drawn on the page; one without a row of names gets an empty header."""
    cells = [[joined(cell, words) for cell in row] for row in table.rows]
    lines = [[line for cell in row for line in cell] for row in table.rows]
    if not table.n_header:
        return Piece([line], [[""] * len(cells[0]), *cells], rows=lines)
    return Piece([line], cells, rows=lines[1:])


def _region(lines: Sequence[Line], words: Container[str]) -> list[Piece]:
    result: list[Piece] = []
    done = 0
    for start, end, table in find_tables(lines):
        result += _paragraphs(lines[done:start], words)
        cells = [table.header, *(row.cells for row in table.rows)]
        rows = [row.lines for row in table.rows]
        result.append(Piece(list(lines[start:end]), cells, rows=rows))
        done = end
    return result + _paragraphs(lines[done:], words)


def _paragraphs(lines: Sequence[Line], words: Container[str]) -> list[Piece]:
    groups: list[list[Line]] = []
    right = max((line.box[2] for line in lines), default=0.0)
    for line in lines:
        if groups and _continues(groups[-1], line, right):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [Piece(group, text=joined(group, words)) for group in groups]


def _continues(group: Sequence[Line], line: Line, right: float) -> bool:
    """Whether a line belongs to the paragraph above it."""
    last = group[-1]
    gap = line.box[1] - last.box[3]
    usual = group[1].box[1] - group[0].box[3] if len(group) > 1 else 0.45 * last.size
    if gap > max(usual + 0.35 * last.size, 0.3 * last.size) or gap < -1.2 * last.size:
        return False
    if abs(line.size - last.size) > 0.12 * last.size:
        return False
    if line.words[0].bold != last.words[-1].bold and (last.bold or line.bold):
        return False
    if line.item:
        return False
    is_short = last.box[2] < right - 0.25 * (right - last.box[0])
    if is_short and _SENTENCE_END.search(last.text):
        return False
    is_indented = line.box[0] > last.box[0] + 1.0 * last.size and not group[0].item
    return not (is_indented and _SENTENCE_END.search(last.text))


def joined(lines: Sequence[Line], words: Container[str]) -> str:
    """The text of lines, with words mended that a hyphen cut at the end of a line."""
    text = ""
    for line in lines:
        part = line.text
        if not text:
            text = part
        elif text.endswith(END_HYPHEN) or (text.endswith("-") and text[-2:-1].isalpha()):
            text = _mended(text[:-1], part, words)
        else:
            text = f"{text} {part}"
    return text.replace(END_HYPHEN, "-")


def _mended(head: str, tail: str, words: Container[str]) -> str:
    """Join without the hyphen unless the compound is written with one elsewhere."""
    left = re.search(r"[\w-]*$", head)
    right = re.match(r"\w*", tail)
    before, after = (left.group() if left else ""), (right.group() if right else "")
    whole, compound = f"{before}{after}".lower(), f"{before}-{after}".lower()
    is_one_word = after[:1].islower() and before[-1:].isalpha()
    if not is_one_word or (compound in words and whole not in words):
        return f"{head}-{tail}"
    return head + tail
