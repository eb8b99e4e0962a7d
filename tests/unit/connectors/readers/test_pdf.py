from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from connectors.readers import Limits, ReadError, Reading

Read = Callable[..., Reading]
Draw = Callable[[Canvas], None]


def pdf(*pages: Draw, **options: Any) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(600, 800), **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def put(
    canvas: Canvas, x: float, y: float, text: str, size: float = 10, bold: bool = False
) -> None:
    """Draw text with its baseline `y` points below the top."""
    canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
    canvas.drawString(x, 800 - y, text)


def income_statement(canvas: Canvas) -> None:
    put(canvas, 50, 60, "Results", 16)
    put(canvas, 50, 90, "The table shows our results; all amounts are in millions of dollars.")
    for x, text in ((330, "Three Months Ended"), (470, "Six Months Ended")):
        put(canvas, x, 120, text, 9, bold=True)
    for right, text in zip((360, 430, 500, 570), ("2024", "2023", "2024", "2023"), strict=True):
        canvas.drawRightString(right, 800 - 132, text)
    rows = [
        (50, "Net sales:", ()),
        (60, "Products", ("63,355", "63,948", "245,241", "232,309")),
        (60, "Services", ("19,604", "17,486", "58,941", "50,148")),
        (70, "Total net sales", ("82,959", "81,434", "304,182", "282,457")),
        (50, "Other income, net of", ()),
        (50, "amounts paid to others", ("(10)", "—", "(7)", "1,234")),
        (50, "Net income", ("19,442", "21,744", "79,082", "74,129")),
    ]
    for i, (x, label, figures) in enumerate(rows):
        y = 146 + 12 * i
        put(canvas, x, y, label)
        for k, figure in enumerate(figures):
            if i in (1, 6):
                put(canvas, 300 + 70 * k, y, "$")
            canvas.drawRightString(360 + 70 * k + (3 if ")" in figure else 0), 800 - y, figure)


def test_an_income_statement(read_bytes: Read) -> None:
    reading = read_bytes(pdf(income_statement), "q2.pdf")
    assert [b.kind for b in reading.blocks] == ["heading", "paragraph", "table"]
    table = reading.blocks[2]
    assert table.cells is not None
    names = ["Three Months Ended 2024", "Three Months Ended 2023"]
    names += ["Six Months Ended 2024", "Six Months Ended 2023"]
    assert list(table.cells[0]) == ["", *names]
    assert table.text.splitlines() == [
        f"{label} — " + "; ".join(f"{n}: {v}" for n, v in zip(names, values, strict=True))
        for label, values in [
            ("Net sales: Products", ("$63,355", "$63,948", "$245,241", "$232,309")),
            ("Net sales: Services", ("19,604", "17,486", "58,941", "50,148")),
            ("Net sales: Total net sales", ("82,959", "81,434", "304,182", "282,457")),
            ("Other income, net of amounts paid to others", ("(10)", "—", "(7)", "1,234")),
            ("Net income", ("$19,442", "$21,744", "$79,082", "$74,129")),
        ]
    ]
    assert table.page == 1
    assert len(table.boxes) == len(table.cells) - 1
    x0, y0, x1, y1 = table.boxes[3]  # a label on two lines
    assert 45 < x0 < 55
    assert 565 < x1 < 580
    assert 180 < y0 < 190
    assert 206 < y1 < 212


def test_paragraphs_headings_lists_and_hyphens(read_bytes: Read) -> None:
    def page(canvas: Canvas) -> None:
        put(canvas, 50, 60, "Safety manual", 20)
        put(canvas, 50, 100, "Lockout", 12, bold=True)
        put(canvas, 50, 116, "Stop the machine before any mainte-")
        put(canvas, 50, 128, "nance and wait until it stands still for a minute.")
        put(canvas, 50, 152, "• lock the switch")
        put(canvas, 50, 164, "• keep the key")
        put(canvas, 50, 190, "Then begin.")

    reading = read_bytes(pdf(page), "manual.pdf")
    assert reading.title == "Safety manual"
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Safety manual"),
        ("heading", "Lockout"),
        (
            "paragraph",
            "Stop the machine before any maintenance and wait until it stands still for a minute.",
        ),
        ("list", "• lock the switch\n• keep the key"),
        ("paragraph", "Then begin."),
    ]
    assert reading.blocks[2].heading == ("Safety manual", "Lockout")


def test_running_heads_and_page_numbers_are_dropped(read_bytes: Read) -> None:
    def page(number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            put(canvas, 50, 30, "Confidential — Bank of Examples", 8)
            put(canvas, 50, 400, f"Body text of page {'abcd'[number]}, which is unlike the others.")
            put(canvas, 290, 780, f"Page {number + 1} of 4", 8)

        return draw

    reading = read_bytes(pdf(*(page(i) for i in range(4))), "a.pdf")
    assert [b.page for b in reading.blocks] == [1, 2, 3, 4]
    assert "Confidential" not in str(reading.blocks)
    assert "Page 2" not in str(reading.blocks)


def test_two_columns_are_read_one_after_the_other(read_bytes: Read) -> None:
    def page(canvas: Canvas) -> None:
        put(canvas, 50, 60, "A paper in two columns of prose with a title over both", 14)
        for i in range(14):
            put(canvas, 50, 100 + 12 * i, f"left line {'abcdefghijklmn'[i]} has some words to say")
            put(
                canvas, 320, 100 + 12 * i, f"right line {'abcdefghijklmn'[i]} has other words again"
            )

    text = " ".join(b.text for b in read_bytes(pdf(page), "a.pdf").blocks)
    assert text.index("left line n") < text.index("right line a")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_on_the_page_as_displayed(read_bytes: Read, rotation: int) -> None:
    def page(canvas: Canvas) -> None:
        canvas.setPageRotation(rotation)
        # The canvas swaps its sides for a quarter turn: 191 points from the top either way.
        put(canvas, 100, 400 if rotation % 180 else 200, "A sentence on a turned page.")

    (block,) = read_bytes(pdf(page), "a.pdf").blocks
    assert block.text == "A sentence on a turned page."
    corner = {0: (100, 191), 90: (398, 100), 180: (371, 597), 270: (191, 571)}[rotation]
    x0, y0, x1, y1 = block.boxes[0]
    assert (x0, y0) == pytest.approx(corner, abs=4)
    along, across = (x1 - x0, y1 - y0) if rotation % 180 == 0 else (y1 - y0, x1 - x0)
    assert along == pytest.approx(129, abs=3)
    assert across == pytest.approx(11, abs=3)


def test_text_on_its_side_is_read(read_bytes: Read) -> None:
    def page(canvas: Canvas) -> None:
        canvas.rotate(90)
        for i in range(3):
            canvas.setFont("Helvetica", 10)
            canvas.drawString(100, -100 - 12 * i, f"Line {i} of a table lying on its side")

    (block,) = read_bytes(pdf(page), "a.pdf").blocks
    assert block.text.startswith("Line 0 of a table lying on its side Line 1")
    x0, y0, x1, y1 = block.boxes[0]
    assert y1 - y0 > 3 * (x1 - x0)


def test_pages_without_text_give_a_warning(read_bytes: Read) -> None:
    reading = read_bytes(
        pdf(lambda c: put(c, 50, 50, "Words."), lambda c: c.rect(50, 50, 100, 100)), "a.pdf"
    )
    assert reading.warnings == ("No text is on pages: 2.",)


def test_title_and_tiny_text(read_bytes: Read) -> None:
    def page(canvas: Canvas) -> None:
        canvas.setTitle("Annual report 2024")
        put(canvas, 50, 50, "Words.")
        put(canvas, 50, 90, "INJECTED", 0.5)

    reading = read_bytes(pdf(page), "a.pdf")
    assert reading.title == "Annual report 2024"
    assert "INJECTED" not in str(reading.blocks)
    assert reading.warnings == ("1 words too small to be seen were removed.",)


def test_refusals(read_bytes: Read) -> None:
    locked = pdf(lambda c: put(c, 50, 50, "x"), encrypt=StandardEncryption("secret"))
    many = pdf(*[lambda c: put(c, 50, 50, "x")] * 4)
    for data, limits, cause in (
        (locked, None, "encrypted"),
        (many, Limits(pages=3), "too_many_pages"),
        (b"%PDF-1.7\n%%EOF", None, "corrupt"),
    ):
        with pytest.raises(ReadError) as caught:
            read_bytes(data, "a.pdf", limits)
        assert caught.value.cause == cause
