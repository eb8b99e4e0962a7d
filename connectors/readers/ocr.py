"""Text recognition (OCR) of pages that are pictures, within a budget of pages and time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from connectors.readers import tesseract
from connectors.readers.errors import ReadError
from connectors.readers.glyphs import PageWords, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from connectors.readers.source import Source

DPI = 300
MAX_PIXELS = 12_000_000
INSTALL = "install tesseract (Debian: tesseract-ocr tesseract-ocr-eng tesseract-ocr-por)"
_SURE = 70
_LEGIBLE = 30


class Recognition:
    """Recognises pages of one file and remembers what became of each."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._engine = tesseract.best() if source.limits.ocr_pages else None
        self._start = 0.0
        self._done: list[int] = []
        self._blank: list[int] = []
        self._empty: list[int] = []
        self._slow: list[int] = []
        self._left: list[int] = []

    @property
    def is_possible(self) -> bool:
        """Whether the library and a language are installed, and OCR is not turned off."""
        return self._engine is not None

    def page(self, number: int, image: Image, dpi: float) -> PageWords | None:
        """The words on a grey picture of a page; None if it has none or the budget is spent."""
        if self._engine is None or not self._may_go_on():
            self._left.append(number)
            return None
        self._source.alive()
        lines, turned, n_seconds = self._lines(self._engine, image, int(dpi))
        words = [word for line in lines for word in _words(line, dpi)]
        if words:
            self._done.append(number)
            width, height = image.size if turned % 180 == 0 else image.size[::-1]
            points = 72 / dpi
            return PageWords(width * points, height * points, words, -turned % 360, 0, [])
        limit = self._source.limits.ocr_page_s
        (self._slow if n_seconds > limit else self._blank).append(number)
        return None

    def pass_over(self, number: int) -> None:
        """Note a page on which there is nothing to recognise."""
        self._empty.append(number)

    def warnings(self) -> list[str]:
        """What an admin should know about the pages."""
        warnings = []
        if self._done:
            warnings.append(
                f"Text was recognised (OCR) on pages: {numbers(self._done)}; it may have errors."
            )
        if self._empty:
            warnings.append(f"No text is on pages: {numbers(self._empty)}.")
        if self._blank:
            warnings.append(f"No text was found on the picture of pages: {numbers(self._blank)}.")
        if self._slow:
            warnings.append(f"Recognising text took too long on pages: {numbers(self._slow)}.")
        if self._left and self._engine is None:
            warnings.append(
                f"No text layer on pages: {numbers(self._left)}; to read them, {INSTALL}."
            )
        elif self._left:
            warnings.append(
                f"Over the budget for OCR were pages: {numbers(self._left)}; split the file."
            )
        missing = set(tesseract.LANGUAGES) - set(
            self._engine.languages.split("+") if self._engine else ()
        )
        if self._done and missing:
            warnings.append(f"OCR knows no {', '.join(missing)} here; {INSTALL}.")
        return warnings

    def _may_go_on(self) -> bool:
        limits = self._source.limits
        if not self._start:
            self._start = time.process_time()
            _allow(limits.ocr_s)
        n_begun = len(self._done) + len(self._blank) + len(self._slow)
        is_late = time.process_time() - self._start > limits.ocr_s - limits.ocr_page_s
        return n_begun < limits.ocr_pages and not is_late

    def _lines(
        self, engine: tesseract.Engine, image: Image, dpi: int
    ) -> tuple[list[list[tesseract.Recognised]], int, float]:
        """The lines, how far the picture was turned clockwise to be upright, and seconds."""
        start = time.process_time()
        limit = self._source.limits.ocr_page_s
        lines, sure = engine.words(_picture(image, dpi), limit)
        turned = 0
        compass = tesseract.compass() if sure < _SURE else None
        if compass is not None and (degrees := compass.turn(_picture(image, dpi))):
            upright = image.rotate(-degrees, expand=True)
            better, surer = engine.words(_picture(upright, dpi), limit)
            if surer > sure:
                lines, turned = better, degrees
        return lines, turned, time.process_time() - start


def _picture(image: Image, dpi: int) -> tesseract.Picture:
    return tesseract.Picture(image.tobytes(), image.width, image.height, dpi)


def _words(line: Sequence[tesseract.Recognised], dpi: float) -> list[Word]:
    """The words of a line in points; a line that is mostly guessed is no text."""
    if sum(word.confidence for word in line) / len(line) < _LEGIBLE:
        return []
    scale = 72 / dpi
    return [
        Word(w.text, w.x0 * scale, w.y0 * scale, w.x1 * scale, w.y1 * scale, False) for w in line
    ]


def _allow(seconds: int) -> None:
    """Raise the soft limit of this process's CPU time; the hard one was set with it in mind."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if soft != resource.RLIM_INFINITY and hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_CPU, (min(soft + seconds, hard), hard))


def numbers(pages: Sequence[int]) -> str:
    """Page numbers for a sentence, at most twenty."""
    return ", ".join(map(str, pages[:20])) + (" …" if len(pages) > 20 else "")


def missing() -> ReadError:
    """Why a picture can't be read here."""
    return ReadError("unsupported", f"Text in pictures needs OCR; {INSTALL}.")
