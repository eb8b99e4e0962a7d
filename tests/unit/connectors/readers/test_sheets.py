from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest

from connectors.readers import Limits, Reading
from connectors.readers.formats import shown_number

Read = Callable[..., Reading]


def saved(workbook: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_sheets_as_people_see_them(read_bytes: Read) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Rates"
    rows: list[list[Any]] = [
        ["Rates 2024", None, None, None],
        ["Product", "Rate", "Since", "Volume"],
        ["Mortgage", 0.0825, date(2024, 3, 2), 1234567.891],
        ["Car loan", 0.149, date(2023, 12, 31), -10],
    ]
    for row in rows:
        sheet.append(row)
    for line in (3, 4):
        sheet.cell(line, 2).number_format = "0.00%"
        sheet.cell(line, 3).number_format = "dd/mm/yyyy"
        sheet.cell(line, 4).number_format = "#,##0.00;[Red](#,##0.00)"
    secret = workbook.create_sheet("Secret")
    secret["A1"] = "INJECTED"
    secret.sheet_state = "hidden"
    reading = read_bytes(saved(workbook), "rates.xlsx")
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Rates"),
        ("caption", "Rates 2024"),
        (
            "table",
            "Mortgage — Rate: 8.25%; Since: 2024-03-02; Volume: 1,234,567.89\n"
            "Car loan — Rate: 14.90%; Since: 2023-12-31; Volume: (10.00)",
        ),
    ]
    assert reading.blocks[2].heading == ("Rates",)
    assert "INJECTED" not in str(reading)
    assert reading.warnings == ("Hidden sheets were left out: Secret.",)


def test_islands_and_merged_headers(read_bytes: Read) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    rows: list[list[Any]] = [["Store", "2024", None], [None, "Q1", "Q2"], ["A", 1, 2], ["B", 3, 4]]
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("A1:A2")
    sheet["F1"], sheet["G1"], sheet["F2"], sheet["G2"] = "Code", "Name", 7, "Seven"
    sheet["A7"], sheet["B7"] = "Note", "Unaudited"
    tables = [b for b in read_bytes(saved(workbook), "a.xlsx").blocks if b.kind == "table"]
    assert tables[0].cells is not None
    assert tables[0].cells[0] == ("Store", "2024 Q1", "2024 Q2")
    assert tables[1].text == "7 — Name: Seven"
    assert tables[2].text == "Note — Unaudited"


def test_rows_are_capped(read_bytes: Read) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(["a", "b"])
    for i in range(100):
        sheet.append([f"x{i}", i])
    reading = read_bytes(saved(workbook), "a.xlsx", Limits(rows=10))
    assert len(reading.blocks[1].text.splitlines()) == 10
    assert "Only 10 rows" in reading.warnings[0]


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (1234.5, "General", "1234.5"),
        (0.1 + 0.2, "", "0.3"),
        (3.0, "", "3"),
        (1234.5, "#,##0.00", "1,234.50"),
        (0.125, "0%", "13%"),
        (0.125, "0.0%", "12.5%"),
        (-5, "0.00", "-5.00"),
        (-5, "0.00;(0.00)", "(5.00)"),
        (0, '0;-0;"–"', "–"),
        (1500000, '#,##0.0,,"M"', "1.5M"),
        (99.9, '"R$" #,##0.00', "R$ 99.90"),
        (99.9, "[$€-407] #,##0.00", "€ 99.90"),
        (7, "000", "007"),
        (2.5, "0.##", "2.5"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (45353, "yyyy-mm-dd", "2024-03-02"),
        (45353.5, "dd/mm/yyyy hh:mm", "2024-03-02 12:00"),
        (0.75, "h:mm", "18:00"),
        (1.5, "[h]:mm", "36:00"),
        (45353, 'd "de" mmmm', "2024-03-02"),
    ],
)
def test_number_formats(value: float, code: str, shown: str) -> None:
    assert shown_number(value, code) == shown
