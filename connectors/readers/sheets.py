"""Spreadsheets: each sheet as a heading with its tables."""

from __future__ import annotations

import posixpath
import re
import zipfile
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from lxml import etree

from connectors.readers.archive import open_checked
from connectors.readers.charts import place_chart
from connectors.readers.errors import ReadError
from connectors.readers.formats import BUILT_IN, plain_number, shown_number
from connectors.readers.industry.rows import recognised
from connectors.readers.islands import place_sheet
from connectors.readers.media import ODS, XLSB, XLSX
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.parts import core_properties, parse_part, related
from connectors.readers.text import best_title, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.readers.source import Source

_M = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REFERENCE = re.compile(r"^([A-Z]{1,3})(\d{1,7})$")
_MAX_COLUMNS = 1_000

Grid = dict[int, dict[int, str]]
Merge = tuple[int, int, int, int]


def read(source: Source) -> Reading:
    """Read a spreadsheet; hidden sheets are left out with a warning."""
    outline = Outline()
    warnings: list[str] = []
    title = lang = ""
    if source.media_type in (XLSX, XLSB, ODS):
        archive, warnings = open_checked(source.path, source.limits)
        with archive:
            title, lang = core_properties(archive)
            if source.media_type == XLSX:
                _Workbook(archive, source, warnings).place(outline)
    if source.media_type != XLSX:
        _place_other(outline, source, warnings)
    if not any(block.kind != "heading" for block in outline.blocks):
        raise ReadError("empty", "The workbook holds no visible cells.")
    reading = Reading(
        source.media_type,
        best_title(title, None, source.name),
        tuple(outline.blocks),
        language(lang),
        warnings=tuple(warnings),
    )
    return recognised(reading, source.limits.rows)


class _Workbook:
    """An XLSX archive with what its sheets share: strings and number formats."""

    def __init__(self, archive: zipfile.ZipFile, source: Source, warnings: list[str]) -> None:
        self._archive = archive
        self._cap = source.limits.rows
        self._warnings = warnings
        self._strings = self._shared_strings()
        self._formats = self._cell_formats()
        self._since_1904 = False

    def place(self, outline: Outline) -> None:
        """Add every visible sheet."""
        hidden = []
        for name, part, is_hidden in self._sheets():
            if is_hidden:
                hidden.append(name)
                continue
            grid, merges = self._grid(part, name)
            outline.heading(name, 1)
            place_sheet(outline, grid, merges)
            self._charts(outline, part)
        if hidden:
            self._warnings.append(f"Hidden sheets were left out: {', '.join(hidden[:20])}.")

    def _sheets(self) -> Iterator[tuple[str, str, bool]]:
        root = parse_part(self._archive, "xl/workbook.xml")
        relations = parse_part(self._archive, "xl/_rels/workbook.xml.rels")
        if root is None or relations is None:
            raise ReadError("corrupt", "The workbook is damaged: its list of sheets is missing.")
        properties = root.find(f"{_M}workbookPr")
        if properties is not None:
            self._since_1904 = properties.get("date1904") in ("1", "true")
        targets = {r.get("Id", ""): r.get("Target", "") for r in relations}
        for sheet in root.iter(f"{_M}sheet"):
            target = targets.get(sheet.get(_R, ""), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            is_hidden = sheet.get("state", "visible") != "visible"
            yield sheet.get("name", ""), posixpath.normpath(part), is_hidden

    def _charts(self, outline: Outline, sheet: str) -> None:
        """Add the charts drawn on a sheet, each with its title and data."""
        drawings = (
            part for kind, part in related(self._archive, sheet).values() if kind == "drawing"
        )
        for drawing in drawings:
            for kind, part in related(self._archive, drawing).values():
                root = parse_part(self._archive, part) if kind == "chart" else None
                if root is not None:
                    place_chart(outline, root)

    def _shared_strings(self) -> list[str]:
        root = parse_part(self._archive, "xl/sharedStrings.xml")
        if root is None:
            return []
        return [_rich(item) for item in root.iter(f"{_M}si")]

    def _cell_formats(self) -> list[str]:
        root = parse_part(self._archive, "xl/styles.xml")
        if root is None:
            return []
        codes = dict(BUILT_IN)
        for item in root.iter(f"{_M}numFmt"):
            key = item.get("numFmtId", "")
            if key.isdigit():
                codes[int(key)] = item.get("formatCode", "")
        table = root.find(f"{_M}cellXfs")
        keys = [xf.get("numFmtId", "0") for xf in table] if table is not None else []
        return [codes.get(int(key), "") if key.isdigit() else "" for key in keys]

    def _grid(self, part: str, name: str) -> tuple[Grid, list[Merge]]:
        grid: Grid = {}
        merges: list[Merge] = []
        try:
            stream = self._archive.open(part)
        except KeyError:
            return grid, merges
        number = 0
        with stream:
            tags = (f"{_M}row", f"{_M}mergeCell")
            for _, element in etree.iterparse(
                stream, tag=tags, resolve_entities=False, no_network=True, load_dtd=False
            ):
                if element.tag == tags[1]:
                    merges += _merge(element.get("ref", ""))
                    continue
                if len(grid) > self._cap:
                    self._warnings.append(f"Only {self._cap} rows of sheet {name} were read.")
                    break
                given = element.get("r", "")
                number = int(given) - 1 if given.isdigit() else number + 1
                if element.get("hidden") not in ("1", "true"):
                    cells = self._cells(element)
                    if cells:
                        grid[number] = cells
                element.clear()
        return grid, merges

    def _cells(self, row: etree._Element) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = -1
        for cell in row.iter(f"{_M}c"):
            match = _REFERENCE.match(cell.get("r", ""))
            column = _column(match.group(1)) if match else column + 1
            if column < _MAX_COLUMNS and (text := self._shown(cell)):
                cells[column] = text
        return cells

    def _shown(self, cell: etree._Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find(f"{_M}is")
            return "" if inline is None else _rich(inline)
        value = cell.findtext(f"{_M}v") or ""
        if kind == "s":
            is_known = value.isdigit() and int(value) < len(self._strings)
            return self._strings[int(value)] if is_known else ""
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind in ("str", "e", "d"):
            return value
        style = cell.get("s", "0")
        is_known = style.isdigit() and int(style) < len(self._formats)
        code = self._formats[int(style)] if is_known else ""
        try:
            return shown_number(float(value), code, since_1904=self._since_1904) if value else ""
        except (ValueError, OverflowError):
            return value


def _rich(element: etree._Element) -> str:
    """The text of a string item without phonetic hints."""
    texts = [
        t.text or ""
        for t in element.iter(f"{_M}t")
        if (parent := t.getparent()) is not None and parent.tag != f"{_M}rPh"
    ]
    return "".join(texts)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _merge(reference: str) -> list[Merge]:
    ends = [_REFERENCE.match(end) for end in reference.split(":")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return []
    (left, top), (right, bottom) = ends[0].groups(), ends[1].groups()
    return [(int(top) - 1, _column(left), int(bottom) - 1, _column(right))]


def _place_other(outline: Outline, source: Source, warnings: list[str]) -> None:
    """XLS, XLSB and ODS by calamine, which knows values but not how they are shown."""
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(source.path))
        for meta in workbook.sheets_metadata:
            if meta.visible != python_calamine.SheetVisibleEnum.Visible:
                warnings.append(f"The hidden sheet {meta.name} was left out.")
                continue
            sheet = workbook.get_sheet_by_name(meta.name)
            grid: Grid = {}
            for i, row in enumerate(sheet.iter_rows()):
                if i > source.limits.rows:
                    warnings.append(f"Only {source.limits.rows} rows of {meta.name} were read.")
                    break
                grid[i] = {k: text for k, cell in enumerate(row) if (text := _value(cell))}
            outline.heading(meta.name, 1)
            place_sheet(outline, grid, [])
    except python_calamine.PasswordError as error:
        raise ReadError("encrypted", "The workbook is protected by a password.") from error
    except python_calamine.CalamineError as error:
        raise ReadError("corrupt", "The workbook is damaged and can't be opened.") from error


def _value(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float | int):
        return plain_number(float(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
