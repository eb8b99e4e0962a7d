"""Rows of cells to tables with a header; CSV and TSV files."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from connectors.readers import headed
from connectors.readers.errors import ReadError
from connectors.readers.industry import sensors
from connectors.readers.industry.rows import recognised
from connectors.readers.media import TSV
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, decode

_FIGURE = re.compile(
    r"^[(\[]?[-+−–]?\s*(?:R\$|US\$|[$€£¥])?\s*[-+−]?\s*\(?\d[\d.,\s']*\)?\s*"
    r"(?:%|‰|[kKmMbB]{1,2}|x|pp|bps)?[)\]]?\*?$"
)
_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?$")
_YEAR = re.compile(r"^(19|20)\d\d(E|e|P|p)?$")
_DASH = frozenset({"-", "–", "—", "−"})
_CURRENCY = frozenset({"$", "€", "£", "¥", "R$", "US$", "BRL", "USD", "EUR", "GBP"})
_TAIL = frozenset({")", "%", ")%", "pp", "bps"})


def is_figure(cell: str) -> bool:
    """Whether a cell holds an amount, a percentage, a date or a dash for nothing."""
    return bool(_FIGURE.match(cell) or _DATE.match(cell)) or cell in _DASH


def is_name(cell: str) -> bool:
    """Whether a cell can name a column: a year or no figure."""
    return bool(_YEAR.match(cell)) or not is_figure(cell)


def is_header(row: Sequence[str], width: int) -> bool:
    """Whether a row can name columns: mostly filled, no figures except years."""
    filled = [cell for cell in row if cell]
    if len(filled) * 2 < width or (width > 1 and len(filled) < 2):
        return False
    return all(map(is_name, filled))


def join_headers(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Several header rows as one: the cells above each other joined, repetitions dropped."""
    joined = []
    for column in zip(*rows, strict=True):
        words: list[str] = []
        for cell in column:
            if cell and cell not in words:
                words.append(cell)
        joined.append(" ".join(words))
    return tuple(joined)


def merge_signs(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Join a lone `$` to the figure on its right and a lone `)` or `%` to the one on its left."""
    result = []
    for row in rows:
        cells = list(row)
        for i, cell in enumerate(cells):
            if cell in _CURRENCY:
                after = next((k for k in range(i + 1, min(i + 3, len(cells))) if cells[k]), None)
                if after is not None and is_figure(cells[after]):
                    cells[after], cells[i] = cell + cells[after], ""
            elif cell in _TAIL:
                before = next((k for k in range(i - 1, max(i - 3, -1), -1) if cells[k]), None)
                end = cells[before][-1:] if before is not None else ""
                if before is not None and (end.isdigit() or end == ")" or end in _DASH):
                    cells[before], cells[i] = cells[before] + cell, ""
        result.append(cells)
    return result


def place_table(outline: Outline, rows: Sequence[Sequence[str]]) -> None:
    """Add rows of unknown make-up: titles above as captions, then a table with its header."""
    rows = [[clean(cell) for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        return
    width = max(len(row) for row in rows)
    start = 0
    while width > 2 and start < len(rows) - 2 and sum(map(bool, rows[start])) == 1:
        outline.caption(" ".join(rows[start]).strip())
        start += 1
    body = [[*row, *[""] * (width - len(row))] for row in rows[start:]]
    n_header = 1 if is_header(body[0], width) and len(body) > 1 else 0
    header = body[0] if n_header else [""] * width
    outline.table([header, *body[n_header:]])


def read(source: Source) -> Reading:
    """Read a CSV or TSV file: any encoding, delimiter found by its regularity."""
    text = decode(source.path.read_bytes())
    delimiter = "\t" if source.media_type == TSV else best_delimiter(text[:65_536])
    csv.field_size_limit(10_000_000)
    if (known := headed.reading(source, text, delimiter)) is not None:
        return known
    if sensors.fits(
        list(itertools.islice(sensors.rows_of(text, delimiter), sensors.LEAST_ROWS + 1))
    ):
        return sensors.read(source, sensors.rows_of(text, delimiter))
    warnings: list[str] = []
    rows = list(_capped(_rows(text, delimiter), source.limits.rows, warnings))
    if not rows:
        raise ReadError("empty", "The table holds no cells.")
    outline = Outline()
    place_table(outline, rows)
    title = best_title(None, None, source.name)
    reading = Reading(source.media_type, title, tuple(outline.blocks), warnings=tuple(warnings))
    return recognised(reading, source.limits.rows)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    text = text.replace("\x00", "")
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise ReadError(
            "corrupt", "The table has a field that never ends; check its quotes."
        ) from (error)


def _capped(rows: Iterable[list[str]], cap: int, warnings: list[str]) -> Iterator[list[str]]:
    n_rows = 0
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if n_rows > cap:
            warnings.append(f"Only the first {cap} rows were read.")
            return
        n_rows += 1
        yield row


def best_delimiter(sample: str) -> str:
    """The delimiter that gives most rows the same number of cells, at least two."""
    best, best_score = ",", 0.0
    lines = sample.splitlines()[:50]
    for delimiter in (",", ";", "\t", "|"):
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        usual = max(set(widths), key=widths.count, default=1)
        if usual < 2:
            continue
        score = widths.count(usual) / len(widths) + 0.01 * usual
        if score > best_score:
            best, best_score = delimiter, score
    return best
