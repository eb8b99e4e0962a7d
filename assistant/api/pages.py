"""Pictures of PDF pages with the boxes of a passage marked."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageDraw

from assistant.domain import PageBox
from assistant.errors import AssistantError, NotFound

DPI = 110
MAX_PIXELS = 4_000_000

_MARK = (255, 214, 0, 90)
_EDGE = (214, 150, 0, 200)
_MARGIN_PT = 2.0

# PDFium keeps global state and may be used by one thread of a process at a time.
_pdfium = threading.Lock()


class PageUnreadable(AssistantError):
    """This page can't be drawn: the file is damaged; open the original at its source."""

    slug = "page-unreadable"
    status = 422


def n_pages(content: bytes) -> int:
    """Count the pages of a PDF; raises `PageUnreadable`."""
    with _opened(content) as document:
        return len(document)


def page_image(content: bytes, number: int, boxes: Sequence[PageBox]) -> bytes:
    """Draw a page (from 1) of a PDF as PNG, marking those of the boxes that are on it.

    110 dpi, less for pages that would have more than 4 million pixels. Raises `NotFound` for a
    page that isn't there, `PageUnreadable`.
    """
    with _opened(content) as document:
        if not 1 <= number <= len(document):
            raise NotFound()
        page = document[number - 1]
        try:
            width, height = page.get_size()
            area = max(width * height, 1.0)
            scale = min(DPI / 72, (MAX_PIXELS / area) ** 0.5)
            bitmap = page.render(scale=scale)
            try:
                image = bitmap.to_pil().convert("RGBA")
            finally:
                bitmap.close()
        finally:
            page.close()
    marked = _marked(image, [box for box in boxes if box[0] == number], scale)
    png = io.BytesIO()
    marked.convert("RGB").save(png, "PNG")
    return png.getvalue()


def _marked(image: Image.Image, boxes: Sequence[PageBox], scale: float) -> Image.Image:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for _, x0, y0, x1, y1 in boxes:
        left, right = sorted((x0, x1))
        top, bottom = sorted((y0, y1))
        grown = (left - _MARGIN_PT, top - _MARGIN_PT, right + _MARGIN_PT, bottom + _MARGIN_PT)
        draw.rectangle([edge * scale for edge in grown], fill=_MARK, outline=_EDGE, width=2)
    return Image.alpha_composite(image, layer)


@contextmanager
def _opened(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    with _pdfium:
        try:
            document = pypdfium2.PdfDocument(content)
            try:
                yield document
            finally:
                document.close()
        except pypdfium2.PdfiumError as error:
            raise PageUnreadable() from error
