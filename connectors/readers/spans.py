"""Tables with merged cells as plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.readers.outline import Outline
from connectors.readers.tables import is_figure, is_header, is_name, join_headers, merge_signs

_MAX_ACROSS = 200
_MAX_DOWN = 2_000
_MAX_LABEL = 200
_MAX_HEADER = 6


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
    if n_header == len(rows):
        n_header = 0  # names without anything below them are a row
    plain = _columns(merge_signs(expand(rows, n_header)), n_header)
    if n_header == 0:
        header: Sequence[str] = [""] * len(plain[0])
        if is_header([cell for cell in plain[0] if cell], sum(map(bool, plain[0]))):
            header, n_header = plain[0], 1
    else:
        header = join_headers(plain[:n_header])
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
    return n_marked or _above_labels(rows) or _above_names(rows)


def _above_labels(rows: Sequence[Sequence[Cell]]) -> int:
    """The rows of names above rows with a label and figures.

    These rows leave the place of the label empty, or put a remark on all figures there; one that
    has a label of its own names parts of the row above.
    """
    n_header = 0
    for i, row in enumerate(rows[:_MAX_HEADER]):
        first, *names = [cell.text for cell in row]
        is_label = bool(first) and not (first.startswith("(") and any(names))
        if is_label and n_header and not (any(names) and _is_divided(rows[i - 1], row)):
            break
        if not all(map(is_name, names)):
            break
        n_header += 1
    body = rows[n_header : n_header + _MAX_HEADER]
    if not any(row[0].text and any(is_figure(cell.text) for cell in row[1:]) for row in body):
        return 0
    first, *names = [cell.text for cell in rows[n_header - 1]]
    has_names = any(names) and (n_header > 1 or not first or first.startswith("("))
    return n_header if has_names and body[0][0].text else 0


def _above_names(rows: Sequence[Sequence[Cell]]) -> int:
    """The rows with names over several columns, and the row below that names each of these."""
    n_header = 0
    for i, row in enumerate(rows[:4]):
        texts = [cell.text for cell in row]
        if i > 1 and texts[0] and not rows[i - 1][0].text:
            break  # the first row with a label, below headers that leave its column empty
        if not all(map(is_name, texts)):
            break
        n_header += 1
        if i + 1 == len(rows) or not _is_divided(row, rows[i + 1]):
            break
    last = [cell.text for cell in rows[n_header - 1]]
    return n_header if n_header and is_header(last, len(last)) else 0


def _is_divided(row: Sequence[Cell], below: Sequence[Cell]) -> bool:
    """Whether a cell covers several of the row below; cells that reach down count as such."""
    if any(cell.down > 1 for cell in row):
        return True
    starts, column = set(), 0
    for cell in below:
        starts.add(column)
        column += cell.across
    column = 0
    for cell in row:
        if cell.text and not starts.isdisjoint(range(column + 1, column + cell.across)):
            return True
        column += cell.across
    return False


def _columns(plain: list[list[str]], n_header: int) -> list[list[str]]:
    """One column for each name: pages set a sum in several, for its `$`, its digits and space.

    Columns under the same names become one if no row fills two of them, and one that holds
    nothing goes with that beside it under the same merged name.
    """
    header, body = plain[:n_header], plain[n_header:]
    if not (header and body):
        return plain
    groups: list[list[int]] = []
    for i in range(len(plain[0])):
        names = [row[i] for row in header]
        above = groups[-1] if groups else []
        is_same = bool(above) and any(names) and names == [row[above[0]] for row in header]
        if is_same and all(sum(bool(row[k]) for k in (*above, i)) <= 1 for row in body):
            above.append(i)
        else:
            groups.append([i])
    firsts = [group[0] for group in groups]
    named = [[row[i] for i in firsts] for row in header]
    joined = [["".join(row[i] for i in group) for group in groups] for row in body]
    filled = [any(row[i] for row in joined) for i in range(len(groups))]
    kept = [i for i, has in enumerate(filled) if has or not all(_lent(r, i, filled) for r in named)]
    return [[row[i] for i in kept] for row in (*named, *joined)]


def _lent(row: Sequence[str], column: int, filled: Sequence[bool]) -> bool:
    """Whether a column that holds nothing has its name from a merged cell over one that does."""
    if not row[column]:
        return True
    for step in (-1, 1):
        i = column + step
        while 0 <= i < len(row) and row[i] == row[column]:
            if filled[i]:
                return True
            i += step
    return False
