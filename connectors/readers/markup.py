"""HTML: what a person would see, as blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from connectors.readers.errors import ReadError
from connectors.readers.hidden import background, hidden_selectors, is_hidden
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.spans import Cell, place_cells
from connectors.readers.text import best_title, clean, decode, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_DROPPED_NAMES = """
    script style nav template noscript head iframe object embed svg canvas audio video select button
    datalist map ix:header
"""
_BLOCK_NAMES = """
    address article aside blockquote body center dd details dialog div dl dt fieldset figure footer
    form header hgroup hr html legend li main ol p section summary table ul tr td th tbody thead
    tfoot
"""
_DROPPED = frozenset(_DROPPED_NAMES.split())
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MAX_DEPTH = 200
_MAX_NESTED = 200
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)


def read(source: Source) -> Reading:
    """Read an HTML file; hidden text is dropped with a warning."""
    data = source.path.read_bytes()
    declared = _META_CHARSET.search(data[:4096])
    markup = decode(data, declared.group(1).decode("ascii") if declared else None)
    outline = Outline()
    title, lang, warnings = place_html(outline, markup)
    if not outline.blocks:
        raise ReadError("empty", "The page holds no visible text.")
    return Reading(
        source.media_type,
        best_title(title, outline.first_heading, source.name),
        tuple(outline.blocks),
        lang,
        warnings=tuple(warnings),
    )


def place_html(outline: Outline, markup: str) -> tuple[str | None, str | None, list[str]]:
    """Add the blocks of an HTML text; returns its title, its language and warnings."""
    tree = LexborHTMLParser(markup.replace("\x00", ""))
    root = tree.root
    if root is None:
        return None, None, []
    walk = _Walk(outline, hidden_selectors(node.text() for node in tree.css("style")))
    walk.children(root, 0, "white")
    walk.flush()
    title = tree.css_first("head > title")
    n = walk.n_hidden
    warnings = [f"Hidden text was removed at {n} place{'s'[: n > 1]}."] if n else []
    return title.text() if title else None, language(root.attributes.get("lang")), warnings


class _Walk:
    """Walks the tree, gathers inline text, and adds a block wherever one ends."""

    def __init__(self, outline: Outline, hidden: frozenset[str]) -> None:
        self.outline = outline
        self.n_hidden = 0
        self._hidden = hidden
        self._inline: list[str] = []

    def flush(self) -> None:
        """End the paragraph gathered so far."""
        text = clean("".join(self._inline))
        self._inline = []
        if text:
            self.outline.paragraph(text)

    def children(self, node: LexborNode, depth: int, paper: str) -> None:
        """Walk what is inside an element."""
        if depth > _MAX_DEPTH:
            self._inline.append(self._text(node, paper))
            return
        for child in _children(node):
            self._node(child, depth + 1, paper)

    def _node(self, node: LexborNode, depth: int, paper: str) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self._inline.append(node.text_content or "")
        elif tag.startswith("-") or tag in _DROPPED or self._is_hidden(node, paper):
            return
        elif tag in _HEADINGS:
            self.flush()
            self.outline.heading(self._text(node, paper), _HEADINGS[tag])
        elif not self._whole(tag, node, depth, paper):
            paper = background(node.attributes, paper)
            is_block = tag in _BLOCKS
            if is_block or tag == "br":
                self._boundary(is_block)
            self.children(node, depth, paper)
            if is_block:
                self.flush()

    def _boundary(self, is_block: bool) -> None:
        """A block ends the paragraph, and so do two line breaks in a row."""
        tail = "".join(self._inline[-3:]).rstrip(" \t")
        if is_block or tail.endswith("\n\n"):
            self.flush()
        else:
            self._inline.append("\n\n")

    def _whole(self, tag: str, node: LexborNode, depth: int, paper: str) -> bool:
        """Handle elements that become one block: lists, tables, code, captions."""
        if tag in ("ul", "ol"):
            self.flush()
            lines = list(self._items(node, paper, 0))
            if lines:
                self.outline.items(lines)
            return True
        if tag == "table":
            self.flush()
            self._table(node, depth, paper)
            return True
        if tag in ("pre", "textarea"):
            self.flush()
            self.outline.code(self._raw(node, paper))
            return True
        if tag in ("figcaption", "caption"):
            self.flush()
            self.outline.caption(self._text(node, paper))
            return True
        return False

    def _is_hidden(self, node: LexborNode, paper: str) -> bool:
        hidden = is_hidden(node.attributes, self._hidden, paper)
        if hidden and clean(node.text()):
            self.n_hidden += 1
        return hidden

    def _raw(self, node: LexborNode, paper: str) -> str:
        pieces: list[str] = []
        stack = [(node, paper, True)]
        while stack:
            current, paper, is_root = stack.pop()
            tag = current.tag or ""
            if tag == "-text":
                pieces.append(current.text_content or "")
            elif is_root or not (
                tag.startswith("-") or tag in _DROPPED or self._is_hidden(current, paper)
            ):
                if tag == "br" or tag in _BLOCKS:
                    pieces.append("\n")
                inner = background(current.attributes, paper)
                stack.extend((child, inner, False) for child in reversed(list(_children(current))))
        return "".join(pieces)

    def _text(self, node: LexborNode, paper: str) -> str:
        return clean(self._raw(node, paper))

    def _items(self, node: LexborNode, paper: str, level: int) -> Iterator[str]:
        number = 0
        for child in _children(node):
            if child.tag in ("ul", "ol") and level < 20:
                yield from self._items(child, paper, level + 1)
            if child.tag != "li" or self._is_hidden(child, paper):
                continue
            number += 1
            own: list[str] = []
            nested: list[LexborNode] = []
            for part in _children(child):
                if part.tag in ("ul", "ol") and level < 20:
                    nested.append(part)
                elif part.tag == "-text":
                    own.append(part.text_content or "")
                elif not self._skipped(part, paper):
                    own.append(self._raw(part, paper))
            mark = f"{number}." if node.tag == "ol" else "-"
            text = clean("".join(own))
            if text:
                yield "  " * level + f"{mark} {text}"
            for inner in nested:
                yield from self._items(inner, paper, level + 1)

    def _skipped(self, node: LexborNode, paper: str) -> bool:
        tag = node.tag or ""
        return tag.startswith("-") or tag in _DROPPED or self._is_hidden(node, paper)

    def _table(self, table: LexborNode, depth: int, paper: str) -> None:
        if _is_layout(table):
            self.children(table, depth + 1, paper)  # used for layout, not for data
            self.flush()
            return
        rows: list[list[Cell]] = []
        marked = 0
        for caption in table.css("caption")[:1]:
            self.outline.caption(self._text(caption, paper))
        for row in _own_rows(table):
            if self._is_hidden(row, paper):
                continue
            cells = [self._cell(cell, paper) for cell in _children(row) if cell.tag in ("td", "th")]
            if any(cell.text for cell in cells):
                rows.append(cells)
                marked += bool(row.parent and row.parent.tag == "thead")
        place_cells(self.outline, rows, marked)

    def _cell(self, node: LexborNode, paper: str) -> Cell:
        text = "" if self._is_hidden(node, paper) else self._text(node, paper)
        return Cell(text, _span(node, "colspan"), _span(node, "rowspan"), node.tag == "th")


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _own_rows(table: LexborNode) -> Iterator[LexborNode]:
    """The rows of a table, without those of tables inside its cells."""
    for child in _children(table):
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in _children(child) if row.tag == "tr")


def _is_layout(table: LexborNode) -> bool:
    """A table that arranges the page: with headings, with one cell a row, or around others.

    Around others it is data only if it is a grid of short cells all the same.
    """
    if table.css_first("h1, h2, h3"):
        return True
    rows = [[c for c in _children(row) if c.tag in ("td", "th")] for row in _own_rows(table)]
    if max(map(len, rows), default=0) <= 1:
        return True
    if not table.css_first("table table"):
        return False
    is_grid = len(rows) > 1 and len({len(row) for row in rows}) == 1
    return not is_grid or any(len(clean(c.text())) > _MAX_NESTED for row in rows for c in row)


def _span(node: LexborNode, name: str) -> int:
    value = (node.attributes.get(name) or "").strip()
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 7 else 1
