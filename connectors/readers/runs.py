"""Where tables begin and end among the lines of one column of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.readers.cells import cells_of, stand_below
from connectors.readers.grid import Table, is_year_or_word, table_of
from connectors.readers.tables import is_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.readers.lines import Line, Segment

LABELLED = re.compile(
    r"^(table|figure|fig\.|exhibit|tabela|figura|quadro|gráfico)\s+\w*\d", re.IGNORECASE
)
_ALIGNED = 5.0
_REMARK = re.compile(r"^\([^()]*\)$")
_NUMBERED = re.compile(r"^\d+(\.\d+)*\.?\s+[^\W\d]")


def find_tables(lines: Sequence[Line]) -> list[tuple[int, int, Table]]:
    """The tables among the lines of one column of a page, as (start, end, table)."""
    rows = [cells_of(line) for line in lines]
    found: list[tuple[int, int, Table]] = []
    i = 0
    while i < len(lines):
        if len(rows[i]) < 2 or _is_prose(rows[i]):
            i += 1
            continue
        end = _run_end(lines, rows, i)
        start = _run_start(lines, rows, i, found[-1][1] if found else 0)
        table = table_of(lines[start:end], rows[start:end]) if end - i >= 2 else None
        if table is None:
            i = max(i + 1, end)
            continue
        found.append((start, end, table))
        i = end
    return found


def _is_prose(row: Sequence[Segment]) -> bool:
    """Running text, perhaps behind a footnote mark or a bullet."""
    has_figures = any(is_figure(cell.text) for cell in row[1:])
    is_narrow = len(row) < 4
    return is_narrow and not has_figures and max(len(cell.words) for cell in row) >= 9


def _near(above: Line, below: Line, factor: float) -> bool:
    return below.box[1] - above.box[3] < factor * max(above.size, below.size)


def _run_end(lines: Sequence[Line], rows: Sequence[list[Segment]], start: int) -> int:
    """The end of a run of rows; single labels may lie between rows, running text may not."""
    end = i = start + 1
    has_data = False
    while i < len(lines) and i - end < 4 and _near(lines[i - 1], lines[i], 2.6):
        if _resumes(lines, rows, start, i):
            i += 1
            continue
        if _is_prose(rows[i]):
            break
        ahead = [
            line
            for line, row in zip(lines[start : i + 5], rows[start:], strict=False)
            if len(row) > 1
        ]
        if _separates(lines[i], rows[i], max(line.size for line in ahead)):
            break
        left, right = min(line.box[0] for line in ahead), max(line.box[2] for line in ahead)
        goes_on = _goes_on(lines, rows, i)
        if has_data and (
            (_starts_header(rows[i], left) and not goes_on)
            or _stands_elsewhere(rows[start:end], rows[i])
        ):
            break
        if len(rows[i]) >= 2:
            has_data = has_data or any(not is_year_or_word(cell.text) for cell in rows[i][1:])
            end = i + 1
        elif goes_on:
            end = i + 1
        elif lines[i].box[2] - lines[i].box[0] > 0.85 * (right - left):
            break
        i += 1
    return end


def _resumes(lines: Sequence[Line], rows: Sequence[list[Segment]], start: int, i: int) -> bool:
    """Whether a line is a label, however long, that rows with figures in the same columns follow.

    Otherwise a label that fills the line would cut a statement in two, and a title in its middle
    (`LIABILITIES AND EQUITY`) would pass for the header of another table.
    """
    if len(rows[i]) > 1 or lines[i].text.endswith(".") or lines[i].item:
        return False
    edges = [cell.x1 for row in rows[start:i] for cell in row[1:] if not is_year_or_word(cell.text)]
    if not edges or lines[i].size > 1.12 * max(line.size for line in lines[start:i]):
        return False
    for k in range(i + 1, min(i + 4, len(lines))):
        if not _near(lines[k - 1], lines[k], 2.6) or LABELLED.match(lines[k].text):
            return False
        figures = [cell for cell in rows[k][1:] if is_figure(cell.text)]
        if len(rows[k]) > 1:
            has_amounts = any(not is_year_or_word(cell.text) for cell in figures)
            return has_amounts and all(
                any(abs(cell.x1 - edge) < _ALIGNED for edge in edges) for cell in figures
            )
    return False


def _separates(line: Line, row: Sequence[Segment], size: float) -> bool:
    """Whether a line is a heading, a caption or an item of a list, none of which is a row."""
    if len(row) > 1:
        return False
    if line.size > 1.12 * size or line.item or LABELLED.match(line.text):
        return True
    return line.bold and bool(_NUMBERED.match(line.text))


def _goes_on(lines: Sequence[Line], rows: Sequence[list[Segment]], i: int) -> bool:
    """Whether a line without a label goes on with cells of the line above it."""
    above, below = lines[i - 1], lines[i]
    is_tight = below.box[1] - above.box[3] < 0.35 * below.size and above.bold == below.bold
    return is_tight and rows[i][0].x0 > above.box[0] + 30 and stand_below(rows[i], rows[i - 1])


def _starts_header(row: Sequence[Segment], left: float) -> bool:
    """A row of names or years without a label: what stands above the next table's figures."""
    return row[0].x0 > left + 30 and all(is_year_or_word(cell.text) for cell in row)


def _stands_elsewhere(rows: Sequence[list[Segment]], row: Sequence[Segment]) -> bool:
    """Whether no figure of a row stands below any figure of the last rows."""
    figures = [cell for cell in row[1:] if is_figure(cell.text)]
    above = [
        cell
        for other in rows[-12:]
        for cell in other[1:]
        if is_figure(cell.text) and len(other) > 2
    ]
    if len(figures) < 2 or len(above) < 4:
        return False
    return all(min(a.x1, b.x1) < max(a.x0, b.x0) for a in figures for b in above)


def _run_start(lines: Sequence[Line], rows: Sequence[list[Segment]], start: int, floor: int) -> int:
    """Pull header lines into the table: short text above it that starts right of the labels."""
    cells = [cell for row in rows[start : start + 8] for cell in row[1:]]
    figures = [cell for cell in cells if is_figure(cell.text)] or cells
    west, east = min(cell.x0 for cell in figures), max(cell.x1 for cell in figures)
    size = max(line.size for line in lines[start : start + 8])
    first = start
    while first > floor and start - first < 4:
        line = lines[first - 1]
        middle = (line.box[0] + line.box[2]) / 2
        is_above = line.box[0] > west - 10 or abs(middle - (west + east) / 2) < 15
        is_short = len(rows[first - 1]) == 1 and len(line.text) <= 90
        is_apart = _separates(line, rows[first - 1], size)
        if is_apart or not (is_above and is_short and _near(line, lines[first], 1.6)):
            break
        first -= 1
    while first < start and _REMARK.match(lines[first].text):
        first += 1  # `(In millions)` below a title is meant for all columns, not for the first
    return first
