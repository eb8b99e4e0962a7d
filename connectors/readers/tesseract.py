"""Tesseract's library in this process: pixels in, lines of words with their boxes out.

The library is called, not the program: a reader may not start processes, and its limits of
memory, time and files hold for the recognition too. It never sees a file, only grey pixels.
"""

from __future__ import annotations

import atexit
import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

_LIBRARIES = (
    "libtesseract.so.5",
    "libtesseract.so.4",
    "libtesseract.5.dylib",
    "/opt/homebrew/lib/libtesseract.5.dylib",
    "/usr/local/lib/libtesseract.5.dylib",
)
LANGUAGES = ("por", "eng")
_WITH_ORIENTATION = "osd"
_AUTOMATIC = 3  # PSM_AUTO: find columns and blocks, trust the page's orientation
_MAX_SLOPE = 0.2
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Picture:
    """Grey pixels, one byte each, in rows from the top."""

    data: bytes
    width: int
    height: int
    dpi: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """A word with its box in pixels; top and bottom are those of its line's letters."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        pointer = ctypes.c_void_p
        for function, result, arguments in (
            ("TessBaseAPICreate", pointer, []),
            ("TessBaseAPIDelete", None, [pointer]),
            ("TessBaseAPIInit3", ctypes.c_int, [pointer, ctypes.c_char_p, ctypes.c_char_p]),
            ("TessBaseAPISetPageSegMode", None, [pointer, ctypes.c_int]),
            (
                "TessBaseAPISetImage",
                None,
                [pointer, ctypes.c_char_p, *[ctypes.c_int] * 4],
            ),
            ("TessBaseAPISetSourceResolution", None, [pointer, ctypes.c_int]),
            ("TessBaseAPIRecognize", ctypes.c_int, [pointer, pointer]),
            ("TessBaseAPIGetHOCRText", pointer, [pointer, ctypes.c_int]),
            ("TessBaseAPIMeanTextConf", ctypes.c_int, [pointer]),
            ("TessDeleteText", None, [pointer]),
            ("TessMonitorCreate", pointer, []),
            ("TessMonitorDelete", None, [pointer]),
            ("TessMonitorSetDeadlineMSecs", None, [pointer, ctypes.c_int]),
            (
                "TessBaseAPIDetectOrientationScript",
                ctypes.c_int,
                [pointer, *[pointer] * 4],
            ),
        ):
            bound = getattr(library, function)
            bound.restype, bound.argtypes = result, arguments
        return library
    return None


class Engine:
    """A loaded recogniser for one set of languages; use it in one thread."""

    def __init__(self, library: ctypes.CDLL, handle: int, languages: str) -> None:
        self._library = library
        self._handle = handle
        self.languages = languages

    def words(self, picture: Picture, limit_s: float) -> tuple[list[list[Recognised]], int]:
        """Lines of words in reading order, and the mean confidence (0 to 100).

        The confidence is 0 if most of the text runs up or down. Without lines if it took longer
        than `limit_s` seconds.
        """
        self._show(picture)
        monitor = self._library.TessMonitorCreate()
        try:
            self._library.TessMonitorSetDeadlineMSecs(monitor, max(1, int(limit_s * 1000)))
            if self._library.TessBaseAPIRecognize(self._handle, monitor) != 0:
                return [], 0
        finally:
            self._library.TessMonitorDelete(monitor)
        text = self._library.TessBaseAPIGetHOCRText(self._handle, 0)
        if not text:
            return [], 0
        try:
            markup = ctypes.string_at(text)
        finally:
            self._library.TessDeleteText(text)
        lines = _lines(markup)
        sure: int = self._library.TessBaseAPIMeanTextConf(self._handle)
        return lines, 0 if _is_upended(lines) else sure

    def turn(self, picture: Picture) -> int:
        """How far to turn a picture clockwise until its text is upright: 0, 90, 180 or 270."""
        self._show(picture)
        degrees, sure = ctypes.c_int(), ctypes.c_float()
        script, script_sure = ctypes.c_char_p(), ctypes.c_float()
        out = [ctypes.byref(value) for value in (degrees, sure, script, script_sure)]
        found = self._library.TessBaseAPIDetectOrientationScript(self._handle, *out)
        return (360 - degrees.value) % 360 if found and sure.value > 0 else 0

    def _show(self, picture: Picture) -> None:
        self._library.TessBaseAPISetPageSegMode(self._handle, _AUTOMATIC)
        self._library.TessBaseAPISetImage(
            self._handle, picture.data, picture.width, picture.height, 1, picture.width
        )
        self._library.TessBaseAPISetSourceResolution(self._handle, picture.dpi)


def load(languages: str) -> Engine | None:
    """A recogniser for languages such as `por+eng`; None where they are not installed."""
    library = _library()
    if library is None:
        return None
    handle = library.TessBaseAPICreate()
    if library.TessBaseAPIInit3(handle, None, languages.encode()) != 0:
        library.TessBaseAPIDelete(handle)
        return None
    atexit.register(library.TessBaseAPIDelete, handle)
    return Engine(library, handle, languages)


@lru_cache(maxsize=1)
def best() -> Engine | None:
    """The recogniser for both of our languages, or for the one that is installed."""
    for languages in ("+".join(LANGUAGES), *LANGUAGES):
        engine = load(languages)
        if engine is not None:
            return engine
    return None


@lru_cache(maxsize=1)
def compass() -> Engine | None:
    """The recogniser that tells which way up a page is."""
    return load(_WITH_ORIENTATION)


def _is_upended(lines: Sequence[Sequence[Recognised]]) -> bool:
    """Whether most of the longer words are higher than wide."""
    longer = [word for line in lines for word in line if len(word.text) > 3]
    return sum(w.y1 - w.y0 > w.x1 - w.x0 for w in longer) * 2 > len(longer)


def _lines(hocr: bytes) -> list[list[Recognised]]:
    """The lines of an hOCR page."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    root = etree.fromstring(b"<page>" + hocr + b"</page>", parser)
    lines = []
    for line in root.iter("{*}span"):
        if line.get("class") not in ("ocr_line", "ocr_caption", "ocr_header", "ocr_textfloat"):
            continue
        about = _title(line)
        words = [
            word
            for span in line.iter("{*}span")
            if span.get("class") == "ocrx_word" and (word := _word(span, about)) is not None
        ]
        if words:
            lines.append(words)
    return lines


def _title(element: etree._Element) -> dict[str, list[float]]:
    parts = (part.split() for part in element.get("title", "").split(";"))
    return {
        part[0]: [float(n) for n in _NUMBER.findall(" ".join(part[1:]))] for part in parts if part
    }


def _word(span: etree._Element, line: dict[str, list[float]]) -> Recognised | None:
    about = _title(span)
    text = "".join(str(piece) for piece in span.itertext()).strip()
    x0, y0, x1, y1 = about.get("bbox", [0.0] * 4)
    if not text or x1 <= x0:
        return None
    high, low = y0, y1
    if "baseline" in line and "textangle" not in line and abs(line["baseline"][0]) < _MAX_SLOPE:
        # The box of a line without g or p ends at its baseline: `x_size` is the same for all.
        left, _, _, bottom = line.get("bbox", [x0, y0, x1, y1])
        slope, offset = line["baseline"][:2]
        low = bottom + offset + slope * ((x0 + x1) / 2 - left)
        low += line.get("x_descenders", [0.0])[0]
        high = low - line.get("x_size", [y1 - y0])[0]
    confidence = about.get("x_wconf", [0.0])[0]
    return Recognised(text, x0, high, x1, low, confidence)
