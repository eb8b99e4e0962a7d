"""Tables with merged cells as plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.readers.outline import Outline
from connectors.readers.tables import is_figure, is_header, join_headers, merge_signs

_MAX_ACROSS = 200
_MAX_DOWN = 2_000
_MAX_LABEL = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that covers `across` columns and `down` rows."""

    text: str
    across: int = 1
    down: int = 1
    is_header: bool = False


def expand(rows: Sequence[Sequence[Cell]], n_header: int) -> list[list[str]]:
    """Rows of single cells: a merge is repeated downwards, and sideways in header rows only."""
    grid: list[dict[int, str]] = [{} for _ in rows]
    for i, row in enumerate(rows):
        column = 0
        for cell in row:
            while column in grid[i]:
                column += 1
            for down in range(min(cell.down, _MAX_DOWN, len(rows) - i)):
                for across in range(min(cell.across, _MAX_ACROSS)):
                    repeated = across == 0 or i < n_header
                    grid[i + down][column + across] = cell.text if repeated else ""
            column += min(cell.across, _MAX_ACROSS)
    for i, row in enumerate(rows):
        if all(1 < cell.down < len(rows) for cell in row):
            grid[i] = {}  # nothing but the start of cells that the rows below repeat
    width = max((max(row, default=-1) for row in grid), default=-1) + 1
    return [[row.get(column, "") for column in range(width)] for row in grid]


def place_cells(
    outline: Outline,
    rows: Sequence[Sequence[Cell]],
    marked: int = 0,
    page: int | None = None,
) -> None:
    """Add a table; `marked` header rows are known (0: find them); one column is running text."""
    rows = [row for row in rows if row]
    if not rows:
        return
    if max(sum(cell.across for cell in row) for row in rows) == 1:
        if len(rows) > 1 and all(len(row[0].text) <= _MAX_LABEL for row in rows):
            outline.table([[""], *([row[0].text] for row in rows)], page)
            return
        for row in rows:
            outline.paragraph(row[0].text, page)
        return
    n_header = marked or _header_rows(rows)
    plain = merge_signs(expand(rows, n_header))
    if n_header == 0:
        header: Sequence[str] = [""] * len(plain[0])
        if is_header([cell for cell in plain[0] if cell], sum(map(bool, plain[0]))):
            header, n_header = plain[0], 1
    else:
        header = join_headers(plain[:n_header])
    if len(plain) == n_header:
        header, n_header = [""] * len(plain[0]), 0
    outline.table([header, *plain[n_header:]], page)


def _header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """The leading rows that are all header cells, or a merged row above a row of names."""
    n_marked = 0
    for row in rows:
        if not all(cell.is_header or not cell.text for cell in row) or not any(
            cell.is_header for cell in row
        ):
            break
        n_marked += 1
        if not any(cell.across > 1 or cell.down > 1 for cell in row):
            break
    if n_marked:
        return n_marked
    width = max(sum(cell.across for cell in row) for row in rows)
    n_header = 0
    for i, row in enumerate(rows[:4]):
        texts = [cell.text for cell in row]
        if i > 1 and texts[0] and not rows[i - 1][0].text:
            break  # the first row with a label, below headers that leave its column empty
        if any(is_figure(text) and not text.isdigit() for text in texts if text):
            break
        n_header += 1
        if not any(1 < cell.across < width for cell in row):
            break
    first_is_names = n_header > 0 and is_header(
        [cell.text for cell in rows[n_header - 1]], len(rows[n_header - 1])
    )
    return n_header if first_is_names else 0
