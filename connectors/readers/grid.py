"""Tables of a PDF page: rows of segments to cells, columns found where the figures stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import median
from typing import TYPE_CHECKING

from connectors.readers.cells import cells_of, shown, stand_below
from connectors.readers.lines import Line, Segment
from connectors.readers.tables import is_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

_EDGE = 4.0
_PERIOD = re.compile(
    r"\b(ended|ending|as of|as at|findos?|encerrados?|posição em)\b", re.IGNORECASE
)
_QUANTITY = re.compile(
    r"^(?!(19|20)\d\d\b)\d[\d.,]*\s?(?!Q\d|days?\b|dias?\b|weeks?\b|years?\b|anos?\b|mês\b)"
    r"[^\W\d]{1,4}([/·]\S+)?$"
)
_TOTAL = re.compile(r"^(sub)?total\b", re.IGNORECASE)
_RESULT = re.compile(r"^(net cash|caixa líquido)\b", re.IGNORECASE)
"""What ends a part of a statement of cash flows, however far it is indented."""


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
class Row:
    """One row of a table: its cells and the printed lines they came from."""

    cells: list[str]
    lines: list[Line]

    @property
    def label(self) -> str:
        """The text of the first cell."""
        return self.cells[0]

    @property
    def x0(self) -> float:
        """The left edge of the last line's first word."""
        return self.lines[-1].words[0].x0

    def join(self, other: Row) -> None:
        """Append the cells of a line that goes on with this row."""
        self.cells = [f"{a} {b}".strip() for a, b in zip(self.cells, other.cells, strict=True)]
        self.lines = self.lines + other.lines


@dataclass
class Section:
    """A label without figures, under which rows stand that are indented further.

    `member` is where its last row begins, and `total` its last total that is indented further
    than the rows it sums: what follows at that indent is no part of the section (`Total cost of
    sales`, then `Gross margin`).
    """

    row: Row
    member: float = inf
    total: float = inf

    def holds(self, row: Row, x0: float) -> bool:
        """Whether a row that begins at `x0` belongs to the section."""
        is_inside = self.row.x0 < x0 - 1.5 and x0 < self.total - 1.5
        return is_inside and bool(row.label) and not _RESULT.match(row.label)

    def take(self, row: Row, x0: float) -> None:
        """Note a row of its own, not of a section inside it."""
        if _TOTAL.match(row.label) and x0 > self.member + 1.5:
            self.total = x0
        self.member = x0


@dataclass
class Table:
    """A header (empty texts where there is none) and the rows below it."""

    header: list[str]
    rows: list[Row]


def table_of(lines: Sequence[Line], rows: list[list[Segment]]) -> Table | None:
    """The table that lines make, if they do."""
    body = _first_data_row(lines, rows)
    columns = _columns(rows[body:])
    if len(columns) < 2 or not _is_table(rows[:body], rows[body:], columns):
        return None
    header = _header(rows[:body], columns)
    data = _body(lines[body:], rows[body:], columns)
    return Table(header, data) if data else None


def is_year_or_word(text: str) -> bool:
    """Whether a text may name a column: neither an amount nor a quantity with its unit."""
    if is_figure(text):
        return text.isdigit() and len(text) == 4
    return not _QUANTITY.match(text)


def _first_data_row(lines: Sequence[Line], rows: Sequence[list[Segment]]) -> int:
    """The first row with a figure that is no year, beside its label; else a lone header row."""
    for i, row in enumerate(rows[:8]):
        if any(not is_year_or_word(cell.text) for cell in row[1:]) or (
            len(row) > 1 and not is_year_or_word(row[0].text)
        ):
            return min(_back_to_label(rows, i), _end_of_bold(lines, rows))
    return 1 if len(rows) > 2 else 0


def _end_of_bold(lines: Sequence[Line], rows: Sequence[list[Segment]]) -> int:
    """The end of a bold header over rows of plain text, which hold no figures to tell them by."""
    n_bold = next((i for i, line in enumerate(lines) if not line.bold), len(lines))
    if not 0 < n_bold < len(rows) or len(rows[n_bold]) < 2:
        return len(rows)
    left = min(row[0].x0 for row in rows)
    return n_bold if rows[n_bold][0].x0 < left + 12 else len(rows)


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


def _is_table(
    header: Sequence[list[Segment]], rows: Sequence[list[Segment]], columns: Sequence[Column]
) -> bool:
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
    has_names = len(columns) > 2 and any(len(row) == len(columns) for row in header)
    return (
        len(full) >= 3 - has_names
        and aligned + figures >= 0.7 * cells
        and words < 12 * (cells + len(full))
    )


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


def _body(
    lines: Sequence[Line], rows: Sequence[list[Segment]], columns: Sequence[Column]
) -> list[Row]:
    """Data rows; lone labels become the start of the rows below, or the end of a long label."""
    data: list[Row] = []
    waiting: list[Row] = []
    sections: list[Section] = []
    spoken: set[int] = set()
    labels_end = max((row[0].x1 for row in rows if len(row) == 1), default=0.0)
    labels_end = max(labels_end, (columns[0].x0 + columns[1].x0) / 2)
    pitch = median([b.box[1] - a.box[3] for a, b in pairwise(lines)] or [0.0])
    for line, segments in zip(lines, rows, strict=True):
        row = _row(line, segments, columns)
        if not any(row.cells[1:]):
            if data and not waiting and row.label[:1].islower():
                data[-1].join(row)
            elif waiting and row.label[:1].islower() and not waiting[-1].label.endswith(":"):
                waiting[-1].join(row)
            else:
                waiting.append(row)
            continue
        if data and not waiting and _wraps(data[-1], row, segments, pitch):
            data[-1].join(row)
            continue
        x0 = segments[0].x0
        while waiting and _continues(waiting[-1], row, labels_end):
            label = waiting.pop()
            row = Row([f"{label.label} {row.label}", *row.cells[1:]], label.lines + row.lines)
        for label in waiting:
            sections = [s for s in sections if s.row.x0 < label.x0 - 2] + [Section(label)]
            data.append(label)
        waiting = []
        sections = [s for s in sections if s.holds(row, x0)]
        if sections:
            sections[-1].take(row, x0)
        spoken.update(id(section.row) for section in sections)
        above = [section.row.label.rstrip(":") + ":" for section in sections]
        row.cells[0] = " ".join([*above, row.label]).strip()
        data.append(row)
    return [row for row in data + waiting if id(row) not in spoken]


def _row(line: Line, segments: Sequence[Segment], columns: Sequence[Column]) -> Row:
    placed: list[list[str]] = [[] for _ in columns]
    for segment in segments:
        placed[_nearest(columns, segment)].append(shown(segment))
    return Row([" ".join(parts) for parts in placed], [line])


def _wraps(above: Row, row: Row, segments: Sequence[Segment], pitch: float) -> bool:
    """Whether a line of text goes on with the cells of the row above it."""
    line, last = row.lines[0], above.lines[-1]
    starts = [cell for other in above.lines for cell in cells_of(other)]
    if line.bold != last.bold or not stand_below(segments, starts):
        return False
    gap = line.box[1] - last.box[3]
    if row.label:
        return row.label[:1].islower() and gap < 0.5 * pitch
    return gap < max(0.5 * pitch, 0.35 * line.size)


def _continues(label: Row, below: Row, labels_end: float) -> bool:
    """Whether a label without figures is the first line of the label below it."""
    if label.label.endswith(":"):
        return False
    end = label.lines[0].box[2]
    return below.label[:1].islower() or (end > 0.92 * labels_end and label.x0 <= below.x0)
