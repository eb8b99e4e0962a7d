"""OpenDocument text and presentations (ODF 1.3): headings, lists, tables, slides and notes."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from connectors.readers.archive import open_checked
from connectors.readers.errors import ReadError
from connectors.readers.media import ODP
from connectors.readers.model import Reading
from connectors.readers.odfstyles import Styles, read_styles
from connectors.readers.outline import Outline
from connectors.readers.parts import parse_part
from connectors.readers.spans import Cell, place_cells
from connectors.readers.text import best_title, clean, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from connectors.readers.source import Source

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_SHOW = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_DROPPED = frozenset(
    {
        f"{_TEXT}tracked-changes",
        f"{_OFFICE}annotation",
        f"{_OFFICE}annotation-end",
        f"{_OFFICE}forms",
        f"{_TEXT}sequence-decls",
        f"{_TEXT}page-number",
        f"{_TEXT}hidden-text",
        f"{_TEXT}note",
        f"{_TEXT}ruby-text",
    }
)
_FURNITURE = frozenset({"page-number", "date-time", "footer", "header"})
_DRAWN = frozenset(
    {
        f"{_DRAW}{tag}"
        for tag in (
            "frame",
            "custom-shape",
            "rect",
            "ellipse",
            "g",
            "text-box",
            "line",
            "connector",
        )
    }
)
_MAX_DEPTH = 60
_MAX_REPEATED = 200
_MAX_SPACES = 100


def read(source: Source) -> Reading:
    """Read an ODT or ODP file; the page of a presentation is its slide."""
    archive, warnings = open_checked(source.path, source.limits)
    outline = Outline()
    with archive:
        _refuse_encrypted(archive)
        root = parse_part(archive, "content.xml")
        body = None if root is None else root.find(f"{_OFFICE}body")
        if root is None or body is None:
            raise ReadError("corrupt", "The file is damaged: it holds no document.")
        walk = _Walk(outline, read_styles(root, parse_part(archive, "styles.xml")))
        if source.media_type == ODP:
            _slides(walk, body, source, warnings)
        else:
            walk.blocks(body, 0)
            walk.place_notes()
        title, lang = _declared(archive)
    if walk.n_hidden:
        warnings.append(f"Hidden text was removed at {walk.n_hidden} places.")
    if not outline.blocks:
        raise ReadError("empty", "The document holds no visible text.")
    return Reading(
        source.media_type,
        best_title(title, walk.title or outline.first_heading, source.name),
        tuple(outline.blocks),
        language(lang),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _refuse_encrypted(archive: zipfile.ZipFile) -> None:
    manifest = parse_part(archive, "META-INF/manifest.xml")
    if (
        manifest is not None
        and next(manifest.iter(f"{_MANIFEST}encryption-data"), None) is not None
    ):
        raise ReadError("encrypted", "The file is protected by a password; save it without one.")


def _declared(archive: zipfile.ZipFile) -> tuple[str, str]:
    root = parse_part(archive, "meta.xml")
    meta = None if root is None else root.find(f"{_OFFICE}meta")
    if meta is None:
        return "", ""
    return meta.findtext(f"{_DC}title") or "", meta.findtext(f"{_DC}language") or ""


def _slides(walk: _Walk, body: etree._Element, source: Source, warnings: list[str]) -> None:
    pages = list(body.iter(f"{_DRAW}page"))
    if len(pages) > source.limits.pages:
        raise ReadError(
            "too_many_pages",
            f"The presentation has {len(pages)} slides, more than {source.limits.pages}; split it.",
        )
    hidden = []
    for number, page in enumerate(pages, 1):
        if walk.styles.is_hidden_slide(page.get(f"{_DRAW}style-name", "")):
            hidden.append(str(number))
            continue
        walk.slide(page, number)
    if hidden:
        warnings.append(f"Hidden slides were left out: {', '.join(hidden[:20])}.")


class _Walk:
    """Walks paragraphs, lists, tables and frames in order."""

    def __init__(self, outline: Outline, styles: Styles) -> None:
        self.outline = outline
        self.styles = styles
        self.title = ""
        self.n_hidden = 0
        self._page: int | None = None
        self._notes: list[etree._Element] = []
        self._count = 0

    def slide(self, page: etree._Element, number: int) -> None:
        """Add a slide: its title, what stands on it, its notes."""
        self._page = number
        shapes = [s for s in page if s.get(f"{_SHOW}class", "") not in _FURNITURE]
        titles = [s for s in shapes if s.get(f"{_SHOW}class") == "title"]
        title = " ".join(self._plain(shape) for shape in titles)
        before = len(self.outline.blocks)
        given = page.get(f"{_DRAW}name") or f"Slide {number}"
        self.outline.heading(title if clean(title) else given, 1, number)
        notes = [s for s in shapes if s.tag == f"{_SHOW}notes"]
        for shape in shapes:
            if shape not in titles and shape not in notes:
                self.block(shape, 0)
        self.place_notes()
        spoken = [
            frame
            for note in notes
            for frame in note.iter(f"{_DRAW}frame")
            if frame.get(f"{_SHOW}class") == "notes" and _all_text(frame)
        ]
        if spoken:
            self.outline.heading("Notes", 2, number)
            for frame in spoken:
                self.block(frame, 0)
        if not clean(title) and len(self.outline.blocks) == before + 1:
            self.outline.blocks.pop()  # nothing but the number given to it

    def blocks(self, parent: etree._Element, depth: int) -> None:
        """Walk the block-level content of an element."""
        for child in parent:
            if isinstance(child.tag, str) and child.tag not in _DROPPED and depth < _MAX_DEPTH:
                self.block(child, depth)

    def block(self, element: etree._Element, depth: int) -> None:
        """Add one element of block level."""
        if element.tag == f"{_TEXT}h":
            self._paragraph(element, depth, self._level(element))
        elif element.tag == f"{_TEXT}p":
            style = element.get(f"{_TEXT}style-name", "")
            self._paragraph(element, depth, self.styles.level(style))
        elif element.tag == f"{_TEXT}list":
            self._list(element, depth)
        elif element.tag == f"{_TABLE}table":
            self._table(element)
        elif element.tag in _DRAWN and element.tag not in (f"{_DRAW}g", f"{_DRAW}frame"):
            self.blocks(element, depth + 1)
        elif element.tag == f"{_TEXT}section" and element.get(f"{_TEXT}display") == "none":
            self.n_hidden += 1
        else:
            self.blocks(element, depth + 1)

    def place_notes(self) -> None:
        """Add the footnotes met so far, in their order."""
        notes, self._notes = self._notes, []
        for note in notes:
            citation = note.find(f"{_TEXT}note-citation")
            mark = "" if citation is None else _all_text(citation)
            body = note.find(f"{_TEXT}note-body")
            if body is not None:
                text = " ".join(self._text(p) for p in body.iter(f"{_TEXT}p", f"{_TEXT}h"))
                self.outline.paragraph(f"{mark} {text}", self._page)

    def _level(self, heading: etree._Element) -> int:
        level = heading.get(f"{_TEXT}outline-level", "1")
        return min(int(level), 9) if level.isdigit() and level != "0" else 1

    def _paragraph(self, element: etree._Element, depth: int, level: int | None) -> None:
        text = self._text(element)
        style = element.get(f"{_TEXT}style-name", "")
        if self.styles.is_title(style) and clean(text):
            self.title = self.title or clean(text)
        if level is not None and len(text) <= 300:
            self.outline.heading(text, level, self._page)
        elif self.styles.is_caption(style):
            self.outline.caption(text, self._page)
        else:
            self.outline.paragraph(text, self._page)
        for inner in element.iter(f"{_DRAW}text-box", f"{_DRAW}custom-shape", f"{_DRAW}rect"):
            if not any(
                parent.tag in _DRAWN - {f"{_DRAW}frame", f"{_DRAW}g"}
                for parent in _between(inner, element)
            ):
                self.blocks(inner, depth + 1)

    def _list(self, element: etree._Element, depth: int) -> None:
        lines = list(self._items(element, 0, ""))
        tables = list(element.iter(f"{_TABLE}table"))
        headings = list(element.iter(f"{_TEXT}h"))
        if headings and len(headings) == len(lines):  # numbered chapters
            for heading in headings:
                self._paragraph(heading, depth, self._level(heading))
            return
        self.outline.items(lines, self._page)
        for table in tables:
            self._table(table)

    def _items(self, element: etree._Element, level: int, style: str) -> Iterator[str]:
        style = element.get(f"{_TEXT}style-name", "") or style
        number = 0 if element.get(f"{_TEXT}continue-numbering") != "true" else self._count
        for item in element:
            if item.tag not in (f"{_TEXT}list-item", f"{_TEXT}list-header"):
                continue
            mark = "-"
            if self.styles.is_numbered(style, level):
                mark = f"{number + 1}."
            own = [c for c in item if c.tag in (f"{_TEXT}p", f"{_TEXT}h")]
            text = clean(" ".join(self._text(part) for part in own))
            if text:
                number += 1
                yield "  " * level + (
                    f"{mark} {text}" if item.tag != f"{_TEXT}list-header" else text
                )
            for inner in item.iterchildren(f"{_TEXT}list"):
                if level < 20:
                    yield from self._items(inner, level + 1, style)
        if level == 0:
            self._count = number

    def _text(self, element: etree._Element) -> str:
        return "".join(self._pieces(element, 0))

    def _plain(self, element: etree._Element) -> str:
        return " ".join(self._text(p) for p in element.iter(f"{_TEXT}p", f"{_TEXT}h"))

    def _pieces(self, element: etree._Element, depth: int) -> Iterator[str]:
        yield element.text or ""
        for child in element:
            if isinstance(child.tag, str) and depth < _MAX_DEPTH:
                yield from self._piece(child, depth)
            yield child.tail or ""

    def _piece(self, child: etree._Element, depth: int) -> Iterator[str]:
        if child.tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            yield " " * min(int(count) if count.isdigit() else 1, _MAX_SPACES)
        elif child.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            yield " "
        elif child.tag == f"{_TEXT}note":
            self._notes.append(child)
        elif child.tag in _DROPPED or child.tag in _DRAWN:
            return
        elif self.styles.is_hidden(child.get(f"{_TEXT}style-name", "")):
            self.n_hidden += 1
        else:
            yield from self._pieces(child, depth + 1)

    def _table(self, table: etree._Element) -> None:
        rows: list[list[Cell]] = []
        marked = 0
        for row in table.iter(f"{_TABLE}table-row"):
            parent = row.getparent()
            if next((p for p in row.iterancestors(f"{_TABLE}table")), None) is not table:
                continue  # a row of a table inside a cell
            is_header = parent is not None and parent.tag == f"{_TABLE}table-header-rows"
            cells = list(self._cells(row))
            if any(cell.text for cell in cells):
                rows.append(cells)
                marked += is_header
        place_cells(self.outline, rows, marked if marked < len(rows) else 0, self._page)

    def _cells(self, row: etree._Element) -> Iterator[Cell]:
        for cell in row.iterchildren(f"{_TABLE}table-cell"):
            text = clean(self._plain(cell))
            repeated = _count(cell, "number-columns-repeated") if text else 1
            if not text:
                repeated = min(_count(cell, "number-columns-repeated"), _MAX_REPEATED)
            for _ in range(min(repeated, _MAX_REPEATED)):
                across = _count(cell, "number-columns-spanned")
                yield Cell(text, across, _count(cell, "number-rows-spanned"))


def _all_text(element: etree._Element) -> str:
    return clean(" ".join(str(piece) for piece in element.itertext()))


def _count(element: etree._Element, name: str) -> int:
    value = element.get(f"{_TABLE}{name}", "1")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 7 else 1


def _between(inner: etree._Element, outer: etree._Element) -> Iterator[etree._Element]:
    """The elements around one element, up to another one."""
    for parent in inner.iterancestors():
        if parent is outer:
            return
        yield parent
