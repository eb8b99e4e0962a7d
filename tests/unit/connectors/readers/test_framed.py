"""Tables drawn with rules or bands, on real PDF pages."""

from __future__ import annotations

import io
from collections.abc import Callable

from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.styles import getSampleStyleSheet  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    Paragraph,
    SimpleDocTemplate,
    Table,
)

from connectors.readers import Reading

Read = Callable[..., Reading]
STYLE = getSampleStyleSheet()["BodyText"]
GRID = ("GRID", (0, 0), (-1, -1), 0.5, colors.black)
BOLD = ("FONT", (0, 0), (-1, 0), "Helvetica-Bold")


def pdf(*parts: object) -> bytes:
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer).build(list(parts))
    return buffer.getvalue()


def test_wrapped_cells_between_rules(read_bytes: Read) -> None:
    long = "Stop the pump and tell the shift leader at once, then write it down"
    rows = [
        ["Term", "Meaning", "Action"],
        ["AE", "Adverse event", Paragraph(long, STYLE)],
        ["IFU", Paragraph("Instructions for use of the device", STYLE), "Read"],
    ]
    table = Table(rows, colWidths=[60, 110, 130], style=[GRID])
    before = Paragraph("Words above.", STYLE)
    reading = read_bytes(pdf(before, table, Paragraph("Words below.", STYLE)), "a.pdf")
    assert [b.kind for b in reading.blocks] == ["paragraph", "table", "paragraph"]
    assert reading.blocks[1].text.splitlines() == [
        f"AE — Meaning: Adverse event; Action: {long}",
        "IFU — Meaning: Instructions for use of the device; Action: Read",
    ]
    first, second = reading.blocks[1].boxes
    assert first[3] <= second[1] + 2
    assert first[3] - first[1] > 25


def test_a_form_has_no_header(read_bytes: Read) -> None:
    rows = [["Protocol", "AFL-1"], ["Phase", "Evaluation"], ["Sites", "Six"]]
    (table,) = read_bytes(pdf(Table(rows, style=[GRID])), "a.pdf").blocks
    assert table.text.splitlines() == ["Protocol — AFL-1", "Phase — Evaluation", "Sites — Six"]
    (table,) = read_bytes(pdf(Table(rows, style=[GRID, BOLD])), "a.pdf").blocks
    assert table.text.splitlines() == ["Phase — AFL-1: Evaluation", "Sites — AFL-1: Six"]


def test_bands_in_prose_columns_stay_a_table(read_bytes: Read) -> None:
    words = ["a", "few", "words", "of", "text", "in", "each", "cell"]
    rows = [["Task", "How"]] + [[f"{w} " * 5, f"{w} other " * 4] for w in words]
    bands = [("ROWBACKGROUNDS", (0, 0), (-1, -1), [colors.white, colors.lightgrey]), BOLD]
    (table,) = read_bytes(pdf(Table(rows, style=bands)), "a.pdf").blocks
    assert table.cells is not None
    assert table.cells[0] == ("Task", "How")
    assert len(table.boxes) == len(words)
