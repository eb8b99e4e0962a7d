from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.limits import Limits
from connectors.readers.outline import row_text
from connectors.readers.tables import best_delimiter, is_figure, is_header, merge_signs


def test_rows_read_alone(read_bytes: Callable[..., Reading]) -> None:
    data = "produto;preço;estoque\nCafé 500 g;18,90;12\nChá;7,50;\n"
    reading = read_bytes(data.encode("cp1252"), "preços.csv")
    (table,) = reading.blocks
    assert table.kind == "table"
    assert table.text == "Café 500 g — preço: 18,90; estoque: 12\nChá — preço: 7,50"
    assert table.cells is not None
    assert table.cells[0] == ("produto", "preço", "estoque")
    assert len(table.cells) - 1 == len(table.text.splitlines())


def test_utf16_and_tabs(read_bytes: Callable[..., Reading]) -> None:
    reading = read_bytes("Team\tCups\nBlues\t1\n".encode("utf-16"), "a.tsv")
    assert reading.blocks[0].text == "Blues — Cups: 1"


def test_a_title_above_the_table_is_a_caption(read_bytes: Callable[..., Reading]) -> None:
    reading = read_bytes("Prices 2024,,\nname,price,unit\nA,1,kg\nB,2,kg\n", "a.csv")
    assert [block.kind for block in reading.blocks] == ["caption", "table"]
    assert reading.blocks[1].text.splitlines()[0] == "A — price: 1; unit: kg"


def test_a_table_without_header_keeps_its_first_row(read_bytes: Callable[..., Reading]) -> None:
    reading = read_bytes("1,2,3\n4,5,6\n", "a.csv")
    assert reading.blocks[0].cells == (("", "", ""), ("1", "2", "3"), ("4", "5", "6"))
    assert reading.blocks[0].text.splitlines()[0] == "1 — 2; 3"


def test_rows_are_capped_with_a_warning(read_bytes: Callable[..., Reading]) -> None:
    data = "a,b\n" + "x,1\n" * 50
    reading = read_bytes(data, "a.csv", Limits(rows=10))
    assert reading.warnings == ("Only the first 10 rows were read.",)
    assert len(reading.blocks[0].text.splitlines()) == 10


def test_a_table_of_nothing_is_empty(read_bytes: Callable[..., Reading]) -> None:
    with pytest.raises(ReadError, match="no cells") as caught:
        read_bytes(",,,\n,,,\n", "a.csv")
    assert caught.value.cause == "empty"


@pytest.mark.parametrize("cell", ["1,234", "(1,234)", "$ 5", "R$ 1.234,56", "12 %", "—", "-3.5"])
def test_figures(cell: str) -> None:
    assert is_figure(cell)


@pytest.mark.parametrize("cell", ["SKU-4711", "Item 1.", "Q3", "", "n/a", "1st"])
def test_words_are_no_figures(cell: str) -> None:
    assert not is_figure(cell)


def test_years_may_name_columns() -> None:
    assert is_header(["Item", "2024", "2023"], 3)
    assert not is_header(["Item", "12.5", "2023"], 3)


def test_lone_signs_join_their_figures() -> None:
    assert merge_signs([["Net", "$", "5", ")", "", "7", "%"]]) == [
        ["Net", "", "$5)", "", "", "7%", ""]
    ]


def test_row_text_skips_empty_cells() -> None:
    assert row_text(["Item", "2024", "2023"], ["Income", "", "5"]) == "Income — 2023: 5"
    assert row_text(["Item", "2024"], ["", "5"]) == "2024: 5"
    assert row_text(["Item", "2024"], ["Assets:", ""]) == "Assets:"


def test_delimiters() -> None:
    assert best_delimiter('a;"1,5";b\nc;"2,5";d\n') == ";"
    assert best_delimiter("a|b|c\n1|2|3\n") == "|"
    assert best_delimiter("one word a line\nanother\n") == ","
