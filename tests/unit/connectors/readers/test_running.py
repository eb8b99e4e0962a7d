from __future__ import annotations

from connectors.readers.glyphs import Word
from connectors.readers.lines import Line
from connectors.readers.running import running_lines


def line(text: str, y: float, *, size: float = 10, bold: bool = False) -> Line:
    return Line((Word(text, 50, y, 50 + 5 * len(text), y + size, bold),))


def dropped(pages: list[list[Line]]) -> list[str]:
    found = running_lines(pages, [800] * len(pages))
    return [row.text for page in pages for row in page if id(row) in found]


def test_two_pages_share_a_header_at_one_height() -> None:
    pages = [[line("Bank", 30), line(f"Text {i}", 60), line("more", 400)] for i in "ab"]
    assert dropped(pages) == ["Bank", "Bank"]


def test_the_same_words_elsewhere_bold_or_bigger_are_text() -> None:
    assert dropped([[line("Bank", 30)], [line("Bank", 60)]]) == []
    assert dropped([[line("Bank", 30, bold=True)], [line("Bank", 30, bold=True)]]) == []
    pages = [[line("Bank", 30, size=20), *(line("text", 200 + i) for i in range(3))]] * 2
    assert dropped(pages) == []


def test_page_numbers_go_even_from_one_page() -> None:
    for text in ("Page 1", "Página 2 de 9", "pág. 3", "3 / 7", "2 of 9", "- 4 -"):
        assert dropped([[line("Text", 60), line("more", 300), line(text, 780)]]) == [text]
    assert dropped([[line("Text", 60), line("more", 300), line("Page 1", 500)]]) == []


def test_figures_in_the_margin_that_differ_are_text() -> None:
    pages = [[line("text", 300), line("text", 320), line(f"Total {i}", 760)] for i in range(2)]
    assert dropped(pages) == []


def test_a_long_file_needs_three_pages_in_a_row() -> None:
    starts = ["Chapter" if 3 <= i <= 5 else chr(65 + i) for i in range(20)]
    starts[9] = starts[14] = "Twice"
    pages = [[line(text, 30)] for text in starts]
    assert dropped(pages) == ["Chapter"] * 3
