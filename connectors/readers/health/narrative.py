"""The text of a section of a clinical or drug document (HL7 CDA R2 4.3.5): paragraphs, tables."""

from __future__ import annotations

from lxml import etree

from connectors.readers.outline import Outline
from connectors.readers.tables import join_headers, place_table
from connectors.readers.text import clean

_MAX_SPAN = 100
_BLOCKS = frozenset({"table", "list", "paragraph", "caption"})
_LEFT_OUT = frozenset({"renderMultiMedia", "footnoteRef"})


def place_narrative(outline: Outline, text: etree._Element) -> None:
    """Add the blocks of a `text` element in reading order."""
    running: list[str] = [text.text or ""]
    for child in text:
        name = local(child)
        if name in _BLOCKS:
            _end(outline, running)
            _block(outline, child, name)
        elif name == "br":
            _end(outline, running)
        elif name and name not in _LEFT_OUT:
            if any(local(inner) in _BLOCKS for inner in child.iter()):
                _end(outline, running)
                place_narrative(outline, child)
            else:
                running.append(words(child))
        running.append(child.tail or "")
    _end(outline, running)


def local(element: etree._Element) -> str:
    """The name of an element without its namespace; empty for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def words(element: etree._Element) -> str:
    """All visible text of an element on one line."""
    return clean(" ".join(_pieces(element)))


def _pieces(element: etree._Element) -> list[str]:
    found = [element.text or ""]
    for child in element:
        if local(child) and local(child) not in _LEFT_OUT:
            found += _pieces(child)
        found.append(child.tail or "")
    return found


def _end(outline: Outline, running: list[str]) -> None:
    outline.paragraph(" ".join(running))
    running.clear()


def _block(outline: Outline, element: etree._Element, name: str) -> None:
    if name == "table":
        place_table_of(outline, element)
    elif name == "list":
        _list(outline, element)
    elif name == "caption":
        outline.caption(words(element))
    else:
        place_narrative(outline, element)


def _list(outline: Outline, element: etree._Element) -> None:
    is_ordered = element.get("listType") == "ordered"
    lines: list[str] = []
    for child in element:
        if local(child) == "caption":
            outline.caption(words(child))
        elif local(child) == "item":
            if any(local(inner) == "table" for inner in child.iter()):
                outline.items(lines)
                lines = []
                place_narrative(outline, child)
            elif text := words(child):
                lines.append(f"{len(lines) + 1}. {text}" if is_ordered else f"- {text}")
    outline.items(lines)


def place_table_of(outline: Outline, table: etree._Element) -> None:
    """Add an XHTML table with its caption and its header."""
    header: list[list[str]] = []
    body: list[list[str]] = []
    for part in table:
        name = local(part)
        if name == "caption":
            outline.caption(words(part))
        elif name == "thead":
            header += _rows(list(part))
        elif name in ("tbody", "tfoot"):
            body += _rows(list(part))
        elif name == "tr":
            body += _rows([part])
    if not header:
        place_table(outline, body)
        return
    width = max(len(row) for row in header + body)
    padded = [[*row, *[""] * (width - len(row))] for row in header]
    outline.table([join_headers(padded), *body])


def _rows(elements: list[etree._Element]) -> list[list[str]]:
    """Cells of rows, with the text of a merged cell in each place that it covers."""
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}
    for element in elements:
        if local(element) != "tr":
            continue
        row: list[str] = []

        def hang(row: list[str] = row) -> None:
            while (left := hanging.get(len(row), (0, "")))[0] > 0:
                hanging[len(row)] = (left[0] - 1, left[1])
                row.append(left[1])

        for cell in element:
            if local(cell) not in ("td", "th"):
                continue
            hang()
            text = words(cell)
            for _ in range(_span(cell, "colspan")):
                hanging[len(row)] = (_span(cell, "rowspan") - 1, text)
                row.append(text)
        hang()
        rows.append(row)
    return rows


def _span(cell: etree._Element, name: str) -> int:
    written = cell.get(name, "1").strip()
    return min(_MAX_SPAN, max(1, int(written))) if written.isdecimal() else 1
