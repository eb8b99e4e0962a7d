"""Words of a PDF page with their boxes, from PDFium's characters."""

from __future__ import annotations

import ctypes
import re
from typing import TYPE_CHECKING, NamedTuple

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from connectors.readers.addresses import plain
from connectors.readers.marks import Mark, page_paths

if TYPE_CHECKING:
    from connectors.readers.model import Box

# PDFium marks a hyphen at a line's end with U+0002, in some versions with U+FFFE.
END_HYPHEN = "\x02"
_WORDS = re.compile("[^\\s\x00\x02\ufffe]+[\x02\ufffe]?")
_TINY = 1.5
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(r"bold|black|heavy|demi|CMBX|-Medi$|-Bd$", re.IGNORECASE)

_ADDRESS = ctypes.c_void_p
_loose_box = plain(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, _ADDRESS, ctypes.c_int, _ADDRESS)
_text_object = plain(pdfium.FPDFText_GetTextObject, _ADDRESS, _ADDRESS, ctypes.c_int)
_font_of = plain(pdfium.FPDFTextObj_GetFont, _ADDRESS, _ADDRESS)


class Word(NamedTuple):
    """A word and its box in points from the top left of the upright page."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    bold: bool


class PageWords(NamedTuple):
    """What stands on one page: words in the file's order, turned so that most text is upright.

    `width` and `height` in points are those of the upright page; turning it clockwise by `turn`
    (0, 90, 180, 270) gives the page as displayed. `n_tiny` words were too small for any eye and
    left out. `marks` are the rules and boxes drawn on the page.
    """

    width: float
    height: float
    words: list[Word]
    turn: int
    n_tiny: int
    marks: list[Mark]

    def displayed(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """A box of the upright page as it lies on the displayed page."""
        width, height = self.width, self.height
        if self.turn == 90:
            box = (height - y1, x0, height - y0, x1)
        elif self.turn == 180:
            box = (width - x1, height - y1, width - x0, height - y0)
        elif self.turn == 270:
            box = (y0, width - x1, y1, width - x0)
        else:
            box = (x0, y0, x1, y1)
        return (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))


def page_words(page: pdfium.FPDF_PAGE) -> PageWords:
    """The words of a loaded page; an unreadable text layer counts as none."""
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return PageWords(*_size(page), [], 0, 0, [])
    try:
        return _collect(page, text_page)
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def _address(pointer: ctypes.c_void_p) -> int:
    return ctypes.cast(pointer, _ADDRESS).value or 0


def _size(page: pdfium.FPDF_PAGE) -> tuple[float, float]:
    return pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)


def _text(text_page: pdfium.FPDF_TEXTPAGE, n_chars: int) -> str:
    """All characters, so that positions in the text are PDFium's character indices."""
    buffer = (ctypes.c_ushort * (2 * n_chars + 2))()
    n_units = pdfium.FPDFText_GetText(text_page, 0, n_chars, buffer)
    text = bytes(buffer)[: 2 * max(0, n_units - 1)].decode("utf-16-le", "surrogatepass")
    if len(text) == n_chars:
        return text
    get = pdfium.FPDFText_GetUnicode
    codes = (get(text_page, i) for i in range(n_chars))
    return "".join(chr(code) if code < 0x110000 else " " for code in codes)


def _collect(page: pdfium.FPDF_PAGE, text_page: pdfium.FPDF_TEXTPAGE) -> PageWords:
    width, height = _size(page)
    n_chars = pdfium.FPDFText_CountChars(text_page)
    if n_chars <= 0:
        return PageWords(width, height, [], 0, 0, [])
    text = _text(text_page, n_chars)
    rotation = pdfium.FPDFPage_GetRotation(page) % 4
    bounds = _bounds(page, width, height, rotation)
    turn = _text_turn(text_page, n_chars)
    rect = pdfium.FS_RECTF()
    address, place = _address(text_page), ctypes.addressof(rect)
    fonts = _Fonts(address)
    words: list[Word] = []
    n_tiny = 0
    for match in _WORDS.finditer(text):
        first, end = match.span()
        if not _loose_box(address, first, place):
            continue
        left, right, bottom, top = rect.left, rect.right, rect.bottom, rect.top
        last = end - 1
        if match.group()[-1] in "\x02\ufffe" and end - first > 1:
            last -= 1
        if last > first and _loose_box(address, last, place):
            left, right = min(left, rect.left), max(right, rect.right)
            bottom, top = min(bottom, rect.bottom), max(top, rect.top)
        x0, y0, x1, y1 = _upright(left, bottom, right, top, turn, bounds)
        if y1 - y0 < _TINY:
            n_tiny += 1
            continue
        shown = match.group().replace("\ufffe", END_HYPHEN)
        words.append(Word(shown, x0, y0, x1, y1, fonts.is_bold(first)))
    width, height = bounds[2] - bounds[0], bounds[3] - bounds[1]
    if turn % 180:
        width, height = height, width
    marks = [Mark(*_upright(*edges, turn, bounds)) for edges in page_paths(page)]
    return PageWords(width, height, words, (rotation * 90 - turn) % 360, n_tiny, marks)


class _Fonts:
    """Which fonts of a page are bold, by weight or by name; each font is asked once."""

    def __init__(self, text_page: int) -> None:
        self._text_page = text_page
        self._known: dict[int | None, bool] = {}
        self._last: tuple[int | None, bool] = (None, False)

    def is_bold(self, index: int) -> bool:
        """Whether the character at an index is set in a bold font."""
        part = _text_object(self._text_page, index)
        if part != self._last[0]:  # words of one text object follow each other
            font: int | None = _font_of(part) if part else None
            if font not in self._known:
                self._known[font] = font is not None and _is_bold(font)
            self._last = (part, self._known[font])
        return self._last[1]


def _is_bold(address: int) -> bool:
    font = ctypes.cast(address, pdfium.FPDF_FONT)
    name = ctypes.create_string_buffer(200)
    pdfium.FPDFFont_GetBaseFontName(font, name, 200)
    if _BOLD_NAME.search(name.value.decode("latin-1")):
        return True
    return bool(pdfium.FPDFFont_GetWeight(font) >= _BOLD_WEIGHT)


def _text_turn(text_page: pdfium.FPDF_TEXTPAGE, n_chars: int) -> int:
    """How far to turn the page clockwise until most of its characters (a sample) are upright."""
    counts = {0: 0, 90: 0, 180: 0, 270: 0}
    for i in range(0, n_chars, max(1, n_chars // 50)):
        angle = pdfium.FPDFText_GetCharAngle(text_page, i)  # clockwise, in radians
        if angle >= 0:
            counts[-round(angle / 1.5707963) % 4 * 90] += 1
    best = max(counts, key=lambda key: counts[key])
    return best if counts[best] > 1.5 * counts[0] else 0


def _bounds(
    page: pdfium.FPDF_PAGE, width: float, height: float, rotation: int
) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of the visible page in its own unrotated space."""
    rect = pdfium.FS_RECTF()
    if pdfium.FPDF_GetPageBoundingBox(page, rect):
        return rect.left, rect.bottom, rect.right, rect.top
    if rotation % 2:
        width, height = height, width
    return 0.0, 0.0, width, height


def _upright(
    left: float,
    bottom: float,
    right: float,
    top: float,
    turn: int,
    bounds: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    """A box in page space as a top-left box after turning the page clockwise by `turn`."""
    west, south, east, north = bounds
    if turn == 90:
        return bottom - south, left - west, top - south, right - west
    if turn == 180:
        return east - right, bottom - south, east - left, top - south
    if turn == 270:
        return north - top, east - right, north - bottom, east - left
    return left - west, north - top, right - west, north - bottom
