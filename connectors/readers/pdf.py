"""PDF: words, lines, tables, headings and paragraphs with their boxes, from PDFium."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from connectors.readers.errors import ReadError
from connectors.readers.glyphs import PageWords, page_words
from connectors.readers.media import PDF
from connectors.readers.model import Reading
from connectors.readers.ocr import Recognition, numbers
from connectors.readers.outline import Outline
from connectors.readers.pages import place_pages
from connectors.readers.scans import FEW_WORDS, recognised
from connectors.readers.text import best_title, language, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.readers.source import Source


def read(source: Source) -> Reading:
    """Read a PDF; pages that are pictures go through OCR, with a warning.

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
    scans = _recognise(document, pages, source)
    outline, warnings = Outline(), _warnings(pages) + scans
    place_pages(outline, pages)
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


def _recognise(
    document: pdfium.FPDF_DOCUMENT, pages: list[PageWords | None], source: Source
) -> list[str]:
    """Put what OCR finds in the place of pages that are pictures; returns warnings."""
    few = [number for number, page in enumerate(pages, 1) if page and len(page.words) <= FEW_WORDS]
    if not few:
        return []
    recognition = Recognition(source)
    for number in few:
        had = pages[number - 1]
        if had is not None:
            pages[number - 1] = recognised(document, number, had, recognition)
    return recognition.warnings()


def _warnings(pages: Sequence[PageWords | None]) -> list[str]:
    warnings = []
    broken = [i for i, page in enumerate(pages, 1) if page is None]
    tiny = sum(page.n_tiny for page in pages if page)
    if broken:
        warnings.append(f"Damaged pages were left out: {numbers(broken)}.")
    if tiny:
        warnings.append(f"{tiny} words too small to be seen were removed.")
    return warnings
