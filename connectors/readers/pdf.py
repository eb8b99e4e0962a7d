"""PDF: words, lines, tables, headings and paragraphs with their boxes, from PDFium."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from connectors.readers.errors import ReadError
from connectors.readers.framed import Flow, page_flow
from connectors.readers.glyphs import PageWords, page_words
from connectors.readers.layout import Piece, pieces
from connectors.readers.media import PDF
from connectors.readers.model import Box, Reading
from connectors.readers.outline import Outline
from connectors.readers.running import running_lines
from connectors.readers.runs import LABELLED
from connectors.readers.text import best_title, clean, language, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.readers.lines import Line
    from connectors.readers.source import Source

_NUMBERED = re.compile(r"^(?:\d+|[A-Z])(\.\d+)*\.?\s+[^\W\d]")
_MAX_LEVEL = 6


def read(source: Source) -> Reading:
    """Read a PDF; pages without a text layer give a warning.

    Raises `ReadError`: `encrypted`, `corrupt`, `too_many_pages`.
    """
    config = pdfium.FPDF_LIBRARY_CONFIG(version=2)
    pdfium.FPDF_InitLibraryWithConfig(config)
    document = pdfium.FPDF_LoadDocument(str(source.path).encode() + b"\x00", None)
    if not document:
        raise _open_error(pdfium.FPDF_GetLastError())
    try:
        return _read(document, source)
    finally:
        pdfium.FPDF_CloseDocument(document)


def _read(document: pdfium.FPDF_DOCUMENT, source: Source) -> Reading:
    n_pages = pdfium.FPDF_GetPageCount(document)
    if n_pages > source.limits.pages:
        raise ReadError(
            "too_many_pages",
            f"The PDF has {n_pages} pages, more than {source.limits.pages}; split it.",
        )
    if n_pages < 1:
        raise ReadError("corrupt", "The PDF has no pages; it is damaged.")
    pages = [_page(document, i) for i in range(n_pages)]
    outline, warnings = Outline(), _warnings(pages)
    _place(outline, pages)
    declared = visible(_meta(document, b"Title"))
    return Reading(
        PDF,
        best_title(declared, outline.first_heading, source.name),
        tuple(outline.blocks),
        language(_catalog_language(document)),
        warnings=tuple(warnings),
    )


def _open_error(code: int) -> ReadError:
    if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return ReadError("encrypted", "The PDF is protected by a password; save it without one.")
    return ReadError("corrupt", "The PDF is damaged and can't be opened.")


def _page(document: pdfium.FPDF_DOCUMENT, index: int) -> PageWords | None:
    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        return None
    try:
        return page_words(page)
    finally:
        pdfium.FPDF_ClosePage(page)


def _meta(document: pdfium.FPDF_DOCUMENT, tag: bytes) -> str:
    size = pdfium.FPDF_GetMetaText(document, tag, None, 0)
    if size <= 2 or size > 10_000:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDF_GetMetaText(document, tag, buffer, size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _catalog_language(document: pdfium.FPDF_DOCUMENT) -> str:
    size = pdfium.FPDFCatalog_GetLanguage(document, None, 0)
    if size <= 2 or size > 100:
        return ""
    buffer = (ctypes.c_ushort * size)()
    pdfium.FPDFCatalog_GetLanguage(document, buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")


def _numbers(indices: Sequence[int]) -> str:
    shown = ", ".join(str(i) for i in indices[:20])
    return shown + (" …" if len(indices) > 20 else "")


def _warnings(pages: Sequence[PageWords | None]) -> list[str]:
    warnings = []
    broken = [i for i, page in enumerate(pages, 1) if page is None]
    bare = [i for i, page in enumerate(pages, 1) if page and not page.words]
    tiny = sum(page.n_tiny for page in pages if page)
    if broken:
        warnings.append(f"Damaged pages were left out: {_numbers(broken)}.")
    if bare:
        warnings.append(f"No text layer (a scan or empty) on pages: {_numbers(bare)}.")
    if tiny:
        warnings.append(f"{tiny} words too small to be seen were removed.")
    return warnings


def _place(outline: Outline, pages: Sequence[PageWords | None]) -> None:
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
