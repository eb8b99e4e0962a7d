from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal

from openpyxl import Workbook

from connectors.readers import Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]

LEVELS = [
    ["Level", "Part Number", "Description", "Qty", "UoM", "Rev"],
    ["0", "A-1", "Pump", "1", "EA", "B"],
    ["1", "B-1", "Rotor", "2", "EA", ""],
    ["2", "C-1", "Bearing", "1.5", "KG", ""],
    ["1", "B-2", "Case", "1", "EA", ""],
]
TOLD = [
    "Part A-1 Pump: 1 EA (level 0)",
    "Part B-1 Rotor: 2 EA in A-1 Pump (level 1)",
    "Part C-1 Bearing: 1.5 KG in B-1 Rotor (level 2)",
    "Part B-2 Case: 1 EA in A-1 Pump (level 1)",
]


def test_parts_by_level(read_bytes: Read) -> None:
    reading = read_bytes("\n".join(",".join(row) for row in LEVELS), "a.csv")
    assert [block.text for block in reading.blocks] == TOLD
    bearing = reading.records[2]
    assert bearing.values["quantity"] == Quantity(Decimal("1.5"), "KG")
    assert bearing.values["parent"] == "B-1"
    assert (bearing.id, bearing.subject) == ("B-1/C-1", "product:C-1")


def test_parts_in_a_workbook_keep_their_sheet(read_bytes: Read) -> None:
    book, data = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    sheet.title = "Pump BOM"
    for row in LEVELS:
        sheet.append([float(c) if c.replace(".", "").isdigit() else c for c in row])
    book.save(data)
    reading = read_bytes(data.getvalue(), "a.xlsx")
    assert [block.text for block in reading.blocks if block.kind == "record"] == TOLD
    assert reading.blocks[-1].heading == ("Pump BOM",)
    assert reading.blocks[reading.records[3].block or 0].text == TOLD[3]


def test_parts_by_parent_in_portuguese_columns(read_bytes: Read) -> None:
    reading = read_bytes("Conjunto;Componente;Descrição;Qtd\nA-1;B-1;Rotor;2\n", "a.csv")
    assert [block.text for block in reading.blocks] == ["Part B-1 Rotor: 2 in A-1"]
