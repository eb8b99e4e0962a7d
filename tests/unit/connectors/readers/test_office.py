from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import docx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_headings_lists_tables_and_properties(read_bytes: Read) -> None:
    document = docx.Document()
    document.core_properties.title = "Política de crédito"
    document.core_properties.language = "pt-BR"
    document.add_heading("Política de crédito", 0)
    document.add_heading("Limites", 1)
    document.add_paragraph("O limite é revisto todo ano.")
    document.add_paragraph("renda", style="List Bullet")
    document.add_paragraph("garantia", style="List Bullet")
    document.add_heading("Alçadas", 2)
    table = document.add_table(rows=3, cols=3)
    for i, row in enumerate(
        [
            ("Nível", "Valor", "Prazo"),
            ("Gerente", "R$ 50.000", "12"),
            ("Comitê", "R$ 1.000.000", ""),
        ]
    ):
        for k, text in enumerate(row):
            table.cell(i, k).text = text
    reading = read_bytes(saved(document), "politica.docx")
    assert (reading.title, reading.lang) == ("Política de crédito", "pt")
    assert [(b.kind, b.text, b.heading[1:]) for b in reading.blocks[1:]] == [
        ("heading", "Limites", ()),
        ("paragraph", "O limite é revisto todo ano.", ()),
        ("list", "- renda\n- garantia", ()),
        ("heading", "Alçadas", ()),
        (
            "table",
            "Gerente — Valor: R$ 50.000; Prazo: 12\nComitê — Valor: R$ 1.000.000",
            ("Alçadas",),
        ),
    ]


def test_merged_cells(read_bytes: Read) -> None:
    document = docx.Document()
    table = document.add_table(rows=4, cols=3)
    table.cell(0, 1).merge(table.cell(0, 2)).text = "2024"
    table.cell(2, 0).merge(table.cell(3, 0)).text = "South"
    for row, column, text in [(0, 0, "Region"), (1, 0, ""), (1, 1, "Q1"), (1, 2, "Q2")]:
        table.cell(row, column).text = text
    for row in (2, 3):
        table.cell(row, 1).text, table.cell(row, 2).text = str(row), str(row * 10)
    reading = read_bytes(saved(document), "a.docx")
    assert reading.blocks[0].text.splitlines() == [
        "South — 2024 Q1: 2; 2024 Q2: 20",
        "South — 2024 Q1: 3; 2024 Q2: 30",
    ]


def test_deleted_and_hidden_text(read_bytes: Read) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Seen")
    run = paragraph.add_run(" INJECTED")
    run.font.hidden = True
    deleted = OxmlElement("w:del")
    deleted.append(parse_xml(f"<w:r {nsdecls('w')}><w:delText>DELETED</w:delText></w:r>"))
    inserted = OxmlElement("w:ins")
    inserted.append(parse_xml(f"<w:r {nsdecls('w')}><w:t> and added</w:t></w:r>"))
    paragraph._p.append(deleted)
    paragraph._p.append(inserted)
    reading = read_bytes(saved(document), "a.docx")
    assert [b.text for b in reading.blocks] == ["Seen and added"]
    assert reading.warnings == ("Hidden text was removed at 1 places.",)


def test_content_controls_are_read(read_bytes: Read) -> None:
    document = docx.Document()
    document.add_paragraph("before")
    body = document.element.body
    control = parse_xml(
        f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>inside</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>"
    )
    body.insert(len(body) - 1, control)
    assert body.find(qn("w:sdt")) is not None
    assert [b.text for b in read_bytes(saved(document), "a.docx").blocks] == ["before", "inside"]


def test_a_bold_line_is_a_heading(read_bytes: Read) -> None:
    document = docx.Document()
    document.add_paragraph().add_run("Scope").bold = True
    document.add_paragraph("All branches.")
    reading = read_bytes(saved(document), "a.docx")
    assert [b.kind for b in reading.blocks] == ["heading", "paragraph"]


def test_an_empty_document(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(saved(docx.Document()), "a.docx")
    assert caught.value.cause == "empty"
