"""PDF pages that are pictures of pages: found, drawn and handed to OCR."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
from PIL import Image

from connectors.readers.ocr import DPI, MAX_PIXELS

if TYPE_CHECKING:
    from connectors.readers.glyphs import PageWords
    from connectors.readers.ocr import Recognition

FEW_WORDS = 15
"""A page with at most so many words may be a scan with a stamp."""

_COVERED = 0.6
_OUTLINES = 30
_DRAWN = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM, pdfium.FPDF_PAGEOBJ_SHADING)
_MAX_OBJECTS = 1_500


def recognised(
    document: pdfium.FPDF_DOCUMENT, number: int, had: PageWords, recognition: Recognition
) -> PageWords:
    """What OCR finds on a page (from 1) that looks like a scan, if it is more than it had."""
    page = pdfium.FPDF_LoadPage(document, number - 1)
    if not page:
        return had
    try:
        if not _is_scan(page, has_words=bool(had.words)):
            if not had.words:
                recognition.pass_over(number)
            return had
        image, dpi = _drawn(page)
    finally:
        pdfium.FPDF_ClosePage(page)
    found = recognition.page(number, image, dpi)
    return found if found and len(found.words) > len(had.words) else had


def _is_scan(page: pdfium.FPDF_PAGE, *, has_words: bool) -> bool:
    """Whether a page without words has pictures or outlines of letters, or they cover a stamp."""
    width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    n_objects = pdfium.FPDFPage_CountObjects(page)
    if not has_words and n_objects >= _OUTLINES:
        return True
    covered = 0.0
    edges = [ctypes.c_float() for _ in range(4)]
    for i in range(min(n_objects, _MAX_OBJECTS)):
        part = pdfium.FPDFPage_GetObject(page, i)
        kind = pdfium.FPDFPageObj_GetType(part)
        if not has_words and kind in _DRAWN:
            return True
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE and pdfium.FPDFPageObj_GetBounds(part, *edges):
            left, bottom, right, top = (edge.value for edge in edges)
            covered += max(0.0, right - left) * max(0.0, top - bottom)
    return bool(covered > _COVERED * width * height)


def _drawn(page: pdfium.FPDF_PAGE) -> tuple[Image.Image, float]:
    """A page as grey pixels on white, and its dots per inch."""
    width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    scale = min(DPI / 72, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    bitmap = pdfium.FPDFBitmap_CreateEx(*size, pdfium.FPDFBitmap_Gray, None, 0)
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, *size, 0xFFFFFFFF)
        flags = pdfium.FPDF_ANNOT | pdfium.FPDF_GRAYSCALE
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
        stride = pdfium.FPDFBitmap_GetStride(bitmap)
        data = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * size[1])
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return Image.frombuffer("L", size, data, "raw", "L", stride, 1), 72 * scale
