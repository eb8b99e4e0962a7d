"""Pictures of pages."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from assistant.api import pages
from assistant.errors import NotFound
from tests.support.company import pdf


def test_pages_are_counted_and_drawn() -> None:
    content = pdf("one", "two", "three").content
    assert pages.n_pages(content) == 3
    picture = Image.open(io.BytesIO(pages.page_image(content, 3, ())))
    assert picture.format == "PNG"
    assert picture.mode == "RGB"


@pytest.mark.parametrize("number", [-1, 0, 2])
def test_other_pages_are_not_found(number: int) -> None:
    with pytest.raises(NotFound):
        pages.page_image(pdf("one").content, number, ())


@pytest.mark.parametrize("content", [b"", b"no PDF", b"%PDF-1.7\n"])
def test_what_is_no_pdf_can_not_be_drawn(content: bytes) -> None:
    with pytest.raises(pages.PageUnreadable):
        pages.page_image(content, 1, ())


def test_large_pages_are_drawn_smaller() -> None:
    content = pdf("one", size=(14_400, 14_400)).content
    picture = Image.open(io.BytesIO(pages.page_image(content, 1, ())))
    assert picture.width * picture.height <= pages.MAX_PIXELS * 1.01


def test_boxes_beyond_the_page_and_upside_down_do_no_harm() -> None:
    boxes = ((1, -500.0, 900.0, 5000.0, -10.0), (2, 0.0, 0.0, 1.0, 1.0), (1, 9.0, 9.0, 9.0, 9.0))
    assert pages.page_image(pdf("one").content, 1, boxes)


def test_many_threads_may_draw() -> None:
    content = pdf("one", "two").content
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(lambda n: pages.page_image(content, 1 + n % 2, ()), range(16)))
    assert len(set(pictures)) == 2
