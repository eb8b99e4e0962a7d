"""Rules and filled boxes drawn on a PDF page, which often border the cells of tables."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NamedTuple

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from connectors.readers.addresses import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_OBJECTS = 1_500
"""Pages of more objects (text set letter by letter) would cost more than their marks give."""

_MIN_LENGTH = 4.0


class Mark(NamedTuple):
    """The box of a drawn path in points from the top left of the upright page."""

    x0: float
    y0: float
    x1: float
    y1: float


_get_object = plain(pdfium.FPDFPage_GetObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_get_type = plain(pdfium.FPDFPageObj_GetType, ctypes.c_int, ctypes.c_void_p)


def page_paths(page: pdfium.FPDF_PAGE) -> Iterator[tuple[float, float, float, float]]:
    """Left, bottom, right and top of the paths on a page that may border a cell.

    None of an overfull page.
    """
    address = ctypes.cast(page, ctypes.c_void_p)
    n_objects = pdfium.FPDFPage_CountObjects(page)
    edges = [ctypes.c_float() for _ in range(4)]
    for i in range(n_objects if n_objects <= _MAX_OBJECTS else 0):
        part = _get_object(address, i)
        if not part or _get_type(part) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        pointer = ctypes.cast(part, pdfium.FPDF_PAGEOBJECT)
        if pdfium.FPDFPageObj_GetBounds(pointer, *edges):
            left, bottom, right, top = (edge.value for edge in edges)
            if max(right - left, top - bottom) >= _MIN_LENGTH:
                yield left, bottom, right, top
