"""The tables of a sheet: islands of filled cells, each with its header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.readers.outline import Outline
from connectors.readers.tables import is_figure, is_header, join_headers

Grid = Mapping[int, Mapping[int, str]]
Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column (from 0, inclusive)."""

_MAX_MERGED = 5_000


def place_sheet(outline: Outline, grid: Grid, merges: Sequence[Merge]) -> None:
    """Add the islands of a sheet: tables, and single cells as text."""
    cells = {row: dict(columns) for row, columns in grid.items() if columns}
    wide = _fill(cells, merges)
    header: tuple[tuple[int, int], tuple[str, ...]] | None = None
    for rows, columns in _islands(cells):
        header = _place(outline, cells, rows, columns, wide, header)


def _fill(cells: dict[int, dict[int, str]], merges: Sequence[Merge]) -> set[tuple[int, int]]:
    """Repeat merged text in all its cells; returns the cells that merge columns."""
    wide: set[tuple[int, int]] = set()
    for top, left, bottom, right in merges[:_MAX_MERGED]:
        text = cells.get(top, {}).get(left)
        if text is None or (bottom - top + 1) * (right - left + 1) > _MAX_MERGED:
            continue
        for row in range(top, bottom + 1):
            if row in cells:
                for column in range(left, right + 1):
                    cells[row].setdefault(column, text)
                    if right > left:
                        wide.add((row, column))
    return wide


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _strips(columns: Sequence[int]) -> list[list[int]]:
    """Runs of columns; a lone column belongs to the run beside it, as in forms."""
    strips: list[list[int]] = []
    for run in _runs(columns):
        is_lone = len(run) == 1 or (bool(strips) and len(strips[-1]) == 1)
        if strips and is_lone:
            strips[-1] += run
        else:
            strips.append(run)
    return strips


def _islands(cells: Mapping[int, Mapping[int, str]]) -> list[tuple[list[int], list[int]]]:
    """Blocks of rows and columns without an empty row or column between them."""
    found = []
    for rows in _runs(sorted(cells)):
        for columns in _strips(sorted({column for row in rows for column in cells[row]})):
            inner = [row for row in rows if any(column in cells[row] for column in columns)]
            for part in _runs(inner):
                found.append((part, columns))
    return found


def _place(
    outline: Outline,
    cells: Mapping[int, Mapping[int, str]],
    rows: Sequence[int],
    columns: Sequence[int],
    wide: set[tuple[int, int]],
    above: tuple[tuple[int, int], tuple[str, ...]] | None,
) -> tuple[tuple[int, int], tuple[str, ...]] | None:
    """Add one island; returns its columns and header for an island that continues it."""
    span = (columns[0], columns[-1])
    grid = [[cells[row].get(column, "") for column in columns] for row in rows]
    start = 0
    while start < len(grid) and _is_title(grid[start], rows[start], columns, wide):
        outline.caption(next(text for text in grid[start] if text))
        start += 1
    grid, rows = grid[start:], rows[start:]
    if not grid:
        return above
    if len(columns) == 1:
        for row in grid:
            outline.paragraph(row[0])
        return above
    n_header = _header_rows(grid, rows, columns, wide)
    if n_header:
        header = join_headers(grid[:n_header])
    elif above and above[0] == span:
        header = above[1]
    else:
        header = ("",) * len(columns)
    if n_header == len(grid):
        header, n_header = ("",) * len(columns), 0
    outline.table([header, *grid[n_header:]])
    return span, header


def _is_title(
    row: Sequence[str], number: int, columns: Sequence[int], wide: set[tuple[int, int]]
) -> bool:
    """One text alone in its row, or merged over all columns."""
    if len(columns) == 1:
        return False
    filled = [text for text in row if text]
    if len(filled) == 1 and len(columns) > 1:
        return not is_figure(filled[0])
    return len(set(row)) == 1 and all((number, column) in wide for column in columns)


def _header_rows(
    grid: Sequence[Sequence[str]],
    rows: Sequence[int],
    columns: Sequence[int],
    wide: set[tuple[int, int]],
) -> int:
    width = len(columns)
    for n_rows in range(1, min(4, len(grid))):
        row = grid[n_rows - 1]
        if not is_header(row, 0) or any(is_figure(cell) and not cell.isdigit() for cell in row):
            return 0
        if not any((rows[n_rows - 1], column) in wide for column in columns):
            return n_rows if is_header(row, width) or n_rows > 1 else 0
    return 1 if is_header(grid[0], width) else 0
