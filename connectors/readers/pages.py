"""Words on pages to blocks: headings, lists, tables and paragraphs with their boxes."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from connectors.readers.framed import Flow, page_flow
from connectors.readers.layout import Piece, pieces
from connectors.readers.running import running_lines
from connectors.readers.runs import LABELLED
from connectors.readers.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.readers.glyphs import PageWords
    from connectors.readers.lines import Line
    from connectors.readers.model import Box
    from connectors.readers.outline import Outline

_NUMBERED = re.compile(r"^(?:\d+|[A-Z])(\.\d+)*\.?\s+[^\W\d]")
_MAX_LEVEL = 6


def place_pages(outline: Outline, pages: Sequence[PageWords | None]) -> None:
    """Add what stands on the pages of a file, without running headers and page numbers."""
    words = {word.text.strip(".,;:()").lower() for page in pages if page for word in page.words}
    flows = [page_flow(page) if page else Flow([], {}) for page in pages]
    heights = [page.height if page else 0.0 for page in pages]
    running = running_lines([flow.lines for flow in flows], heights)
    kept = [[line for line in flow.lines if id(line) not in running] for flow in flows]
    body = _body_size(kept)
    placed = [
        (number, page, piece)
        for number, (page, flow, rows) in enumerate(zip(pages, flows, kept, strict=True), 1)
        if page
        for piece in pieces(rows, flow.tables, words)
    ]
    levels = _levels([piece for _, _, piece in placed], body)
    waiting: list[tuple[int, PageWords, Piece]] = []
    for number, page, piece in placed:
        if waiting and not _is_item(piece):
            _place_items(outline, waiting)
        if _is_item(piece):
            if waiting and waiting[0][0] != number:
                _place_items(outline, waiting)
            waiting.append((number, page, piece))
            continue
        _place_piece(outline, number, page, piece, _level(piece, body, levels))
    _place_items(outline, waiting)


def _place_piece(
    outline: Outline, number: int, page: PageWords, piece: Piece, level: int | None
) -> None:
    boxes = [_box(page, piece.lines)]
    if piece.cells is not None:
        outline.table(piece.cells, number, [_box(page, row) for row in piece.rows])
    elif level is not None:
        outline.heading(piece.text, level, number, boxes)
    elif LABELLED.match(piece.text) and len(piece.text) < 300:
        outline.caption(piece.text, number, boxes)
    else:
        outline.paragraph(piece.text, number, boxes)


def _is_item(piece: Piece) -> bool:
    if piece.cells is not None or not piece.lines[0].item:
        return False
    return not (_NUMBERED.match(piece.text) and piece.bold)


def _place_items(outline: Outline, waiting: list[tuple[int, PageWords, Piece]]) -> None:
    if waiting:
        number = waiting[0][0]
        boxes = [_box(page, piece.lines) for _, page, piece in waiting]
        outline.items([clean(piece.text) for _, _, piece in waiting], number, boxes)
        waiting.clear()


def _box(page: PageWords, lines: Sequence[Line]) -> Box:
    """One box for lines that stand below or beside each other."""
    boxes = [line.box for line in lines]
    x0, y0 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x1, y1 = max(b[2] for b in boxes), max(b[3] for b in boxes)
    return page.displayed(x0, y0, x1, y1)


def _body_size(lines: Sequence[Sequence[Line]]) -> float:
    """The text height that most letters have."""
    sizes: Counter[float] = Counter()
    for page in lines:
        for line in page:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _levels(found: Sequence[Piece], body: float) -> dict[float, int]:
    """Sizes of headings, biggest first, as levels 1, 2, 3 …"""
    sizes = sorted(
        {round(p.size) for p in found if _is_bigger(p, body)},
        reverse=True,
    )
    return {size: min(i, _MAX_LEVEL - 2) for i, size in enumerate(sizes, 1)}


def _is_bigger(piece: Piece, body: float) -> bool:
    return (
        piece.cells is None
        and piece.size > 1.15 * body
        and len(piece.lines) <= 4
        and 2 <= len(piece.text) <= 200
        and any(ch.isalpha() for ch in piece.text)
    )


def _level(piece: Piece, body: float, levels: dict[float, int]) -> int | None:
    if piece.cells is not None:
        return None
    if _is_bigger(piece, body):
        return levels.get(round(piece.size), 1)
    if LABELLED.match(piece.text) and not piece.text.lower().startswith("exhibit"):
        return None
    text = piece.text
    is_short = len(piece.lines) <= 2 and 3 <= len(text) <= 120 and text[-1:] not in ".,;"
    if not (piece.bold and is_short and piece.size > 0.85 * body):
        return None
    if sum(ch.isalpha() for ch in text) < 0.5 * len(text):
        return None
    depth = text.split(" ")[0].strip(".").count(".") if _NUMBERED.match(text) else 0
    return min(len(set(levels.values())) + 1 + depth, _MAX_LEVEL)
