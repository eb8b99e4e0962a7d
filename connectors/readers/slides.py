"""PPTX (ECMA-376 PresentationML): each slide with its title, text, tables, charts and notes."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.readers.archive import open_checked
from connectors.readers.charts import diagram_texts, place_chart
from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.parts import core_properties, parse_part, related
from connectors.readers.shapes import Shape, in_reading_order, shapes_of
from connectors.readers.slidetext import Paragraph, list_lines, paragraphs_of
from connectors.readers.spans import Cell, place_cells
from connectors.readers.text import best_title, clean, language

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml import etree

    from connectors.readers.source import Source

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr"})
_BODIES = frozenset({"body", "obj", "subTitle"})


@dataclass
class _Deck:
    """An open presentation, and what was left out of it."""

    archive: zipfile.ZipFile
    size: tuple[float, float] = (0.0, 0.0)
    hidden: list[int] = field(default_factory=list)
    n_unseen: int = 0


def read(source: Source) -> Reading:
    """Read a PPTX file; a page is a slide, hidden slides are left out with a warning."""
    archive, warnings = open_checked(source.path, source.limits)
    outline = Outline()
    with archive:
        deck = _Deck(archive)
        parts = list(_slides(deck))
        if len(parts) > source.limits.pages:
            raise ReadError(
                "too_many_pages",
                f"The presentation has {len(parts)} slides, more than {source.limits.pages}; "
                "split it.",
            )
        for number, part in enumerate(parts, 1):
            _slide(outline, deck, part, number)
        title, lang = core_properties(archive)
    if deck.hidden:
        shown = ", ".join(map(str, deck.hidden[:20]))
        warnings.append(f"Hidden slides were left out: {shown}.")
    if deck.n_unseen:
        warnings.append(f"Hidden text was removed at {deck.n_unseen} places.")
    if not outline.blocks:
        raise ReadError("empty", "The presentation holds no visible text.")
    return Reading(
        source.media_type,
        best_title(title, outline.first_heading, source.name),
        tuple(outline.blocks),
        language(lang),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _slides(deck: _Deck) -> Iterator[str]:
    """The slides' parts in the order they are shown."""
    name = "ppt/presentation.xml"
    root = parse_part(deck.archive, name)
    if root is None:
        raise ReadError("corrupt", "The presentation is damaged: its list of slides is missing.")
    size = root.find(f"{_P}sldSz")
    if size is not None:
        deck.size = (_number(size.get("cx")), _number(size.get("cy")))
    parts = related(deck.archive, name)
    for slide in root.iter(f"{_P}sldId"):
        part = parts.get(slide.get(f"{_R}id", ""))
        if part is not None:
            yield part[1]


def _number(value: str | None) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return 0.0


def _slide(outline: Outline, deck: _Deck, part: str, number: int) -> None:
    root = parse_part(deck.archive, part)
    tree = None if root is None else root.find(f"{_P}cSld/{_P}spTree")
    if root is None or tree is None:
        return
    if root.get("show") in ("0", "false"):
        deck.hidden.append(number)
        return
    relations = related(deck.archive, part)
    found = shapes_of(tree, _places(deck, relations))
    seen = [shape for shape in found if not shape.hidden and not _is_outside(shape, deck.size)]
    deck.n_unseen += sum(bool(paragraphs_of(shape.element)) for shape in found if shape not in seen)
    titles = [shape for shape in seen if shape.kind in _TITLES]
    title = " ".join(p.text for shape in titles for p in paragraphs_of(shape.element))
    before = len(outline.blocks)
    outline.heading(title if clean(title) else f"Slide {number}", 1, number)
    rest = [shape for shape in seen if shape.kind not in _TITLES | _FURNITURE]
    for shape in in_reading_order(rest):
        _place(outline, deck, shape, relations, number)
    _notes(outline, deck, relations, number)
    if not clean(title) and len(outline.blocks) == before + 1:
        outline.blocks.pop()  # nothing but the number given to it


def _places(deck: _Deck, relations: dict[str, tuple[str, str]]) -> dict[str, etree._Element]:
    """The transforms of the layout's placeholders, by index and by kind, for slides without."""
    places: dict[str, etree._Element] = {}
    for kind, part in relations.values():
        root = parse_part(deck.archive, part) if kind == "slideLayout" else None
        for shape in root.iter(f"{_P}sp") if root is not None else ():
            holder = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
            transform = shape.find(f"{_P}spPr/{_A}xfrm")
            if holder is not None and transform is not None:
                places.setdefault(f"#{holder.get('idx', '0')}", transform)
                places.setdefault(holder.get("type", "obj"), transform)
    return places


def _is_outside(shape: Shape, size: tuple[float, float]) -> bool:
    """Whether nothing of a shape lies on the slide."""
    if shape.box is None or not all(size):
        return False
    x0, y0, x1, y1 = shape.box
    return x1 <= 0 or y1 <= 0 or x0 >= size[0] or y0 >= size[1]


def _place(
    outline: Outline,
    deck: _Deck,
    shape: Shape,
    relations: dict[str, tuple[str, str]],
    number: int,
) -> None:
    table = shape.element.find(f".//{_A}tbl")
    if table is not None:
        rows, marked = _table(table)
        place_cells(outline, rows, marked, number)
        return
    for tag, key in ((_CHART, f"{_R}id"), (_DIAGRAM, f"{_R}dm")):
        for reference in shape.element.iter(tag):
            _, part = relations.get(reference.get(key, ""), ("", ""))
            root = parse_part(deck.archive, part) if part else None
            if root is not None and tag == _CHART:
                place_chart(outline, root, number)
            elif root is not None:
                outline.items([f"- {text}" for text in diagram_texts(root)], number)
    _text(outline, paragraphs_of(shape.element), number, is_body=shape.kind in _BODIES)


def _text(outline: Outline, paragraphs: Sequence[Paragraph], number: int, *, is_body: bool) -> None:
    """Add paragraphs; those with bullets, in a body all but lone ones, gather into lists."""
    is_list = is_body and len(paragraphs) > 1
    items: list[Paragraph] = []
    for paragraph in [*paragraphs, None]:
        if paragraph is not None and paragraph.is_item(is_list):
            items.append(paragraph)
            continue
        if items:
            outline.items(list_lines(items), number)
            items = []
        if paragraph is not None:
            outline.paragraph(paragraph.text, number)


def _table(table: etree._Element) -> tuple[list[list[Cell]], int]:
    """The rows of a table without the cells that others cover, and how many are its header."""
    rows = []
    for row in table.iter(f"{_A}tr"):
        rows.append(
            [
                Cell(
                    clean(" ".join(p.text for p in paragraphs_of(cell))),
                    _span(cell.get("gridSpan")),
                    _span(cell.get("rowSpan")),
                )
                for cell in row.iter(f"{_A}tc")
                if cell.get("hMerge") not in ("1", "true")
                and cell.get("vMerge") not in ("1", "true")
            ]
        )
    about = table.find(f"{_A}tblPr")
    is_marked = about is not None and about.get("firstRow") in ("1", "true")
    return rows, int(is_marked and len(rows) > 1)


def _span(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 4 else 1


def _notes(
    outline: Outline, deck: _Deck, relations: dict[str, tuple[str, str]], number: int
) -> None:
    for kind, part in relations.values():
        root = parse_part(deck.archive, part) if kind == "notesSlide" else None
        tree = None if root is None else root.find(f"{_P}cSld/{_P}spTree")
        if tree is None:
            continue
        bodies = [shape for shape in shapes_of(tree, {}) if shape.kind == "body"]
        texts = [p for shape in bodies for p in paragraphs_of(shape.element)]
        if texts:
            outline.heading("Notes", 2, number)
            _text(outline, texts, number, is_body=False)
