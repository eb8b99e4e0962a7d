"""Where tables begin and end, on pages drawn without a single rule."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from connectors.readers import Block, Reading
from connectors.readers.glyphs import Word
from connectors.readers.layout import pieces
from connectors.readers.lines import reading_lines

Read = Callable[..., Reading]
Cell = tuple[float, str]
TEXT_SIZE = 10.0


class Page:
    """Lines of text put below each other."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=(600, 800))
        self._y = 60.0

    def line(
        self, *cells: Cell, gap: float = 18, bold: bool = False, size: float = TEXT_SIZE
    ) -> None:
        self._canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        for x, text in cells:
            self._canvas.drawString(x, 800 - self._y, text)
        self._y += gap

    def table(self, header: Sequence[str], *rows: Sequence[str]) -> None:
        places = [50.0, *(300 + 80 * i for i in range(len(header) - 1))]
        self.line(*zip(places, header, strict=True), bold=True)
        for row in rows:
            self.line(*zip(places, row, strict=True))

    def bytes(self) -> bytes:
        self._canvas.showPage()
        self._canvas.save()
        return self._buffer.getvalue()


def tables(blocks: Sequence[Block]) -> list[list[tuple[str, ...]]]:
    return [list(b.cells) for b in blocks if b.cells is not None]


def test_a_heading_and_a_caption_end_a_table(read_bytes: Read) -> None:
    page = Page()
    page.table(("R$ million", "2025", "2024"), ("Cards", "438", "391"), ("Fees", "11", "12"))
    page.line((50, "2.3 Quarterly results"), bold=True)
    page.line((50, "Table 2.3 Quarterly development"))
    page.table(("R$ million", "1Q25", "2Q25"), ("Income", "101", "104"), ("Costs", "28", "27"))
    assert tables(read_bytes(page.bytes(), "a.pdf").blocks) == [
        [("R$ million", "2025", "2024"), ("Cards", "438", "391"), ("Fees", "11", "12")],
        [("R$ million", "1Q25", "2Q25"), ("Income", "101", "104"), ("Costs", "28", "27")],
    ]


def test_bullets_and_numbers_make_lists(read_bytes: Read) -> None:
    page = Page()
    page.table(("Drug", "Dose", "Most"), ("One", "2 mg", "5 mg"), ("Two", "3 mg", "9 mg"))
    for text in ("Arterial pressure of 65 to 70 mmHg.", "Lactate falling."):
        page.line((56, "•"), (74, text))
    page.line((50, "Then:"))
    for i, text in enumerate(("Measure.", "Give it."), 1):
        page.line((56, str(i)), (74, text))
    blocks = read_bytes(page.bytes(), "a.pdf").blocks
    assert [b.kind for b in blocks] == ["table", "list", "paragraph", "list"]
    assert blocks[1].text == "• Arterial pressure of 65 to 70 mmHg.\n• Lactate falling."
    assert blocks[3].text == "1 Measure.\n2 Give it."


def test_cells_on_two_lines_stay_in_their_row(read_bytes: Read) -> None:
    page = Page()
    page.line((50, "Focus"), (200, "Choice"), (380, "Allergy"), bold=True)
    page.line((50, "Abdominal"), (200, "Piperacillin"), (380, "Ciprofloxacin +"), gap=12)
    page.line((380, "metronidazole"))
    page.line((50, "Skin and"), (200, "Oxacillin"), (380, "Vancomycin"), gap=12)
    page.line((50, "soft tissue"), (200, "or cefazolin"))
    page.line((50, "Urinary"), (200, "Ceftriaxone"), (380, "Amikacin"))
    (table,) = read_bytes(page.bytes(), "a.pdf").blocks
    assert table.text.splitlines() == [
        "Abdominal — Choice: Piperacillin; Allergy: Ciprofloxacin + metronidazole",
        "Skin and soft tissue — Choice: Oxacillin or cefazolin; Allergy: Vancomycin",
        "Urinary — Choice: Ceftriaxone; Allergy: Amikacin",
    ]
    heights = [y1 - y0 for _, y0, _, y1 in table.boxes]
    assert heights[0] > 1.8 * heights[2]


def test_a_label_over_rows_is_kept(read_bytes: Read) -> None:
    page = Page()
    page.table(("", "2025", "2024"), ("Cash", "64", "59"))
    page.line((50, "Liabilities"))
    page.table(("Debt", "12", "11"), ("Deposits", "91", "88"))
    (table,) = read_bytes(page.bytes(), "a.pdf").blocks
    assert "Liabilities" in table.text.splitlines()


word = st.text("abcdefgh", min_size=1, max_size=9) | st.integers(0, 99_999).map(str)
texts = st.lists(word, min_size=1, max_size=6).map(" ".join)
rows = st.tuples(
    st.lists(
        st.tuples(st.sampled_from([50, 56, 74, 200, 260, 300, 380, 460]), texts),
        min_size=1,
        max_size=4,
        unique_by=lambda cell: cell[0],
    ),
    st.sampled_from([11, 14, 18, 40]),
    st.sampled_from([8, 10, 15]),
    st.booleans(),
)


@settings(max_examples=150)
@given(st.lists(rows, min_size=1, max_size=14))
def test_no_layout_loses_a_word(
    page: list[tuple[list[tuple[int, str]], int, int, bool]],
) -> None:
    words: list[Word] = []
    y = 50.0
    for cells, gap, size, bold in page:
        for start, text in sorted(cells):
            x = float(start)
            for part in text.split():
                words.append(Word(part, x, y, x + 5 * len(part), y + size, bold))
                x += 5 * len(part) + 3
        y += max(gap, size)
    found = pieces(reading_lines(words), {}, frozenset())
    shown = " ".join(
        " ".join(cell for row in piece.cells for cell in row) if piece.cells else piece.text
        for piece in found
    )
    lost = Counter(w.text for w in words) - Counter(w.strip(":") for w in shown.split())
    assert not lost
