"""Write blocks as a Word document and rows as an Excel workbook, with no clock left in either."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import docx as python_docx
import openpyxl
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from examples.generators.blocks import (
    NUMBER,
    Block,
    Bullets,
    Drawing,
    Heading,
    PageBreak,
    Paragraph,
    Sheet,
    Table,
)

ZIP_TIME = (2025, 1, 1, 0, 0, 0)
FIXED_TIME = datetime(2025, 1, 1, 12, 0, 0)


def docx(
    path: Path,
    title: str,
    blocks: Sequence[Block],
    *,
    company: str,
    subtitle: str = "",
    lang: str = "en",
) -> None:
    """Write a Word document with a title, styles, a header line and real tables (no drawings)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = python_docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.last_modified_by = title, company, company
    properties.language = "pt-BR" if lang == "pt" else "en-US"
    properties.created = properties.modified = FIXED_TIME
    properties.comments = ""
    document.styles["Normal"].font.name = "Calibri"
    document.styles["Normal"].font.size = Pt(11)
    document.sections[0].header.paragraphs[0].text = f"{company} — {title}"
    document.add_heading(title, level=0)
    for line in subtitle.split("\n"):
        if line:
            document.add_paragraph(line, style="Subtitle")
    for block in blocks:
        _add_docx(document, block)
    saved = io.BytesIO()
    document.save(saved)
    _write_fixed_zip(path, saved)


def _add_docx(document: WordDocument, block: Block) -> None:
    match block:
        case Heading(text, level):
            document.add_heading(text, level=level)
        case Paragraph(text):
            document.add_paragraph(text)
        case Bullets(items, numbered):
            for item in items:
                document.add_paragraph(item, style="List Number" if numbered else "List Bullet")
        case Table():
            _add_docx_table(document, block)
        case PageBreak():
            document.add_page_break()  # type: ignore[no-untyped-call]
        case Drawing():
            raise ValueError("a DOCX file takes no Drawing: put it into a PDF")


def _add_docx_table(document: WordDocument, table: Table) -> None:
    if table.caption:
        document.add_paragraph(table.caption, style="Caption")
    grid = document.add_table(rows=1, cols=len(table.header), style="Light Grid Accent 1")
    for cell, name in zip(grid.rows[0].cells, table.header, strict=True):
        cell.text = name
    for row in table.rows:
        for cell, value in zip(grid.add_row().cells, row, strict=True):
            cell.text = value
            if NUMBER.match(value):
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph()


def xlsx(path: Path, sheets: Sequence[Sheet], *, title: str, company: str) -> None:
    """Write a workbook; each sheet's first row is its header, frozen, with a filter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for old in list(book.worksheets):
        book.remove(old)
    book.properties.title, book.properties.creator = title, company
    book.properties.created = FIXED_TIME
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        page.append(list(sheet.header))
        for row in sheet.rows:
            page.append(list(row))
        for cell in page[1]:
            cell.font = Font(bold=True, color="FFFFFF")
            cell.fill = PatternFill("solid", fgColor="1F2A44")
            cell.alignment = Alignment(wrap_text=True, vertical="center")
        for name, number_format in sheet.formats:
            column = sheet.header.index(name) + 1
            for (cell,) in page.iter_rows(min_row=2, min_col=column, max_col=column):
                cell.number_format = number_format
        for i, column_cells in enumerate(page.iter_cols(), 1):
            longest = max(len(str(c.value or "")) for c in column_cells)
            letter = get_column_letter(i)
            page.column_dimensions[letter].width = min(max(longest + 2, 10), 60)
        page.freeze_panes = "A2"
        page.auto_filter.ref = page.dimensions
    saved = io.BytesIO()
    book.save(saved)
    _write_fixed_zip(path, saved)


def _write_fixed_zip(path: Path, saved: io.BytesIO) -> None:
    """Rewrite an office file so that no clock is left in it: entry times and `modified`."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(
                    rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2025-01-01T12:00:00Z", content
                )
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, content)
