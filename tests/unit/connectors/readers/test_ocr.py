from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from connectors.readers import Limits, ReadError, Reading, ocr, tesseract

Read = Callable[..., Reading]

LINES = ["Reembolso de viagens", "O hotel custa no máximo 450 reais.", "Answer within 30 days."]


def page(lines: list[str], size: tuple[int, int] = (1240, 800), dots: int = 32) -> Image.Image:
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((100, 100 + 90 * i), line, font=ImageFont.load_default(dots), fill=0)
    return image


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def scan(image: Image.Image, *stamps: str) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    width, height = image.size
    shown = min(595 / width, 842 / height)
    canvas.drawImage(ImageReader(image), 0, 842 - height * shown, width * shown, height * shown)
    for stamp in stamps:
        canvas.drawString(20, 20, stamp)
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_pictures(read_bytes: Read, form: str) -> None:
    reading = read_bytes(encoded(page(LINES), form), f"a.{form.lower()}")
    text = " ".join(block.text for block in reading.blocks)
    for line in LINES[1:]:
        assert line.split()[-2] in text
    assert "450" in text
    assert all(block.page == 1 and block.boxes for block in reading.blocks)
    assert reading.warnings == ("Text was recognised (OCR) on pages: 1; it may have errors.",)


def test_each_page_of_a_tiff(read_bytes: Read) -> None:
    pages = [page([line]) for line in LINES]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert {block.page for block in read_bytes(data, "a.tif").blocks} == {1, 2, 3}
    with pytest.raises(ReadError) as caught:
        read_bytes(data, "a.tif", Limits(pages=2))
    assert caught.value.cause == "too_many_pages"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_scans_lie_any_way_up_and_have_boxes(read_bytes: Read, degrees: int) -> None:
    image = page(LINES * 3, (1240, 1240)).rotate(degrees, expand=True, fillcolor=255)
    reading = read_bytes(scan(image), "a.pdf")
    text = " ".join(block.text for block in reading.blocks)
    assert text.count("450") == 3
    first = next(block for block in reading.blocks if "450" in block.text)
    x0, y0, x1, y1 = first.boxes[0]
    assert 0 <= x0 < x1 <= 595
    assert 0 <= y0 < y1 <= 842
    assert (x1 - x0 > y1 - y0) == (degrees % 180 == 0) or len(first.text) > 60
    assert "(OCR) on pages: 1" in reading.warnings[0]


def test_a_stamp_below_a_scan_gives_way_to_more_words(read_bytes: Read) -> None:
    reading = read_bytes(scan(page(LINES * 2, (1240, 1700)), "Scanned by X"), "a.pdf")
    assert "450" in " ".join(block.text for block in reading.blocks)
    plain = read_bytes(scan(Image.new("L", (1240, 1700), 255), "Only a stamp here"), "b.pdf")
    assert [block.text for block in plain.blocks] == ["Only a stamp here"]


def test_the_budget_is_kept(read_bytes: Read) -> None:
    pages = [page([f"This is sheet number {n}"]) for n in (1, 2, 3)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    reading = read_bytes(data, "a.tif", Limits(ocr_pages=2))
    assert {block.page for block in reading.blocks} == {1, 2}
    assert reading.warnings[1] == "Over the budget for OCR were pages: 3; split the file."
    with pytest.raises(ReadError) as caught:
        read_bytes(data, "a.tif", Limits(ocr_pages=0))
    assert caught.value.cause == "unsupported"


def test_a_page_that_takes_too_long_is_left_out(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(encoded(page(LINES * 2), "PNG"), "a.png", Limits(ocr_page_s=0))
    assert caught.value.cause == "empty"


def test_without_tesseract_the_next_step_is_told(
    read_bytes: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tesseract, "best", lambda: None)
    with pytest.raises(ReadError) as caught:
        read_bytes(encoded(page(LINES), "PNG"), "a.png")
    assert caught.value.cause == "unsupported"
    assert "apt" in str(caught.value) or "tesseract-ocr-por" in str(caught.value)
    reading = read_bytes(scan(page(LINES)), "a.pdf")
    assert reading.blocks == ()
    assert reading.warnings == (f"No text layer on pages: 1; to read them, {ocr.INSTALL}.",)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (encoded(Image.new("1", (20_000, 20_000)), "PNG"), "bomb"),
        (encoded(Image.new("1", (11_000, 11_000)), "PNG"), "bomb"),
        (encoded(page(LINES), "PNG")[:2000], "corrupt"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "corrupt"),
        (encoded(Image.new("L", (5, 5), 255), "GIF"), "empty"),
    ],
)
def test_giants_and_damaged_pictures(read_bytes: Read, data: bytes, cause: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(data, "a.png")
    assert caught.value.cause == cause
