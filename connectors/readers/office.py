"""DOCX (ECMA-376 WordprocessingML): headings, lists, tables and text as Word shows them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.readers.archive import open_checked
from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.numbering import Numbering, read_numbering
from connectors.readers.outline import Outline
from connectors.readers.parts import core_properties, parse_part
from connectors.readers.spans import Cell, place_cells
from connectors.readers.text import best_title, clean, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from connectors.readers.source import Source

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BOX = f"{_W}txbxContent"
_HEADING_NAME = re.compile(r"^(?:heading|título|titulo|überschrift|titre|rubrik) ?(\d)$", re.I)
_DROPPED = frozenset(
    {f"{_W}{tag}" for tag in ("del", "moveFrom", "instrText", "delText", "pPr", "rPr", "sdtPr")}
    | {_FALLBACK}
)
_HIDDEN_SIZE = 3  # half-points
_UNSTYLED_LEVEL = 7  # a bold line is a heading below all styled ones


@dataclass
class Styles:
    """What the paragraph styles say: heading levels, list numbering, code."""

    levels: dict[str, int] = field(default_factory=dict)
    numbering: dict[str, str] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    lists: Numbering = field(default_factory=Numbering)


def read(source: Source) -> Reading:
    """Read a DOCX file; deleted and hidden text is left out, the latter with a warning."""
    archive, warnings = open_checked(source.path, source.limits)
    with archive:
        root = parse_part(archive, "word/document.xml")
        body = None if root is None else root.find(f"{_W}body")
        if body is None:
            raise ReadError("corrupt", "The file is damaged: it holds no document.")
        outline = Outline()
        walk = _Walk(outline, _styles(archive))
        walk.blocks(body, 0)
        walk.end_list()
        for name in ("footnotes", "endnotes"):
            notes = parse_part(archive, f"word/{name}.xml")
            if notes is not None:
                walk.blocks(notes, 0)
        title, lang = core_properties(archive)
    if walk.n_hidden:
        warnings.append(f"Hidden text was removed at {walk.n_hidden} places.")
    if not outline.blocks:
        raise ReadError("empty", "The document holds no visible text.")
    heading = walk.title or outline.first_heading
    return Reading(
        source.media_type,
        best_title(title, heading, source.name),
        tuple(outline.blocks),
        language(lang),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _val(element: etree._Element | None, path: str) -> str:
    found = None if element is None else element.find(path)
    return "" if found is None else found.get(f"{_W}val", "")


def _styles(archive: zipfile.ZipFile) -> Styles:
    styles = Styles()
    root = parse_part(archive, "word/styles.xml")
    parents: dict[str, str] = {}
    for style in root.iter(f"{_W}style") if root is not None else ():
        key = style.get(f"{_W}styleId", "")
        name = _val(style, f"{_W}name")
        styles.names[key] = name.lower()
        parents[key] = _val(style, f"{_W}basedOn")
        level = _val(style, f"{_W}pPr/{_W}outlineLvl")
        if match := _HEADING_NAME.match(name):
            styles.levels[key] = int(match.group(1))
        elif level.isdigit() and int(level) < 9:
            styles.levels[key] = int(level) + 1
        if number := _val(style, f"{_W}pPr/{_W}numPr/{_W}numId"):
            styles.numbering[key] = number
            depth = _val(style, f"{_W}pPr/{_W}numPr/{_W}ilvl")
            styles.depths[key] = min(int(depth), 8) if depth.isdigit() else -1
    for key in parents:
        _inherit(styles, parents, key)
    styles.lists = read_numbering(parse_part(archive, "word/numbering.xml"), styles.numbering)
    return styles


def _inherit(styles: Styles, parents: dict[str, str], key: str) -> None:
    ancestor = parents[key]
    for _ in range(20):
        if not ancestor:
            return
        if key not in styles.levels and ancestor in styles.levels:
            styles.levels[key] = styles.levels[ancestor]
        if key not in styles.numbering and ancestor in styles.numbering:
            styles.numbering[key] = styles.numbering[ancestor]
            styles.depths[key] = styles.depths[ancestor]
        ancestor = parents.get(ancestor, "")


class _Walk:
    """Walks paragraphs and tables in order and gathers the items of lists."""

    def __init__(self, outline: Outline, styles: Styles) -> None:
        self.outline = outline
        self.styles = styles
        self.title = ""
        self.n_hidden = 0
        self._items: list[str] = []

    def end_list(self) -> None:
        """Add the items gathered so far as one list."""
        if self._items:
            self.outline.items(self._items)
            self._items = []

    def blocks(self, parent: etree._Element, depth: int) -> None:
        """Walk the block-level content of an element."""
        for child in parent:
            if child.tag == f"{_W}p":
                self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                self.end_list()
                self._table(child, depth)
            elif isinstance(child.tag, str) and child.tag not in _DROPPED and depth < 50:
                self.blocks(child, depth + 1)

    def _paragraph(self, paragraph: etree._Element) -> None:
        text = "".join(self._text(paragraph, 0))
        properties = paragraph.find(f"{_W}pPr")
        style = _val(properties, f"{_W}pStyle")
        text = text if self._is_code(style) else clean(text)
        self._place(text, properties, style, is_bold=_is_bold(paragraph))
        for box in paragraph.iter(_BOX):
            if not any(parent.tag == _FALLBACK for parent in box.iterancestors()):
                self.blocks(box, 1)

    def _is_code(self, style: str) -> bool:
        name = self.styles.names.get(style, "")
        return "code" in name or "preformatted" in name

    def _place(
        self, text: str, properties: etree._Element | None, style: str, *, is_bold: bool
    ) -> None:
        if not text.strip():
            return
        name = self.styles.names.get(style, "")
        own = _val(properties, f"{_W}outlineLvl")
        level = int(own) + 1 if own.isdigit() and int(own) < 9 else self.styles.levels.get(style)
        number, depth = self._number(properties, style)
        if name == "title":
            self.title = self.title or text
            level = level or 1
        if level is not None and len(text) <= 300:
            self.end_list()
            label = self.styles.lists.label(number, depth) if number else None
            self.outline.heading(f"{label} {text}" if label else text, level)
        elif number:
            self._items.append(self._item(text, number, depth))
        else:
            self.end_list()
            if self._is_code(style):
                self.outline.code(text)
            elif name == "caption":
                self.outline.caption(text)
            elif is_bold and 3 <= len(text) <= 100 and text[-1] not in ".,;:!?":
                self.outline.heading(text, _UNSTYLED_LEVEL)
            else:
                self.outline.paragraph(text)

    def _number(self, properties: etree._Element | None, style: str) -> tuple[str, int]:
        number = _val(properties, f"{_W}numPr/{_W}numId") or self.styles.numbering.get(style, "")
        depth = _val(properties, f"{_W}numPr/{_W}ilvl")
        is_list = number and number != "0"
        if not is_list and self.styles.names.get(style, "").startswith(("list bullet", "list num")):
            return "-", 0
        if not is_list:
            return "", 0
        if depth.isdigit():
            return number, min(int(depth), 8)
        by_style = self.styles.depths.get(style, -1)
        return number, by_style if by_style >= 0 else self.styles.lists.depth_of(number, style)

    def _item(self, text: str, number: str, depth: int) -> str:
        label = self.styles.lists.label(number, depth) or "-"
        return f"{'  ' * depth}{label} {text}"

    def _text(self, element: etree._Element, depth: int) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if tag in _DROPPED or tag == _BOX or not isinstance(tag, str):
                continue
            if tag in (f"{_W}t", _MATH):
                yield child.text or ""
            elif tag in (f"{_W}tab", f"{_W}ptab"):
                yield "\t"
            elif tag in (f"{_W}br", f"{_W}cr"):
                yield "\n"
            elif tag == f"{_W}noBreakHyphen":
                yield "-"
            elif tag == f"{_W}r" and self._is_hidden(child):
                self.n_hidden += 1
            elif depth < 50:
                yield from self._text(child, depth + 1)

    def _is_hidden(self, run: etree._Element) -> bool:
        properties = run.find(f"{_W}rPr")
        if properties is None or not any((t.text or "").strip() for t in run.iter(f"{_W}t")):
            return False
        vanish = properties.find(f"{_W}vanish")
        if vanish is not None and vanish.get(f"{_W}val", "1") not in ("0", "false", "off"):
            return True
        size = _val(properties, f"{_W}sz")
        return size.isdigit() and int(size) <= _HIDDEN_SIZE

    def _table(self, table: etree._Element, depth: int) -> None:
        rows: list[list[Cell]] = []
        marked = 0
        merges: dict[int, int] = {}
        for row in _direct(table, f"{_W}tr"):
            cells = list(self._cells(row, merges))
            if row.find(f"{_W}trPr/{_W}tblHeader") is not None and marked == len(rows):
                marked += 1
            rows.append(cells)
        n_cells = sum(len(row) for row in rows)
        if n_cells == 1 and depth < 20:  # a frame around text
            for cell in table.iter(f"{_W}tc"):
                self.blocks(cell, depth + 1)
                self.end_list()
                return
        place_cells(self.outline, _filled(rows), marked)

    def _cells(self, row: etree._Element, merges: dict[int, int]) -> Iterator[Cell]:
        for cell in _direct(row, f"{_W}tc"):
            properties = cell.find(f"{_W}tcPr")
            span = _val(properties, f"{_W}gridSpan")
            merge = None if properties is None else properties.find(f"{_W}vMerge")
            is_continued = merge is not None and merge.get(f"{_W}val", "continue") != "restart"
            paragraphs = ["".join(self._text(p, 0)) for p in cell.iter(f"{_W}p")]
            text = clean(" ".join(paragraphs))
            across = int(span) if span.isdigit() and len(span) < 4 else 1
            yield Cell("\x00" if is_continued else text, max(1, across))


def _is_bold(paragraph: etree._Element) -> bool:
    """Whether every run with text is set in bold by itself."""
    runs = [
        r for r in paragraph.iter(f"{_W}r") if any((t.text or "").strip() for t in r.iter(f"{_W}t"))
    ]
    marks = [run.find(f"{_W}rPr/{_W}b") for run in runs]
    return bool(runs) and all(
        mark is not None and mark.get(f"{_W}val", "1") not in ("0", "false") for mark in marks
    )


def _direct(parent: etree._Element, tag: str) -> Iterator[etree._Element]:
    """Children with a tag, also inside content controls and custom XML."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins"):
            yield from _direct(child, tag)


def _filled(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Cells that continue a merge from above take its text."""
    above: dict[int, str] = {}
    result: list[list[Cell]] = []
    for row in rows:
        column = 0
        cells = []
        for cell in row:
            text = above.get(column, "") if cell.text == "\x00" else cell.text
            above[column] = text
            cells.append(Cell(text, cell.across))
            column += cell.across
        result.append(cells)
    return result
