"""Tables of a PDF page: rows of segments to cells, columns found where the figures stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.readers.lines import Line, Segment
from connectors.readers.tables import is_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = frozenset({"$", "€", "£", "¥", "R$", "US$", "(", "$(", "-$"})
_TAILS = frozenset({")", "%", ")%", "*"})
_EDGE = 4.0
_PERIOD = re.compile(
    r"\b(ended|ending|as of|as at|findos?|encerrados?|posição em)\b", re.IGNORECASE
)


@dataclass
class Column:
    """A vertical strip that holds one cell of each row."""

    x0: float
    x1: float
    is_figures: bool = False

    def overlap(self, segment: Segment) -> float:
        """How many points of a segment lie in the strip (negative: the distance to it)."""
        return min(self.x1, segment.x1) - max(self.x0, segment.x0)


@dataclass
class Table:
    """Cells with the header row first, and the lines they came from."""

    cells: list[list[str]]
    lines: list[Line] = field(default_factory=list)


def cells_of(line: Line) -> list[Segment]:
    """The segments of a line with lone signs joined to their figures: `$ | 5 | )` → `$ 5 )`."""
    joined: list[Segment] = []
    for segment in (part for whole in line.segments for part in _unpacked(whole)):
        before = joined[-1] if joined else None
        if before and (
            (before.text in _SIGNS and (is_figure(segment.text) or segment.text[:1] in "(-"))
            or (segment.text in _TAILS and before.text[-1:].isdigit())
        ):
            joined[-1] = before.join(segment)
        else:
            joined.append(segment)
    return joined


def _unpacked(segment: Segment) -> list[Segment]:
    """A segment of nothing but amounts is several cells that stand close."""
    words = segment.words
    texts = [word.text for word in words]
    if len(words) < 2 or not all(is_figure(t) or t in _SIGNS or t in _TAILS for t in texts):
        return [segment]
    starts = [
        i
        for i in range(1, len(words))
        if texts[i] not in _TAILS and texts[i - 1] not in _SIGNS and not _is_spaced(texts, i)
    ]
    edges = [0, *starts, len(words)]
    return [Segment(words[a:b]) for a, b in pairwise(edges)]


def _is_spaced(texts: Sequence[str], i: int) -> bool:
    """Whether a space separates thousands here, as in `1 234 567`."""
    return (
        len(texts[i]) == 3
        and texts[i].isdigit()
        and texts[i - 1].isdigit()
        and len(texts[i - 1]) <= 3
    )


def shown(segment: Segment) -> str:
    """The text of a cell with signs set as in print: `$ 1,234` → `$1,234`, `5 %` → `5%`."""
    text = segment.text
    if any(sign in text for sign in ("$ ", "( ", " )", " %", "€ ", "£ ")):
        for loose, tight in (("$ ", "$"), ("( ", "("), (" )", ")"), (" %", "%"), ("€ ", "€")):
            if is_figure(text) or text in ("$ —", "$ -", "$ –"):
                text = text.replace(loose, tight)
    return text


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
        table = _table(lines[start:end], rows[start:end]) if end - i >= 2 else None
        if table is None:
            i = max(i + 1, end)
            continue
        found.append((start, end, table))
        i = end
    return found


def _is_prose(row: Sequence[Segment]) -> bool:
    """Running text, perhaps behind a footnote mark or a bullet."""
    has_figures = any(is_figure(cell.text) for cell in row[1:])
    return not has_figures and max(len(cell.words) for cell in row) >= 9


def _near(above: Line, below: Line, factor: float) -> bool:
    return below.box[1] - above.box[3] < factor * max(above.size, below.size)


def _run_end(lines: Sequence[Line], rows: Sequence[list[Segment]], start: int) -> int:
    """The end of a run of rows; single labels may lie between rows, running text may not."""
    end = i = start + 1
    has_data = False
    while i < len(lines) and i - end < 4 and _near(lines[i - 1], lines[i], 2.6):
        ahead = [
            line
            for line, row in zip(lines[start : i + 5], rows[start:], strict=False)
            if len(row) > 1
        ]
        left, right = min(line.box[0] for line in ahead), max(line.box[2] for line in ahead)
        if _is_prose(rows[i]) or (has_data and _starts_header(rows[i], left)):
            break
        if len(rows[i]) >= 2:
            has_data = has_data or any(not _is_year_or_word(cell.text) for cell in rows[i][1:])
            end = i + 1
        elif lines[i].box[2] - lines[i].box[0] > 0.85 * (right - left):
            break
        i += 1
    return end


def _starts_header(row: Sequence[Segment], left: float) -> bool:
    """A row of names or years without a label: what stands above the next table's figures."""
    return row[0].x0 > left + 30 and all(_is_year_or_word(cell.text) for cell in row)


def _run_start(lines: Sequence[Line], rows: Sequence[list[Segment]], start: int, floor: int) -> int:
    """Pull header lines into the table: short text above it that starts right of the labels."""
    cells = [cell for row in rows[start : start + 8] for cell in row[1:]]
    figures = [cell for cell in cells if is_figure(cell.text)] or cells
    west, east = min(cell.x0 for cell in figures), max(cell.x1 for cell in figures)
    first = start
    while first > floor and start - first < 4:
        line = lines[first - 1]
        middle = (line.box[0] + line.box[2]) / 2
        is_above = line.box[0] > west - 10 or abs(middle - (west + east) / 2) < 15
        is_short = len(rows[first - 1]) == 1 and len(line.text) <= 90
        if not (is_above and is_short and _near(line, lines[first], 1.6)):
            break
        first -= 1
    return first


def _table(lines: Sequence[Line], rows: list[list[Segment]]) -> Table | None:
    body = _first_data_row(rows)
    columns = _columns(rows[body:])
    if len(columns) < 2 or not _is_table(rows[body:], columns):
        return None
    header = _header(rows[:body], columns)
    data = _body(rows[body:], columns)
    return Table([header, *data], list(lines)) if data else None


def _is_year_or_word(text: str) -> bool:
    return not is_figure(text) or (text.isdigit() and len(text) == 4)


def _first_data_row(rows: Sequence[list[Segment]]) -> int:
    """The first row with a figure that is no year, beside its label; else a lone header row."""
    for i, row in enumerate(rows[:8]):
        if any(not _is_year_or_word(cell.text) for cell in row[1:]) or (
            len(row) > 1 and not _is_year_or_word(row[0].text)
        ):
            return _back_to_label(rows, i)
    return 1 if len(rows) > 2 else 0


def _back_to_label(rows: Sequence[list[Segment]], i: int) -> int:
    """Labels such as `Net sales:` right above the first figures belong to the body."""
    left = min(row[0].x0 for row in rows[i : i + 6])
    while i > 0 and len(rows[i - 1]) == 1 and rows[i - 1][0].x0 < left + 12:
        i -= 1
    return i


def _columns(rows: Sequence[list[Segment]]) -> list[Column]:
    """The label strip, then a strip for each pile of figures or of text with one left edge."""
    figures: list[Column] = []
    for segment in sorted(
        (cell for row in rows for cell in row[1:] if is_figure(cell.text)),
        key=lambda cell: cell.x1 - cell.x0,
    ):
        hit = [column for column in figures if column.overlap(segment) > 0]
        if not hit:
            figures.append(Column(segment.x0, segment.x1, True))
        elif len(hit) == 1:
            hit[0].x0, hit[0].x1 = min(hit[0].x0, segment.x0), max(hit[0].x1, segment.x1)
    texts = _text_columns(rows, figures)
    columns = sorted([*figures, *texts], key=lambda column: column.x0)
    first = min((column.x0 for column in columns), default=0.0)
    starts = [row[0] for row in rows if row[0].x0 < first - 1]
    if starts:
        left = min(cell.x0 for cell in starts)
        right = max((cell.x1 for cell in starts if cell.x1 < first), default=first - 1)
        columns.insert(0, Column(left, right))
    return columns


def _text_columns(rows: Sequence[list[Segment]], figures: Sequence[Column]) -> list[Column]:
    edges: list[list[Segment]] = []
    others = [cell for row in rows for cell in row[1:] if not is_figure(cell.text)]
    for cell in sorted(others, key=lambda cell: cell.x0):
        if edges and cell.x0 - edges[-1][0].x0 <= _EDGE:
            edges[-1].append(cell)
        else:
            edges.append([cell])
    columns: list[Column] = []
    needed = 2 if len(rows) < 12 else 3
    for cells in edges:
        column = Column(cells[0].x0, min(max(c.x1 for c in cells), cells[0].x0 + 40))
        near = [*figures, *columns]
        if len(cells) >= needed and all(other.overlap(cells[0]) < 0 for other in near):
            columns.append(column)
    return columns


def _is_table(rows: Sequence[list[Segment]], columns: Sequence[Column]) -> bool:
    """Enough rows with figures, or with text in the same columns."""
    full = [row for row in rows if len(row) >= 2]
    if len(full) < 2:
        return False
    figures = sum(is_figure(cell.text) for row in full for cell in row[1:])
    others = sum(len(row) - 1 for row in full) - figures
    if figures >= others and any(column.is_figures for column in columns):
        return True
    aligned = sum(
        any(abs(cell.x0 - column.x0) <= _EDGE for column in columns[1:])
        for row in full
        for cell in row[1:]
    )
    cells = figures + others
    words = sum(len(cell.words) for row in full for cell in row)
    return len(full) >= 3 and aligned + figures >= 0.7 * cells and words < 12 * (cells + len(full))


def _nearest(columns: Sequence[Column], segment: Segment) -> int:
    return max(range(len(columns)), key=lambda i: columns[i].overlap(segment))


def _header(rows: Sequence[list[Segment]], columns: Sequence[Column]) -> list[str]:
    """One name a column: what stands above it, with headings that span columns repeated."""
    names: list[list[str]] = [[] for _ in columns]
    for row in rows:
        labels = [segment for segment in row if _nearest(columns, segment) == 0]
        above = [segment for segment in row if segment not in labels]
        for label in labels:
            # A period in the label's place (`Three Months Ended June 30,`) is meant for all.
            for name in names[1:] if _PERIOD.search(label.text) else names[:1]:
                name.append(shown(label))
        for segment, hit in zip(above, _spanned(columns, above), strict=True):
            for i in hit:
                names[i].append(shown(segment))
    return [" ".join(parts) for parts in names]


def _spanned(columns: Sequence[Column], row: Sequence[Segment]) -> list[list[int]]:
    """The columns that each segment of a header row stands above."""
    values = list(range(1, len(columns)))
    each, rest = divmod(len(values), len(row)) if row else (0, 0)
    if each > 1 and not rest and _is_shared(columns, row, each):
        return [values[k * each : (k + 1) * each] for k in range(len(row))]
    result = []
    for segment in row:
        hit = [i for i, column in enumerate(columns) if column.overlap(segment) > 1]
        if len(row) >= len(columns) - 1 and len(hit) > 1:
            hit = []
        result.append(hit or [_nearest(columns, segment)])
    return result


def _is_shared(columns: Sequence[Column], row: Sequence[Segment], each: int) -> bool:
    """Whether each segment stands centred or flush right above its equal share of the columns."""
    for k, segment in enumerate(row):
        share = columns[1 + k * each : 1 + (k + 1) * each]
        west, east = share[0].x0, share[-1].x1
        is_flush = len(row) > 1 and abs(segment.x1 - east) < 6 and share[-2].x1 < segment.x1
        off_centre = abs((segment.x0 + segment.x1) / 2 - (west + east) / 2)
        if not is_flush and off_centre > max(15, 0.2 * (east - west)):
            return False
    return True


@dataclass
class _Label:
    text: str
    x0: float
    x1: float


def _body(rows: Sequence[list[Segment]], columns: Sequence[Column]) -> list[list[str]]:
    """Data rows; lone labels become the start of the rows below, or the end of a long label."""
    data: list[list[str]] = []
    waiting: list[_Label] = []
    sections: list[_Label] = []
    labels_end = max((row[0].x1 for row in rows if len(row) == 1), default=0.0)
    for row in rows:
        placed: list[list[str]] = [[] for _ in columns]
        for segment in row:
            placed[_nearest(columns, segment)].append(shown(segment))
        cells = [" ".join(parts) for parts in placed]
        if not any(cells[1:]):
            label = _Label(cells[0], row[0].x0, row[0].x1)
            if data and not waiting and label.text[:1].islower():
                data[-1][0] = f"{data[-1][0]} {label.text}"
            else:
                waiting.append(label)
            continue
        first = _Label(cells[0], row[0].x0, row[0].x1)
        for label in waiting:
            if _continues(label, first, labels_end):
                cells[0] = f"{label.text} {cells[0]}"
            else:
                sections = [s for s in sections if s.x0 < label.x0 - 2] + [label]
        waiting = []
        sections = [s for s in sections if cells[0] and s.x0 < first.x0 - 1.5]
        cells[0] = " ".join([*(s.text.rstrip(":") + ":" for s in sections), cells[0]]).strip()
        data.append(cells)
    data += [[label.text] + [""] * (len(columns) - 1) for label in waiting]
    return data


def _continues(label: _Label, below: _Label, labels_end: float) -> bool:
    """Whether a label without figures is the first line of the label below it."""
    if label.text.endswith(":"):
        return False
    return below.text[:1].islower() or (label.x1 > 0.92 * labels_end and label.x0 <= below.x0)
