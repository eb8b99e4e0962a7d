"""Pictures (PNG, JPEG, TIFF, BMP, WEBP, GIF): the text on them, recognised by OCR."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.ocr import MAX_PIXELS, Recognition, missing
from connectors.readers.outline import Outline
from connectors.readers.pages import place_pages
from connectors.readers.source import Source
from connectors.readers.text import best_title

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_MAX_DECODED = 100_000_000
_SCREEN_DPI = 96
_SCAN_DPI = 150
_MAX_DPI = 1_200
_SMALL = 1_800
_MIN_SIDE = 16


def read(source: Source) -> Reading:
    """Read a picture; the page of a TIFF is its frame, of any other picture there is one.

    Raises `ReadError`: `unsupported` without tesseract, `bomb` for a picture that unpacks to more
    than 100 million pixels, `empty` where no text is found.
    """
    recognition = Recognition(source)
    if not recognition.is_possible:
        raise missing()
    outline = Outline()
    pages = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (image, dpi) in enumerate(_frames(source), 1):
            pages.append(recognition.page(number, image, dpi))
    place_pages(outline, pages)
    if not outline.blocks:
        raise ReadError("empty", "No text was found on the picture.")
    title = best_title(None, None, source.name)
    found = tuple(recognition.warnings())
    return Reading(source.media_type, title, tuple(outline.blocks), warnings=found)


def _frames(source: Source) -> Iterator[tuple[Image.Image, float]]:
    try:
        with Image.open(source.path, formats=_FORMATS) as picture:
            n_frames = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
            if n_frames > source.limits.pages:
                raise ReadError(
                    "too_many_pages",
                    f"The picture has {n_frames} pages, more than {source.limits.pages}; split it.",
                )
            for number, frame in enumerate(ImageSequence.Iterator(picture)):
                if number >= n_frames:
                    return
                _refuse_giant(frame)
                yield _prepared(frame)
    except Image.DecompressionBombError as error:
        raise ReadError(
            "bomb", "The picture unpacks to too many pixels; make it smaller."
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError) as error:
        raise ReadError("corrupt", "The picture is damaged and can't be opened.") from error


def _refuse_giant(picture: Image.Image) -> None:
    """By the size that its header tells, before anything is unpacked."""
    if picture.width * picture.height > _MAX_DECODED:
        raise ReadError(
            "bomb",
            f"The picture has {picture.width} x {picture.height} pixels; make it smaller.",
        )


def _prepared(frame: Image.Image) -> tuple[Image.Image, float]:
    """A frame as displayed, grey on white, at a size that can be recognised, with its dpi."""
    declared = frame.info.get("dpi", (0, 0))[0]
    dpi = float(declared) if _SCREEN_DPI / 2 <= declared <= _MAX_DPI else float(_SCREEN_DPI)
    image = ImageOps.exif_transpose(frame)
    if "A" in image.getbands() or "transparency" in image.info:
        shown = image.convert("RGBA")
        paper = Image.new("RGBA", shown.size, "white")
        paper.alpha_composite(shown)
        image = paper
    grey = image.convert("L")
    if min(grey.size) < _MIN_SIDE:
        grey = ImageOps.pad(
            grey, (max(grey.width, _MIN_SIDE), max(grey.height, _MIN_SIDE)), color=255
        )
    factor = 1.0
    if dpi < _SCAN_DPI and max(grey.size) < _SMALL:
        factor = 2.0  # letters of a screen are too small for a recogniser of scans
    factor = min(factor, (MAX_PIXELS / (grey.width * grey.height)) ** 0.5)
    if factor != 1.0:
        size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
        grey = grey.resize(size, Image.Resampling.LANCZOS)
    return grey, dpi * factor
