"""The words inside a drawn frame as the cells of a table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.readers.frames import Frame, find_frames
from connectors.readers.lines import Line, baselines, reading_lines
from connectors.readers.tables import is_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.readers.glyphs import PageWords, Word

_WIDE = 0.6
_MAX_YEAR_DIGITS = 4
_MAX_NAME = 120

CellLines = list[Line]


@dataclass(frozen=True)
class Framed:
    """A table as the lines of its cells, rows without text left out; the header comes first.

    `n_header` is 0 where no row names the columns.
    """

    rows: list[list[CellLines]]
    n_header: int


@dataclass(frozen=True)
class Flow:
    """A page in reading order; `tables` has what stands behind each line that is a placeholder."""

    lines: list[Line]
    tables: dict[int, Framed]


def page_flow(page: PageWords) -> Flow:
    """The lines of a page, with one placeholder line for each table that is drawn on it."""
    frames = find_frames(page.marks) if page.marks else []
    taken: list[tuple[Frame, list[Word], Framed]] = []
    rest = page.words
    for frame in frames:
        inside = [word for word in rest if _is_inside(frame, word)]
        table = _framed(frame, inside) if inside else None
        if table:
            taken.append((frame, inside, table))
            gone = set(map(id, inside))
            rest = [word for word in rest if id(word) not in gone]
    if not taken:
        return Flow(reading_lines(page.words), {})
    return _placed(rest, taken)


def _is_inside(frame: Frame, word: Word) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return frame.x0 - 1 <= x <= frame.x1 + 1 and frame.y0 - 1 <= y <= frame.y1 + 1


def _placed(rest: Sequence[Word], taken: Sequence[tuple[Frame, list[Word], Framed]]) -> Flow:
    """Tables as wide as the page cut its flow; narrow ones stand below what is above them."""
    left = min([*(w.x0 for w in rest), *(f.x0 for f, _, _ in taken)])
    right = max([*(w.x1 for w in rest), *(f.x1 for f, _, _ in taken)])
    lines: list[Line] = []
    tables: dict[int, Framed] = {}
    todo = list(rest)
    narrow: list[tuple[Frame, list[Word], Framed]] = []
    for frame, inside, table in taken:
        if frame.x1 - frame.x0 < _WIDE * (right - left):
            narrow.append((frame, inside, table))
            continue
        above = [word for word in todo if (word.y0 + word.y1) / 2 < frame.y0]
        gone = set(map(id, above))
        todo = [word for word in todo if id(word) not in gone]
        _append(lines, above)
        lines.append(Line(tuple(inside), _next_region(lines), len(tables)))
        tables[len(tables)] = table
    _append(lines, todo)
    for frame, inside, table in narrow:
        at = _place_of(frame, lines)
        lines.insert(at, Line(tuple(inside), _next_region(lines), len(tables)))
        tables[len(tables)] = table
    return Flow(lines, tables)


def _append(lines: list[Line], words: Sequence[Word]) -> None:
    first = _next_region(lines)
    lines += [Line(line.words, first + line.region) for line in reading_lines(words)]


def _next_region(lines: Sequence[Line]) -> int:
    return max((line.region for line in lines), default=-1) + 1


def _place_of(frame: Frame, lines: Sequence[Line]) -> int:
    """Behind the last line that stands above the frame, in its column."""
    at = 0
    for i, line in enumerate(lines):
        x0, _, x1, y1 = line.box
        if y1 <= frame.y0 + 2 and min(x1, frame.x1) > max(x0, frame.x0):
            at = i + 1
    return at


def _framed(frame: Frame, words: Sequence[Word]) -> Framed | None:
    bands = [
        (band, [word for word in words if band[0] <= (word.y0 + word.y1) / 2 < band[1]])
        for band in frame.bands
    ]
    bands = [(band, inside) for band, inside in bands if inside]
    if len(bands) < 2 or sum(len(inside) for _, inside in bands) < len(words):
        return None
    if frame.rules:
        edges = sorted({x for band in frame.bands for x in frame.edges(band)})
    else:
        edges = _lanes([inside for _, inside in bands], frame)
    columns = [(a, b) for a, b in pairwise(edges) if b - a > 1]
    rows = [_cells(inside, columns) for _, inside in bands]
    filled = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    if len(filled) < 2:
        return None
    rows = [[row[i] for i in filled] for row in rows]
    has_names = _names_columns(rows)
    if not has_names and not frame.rules:
        return None  # bands of colour behind figures; their header stands above the frame
    return Framed(rows, int(has_names))


def _lanes(rows: Sequence[Sequence[Word]], frame: Frame) -> list[float]:
    """The middles of the white lanes that no row's text crosses, and both ends."""
    size = min(word.y1 - word.y0 for row in rows for word in row)
    least = max(3.5, 0.42 * size)
    spans = [_runs(row, least) for row in rows]
    several = [runs for runs in spans if len(runs) > 1]
    for used in (several, several[1:]):
        merged: list[list[float]] = []
        for x0, x1 in sorted(run for runs in used for run in runs):
            if merged and x0 - merged[-1][1] < least:
                merged[-1][1] = max(merged[-1][1], x1)
            else:
                merged.append([x0, x1])
        if len(merged) > 1:
            break
    middles = [(a[1] + b[0]) / 2 for a, b in pairwise(merged)]
    return [frame.x0 - 1, *middles, frame.x1 + 1]


def _runs(row: Sequence[Word], least: float) -> list[tuple[float, float]]:
    """Where a row's words stand, with gaps narrower than `least` closed."""
    runs: list[tuple[float, float]] = []
    for word in sorted(row, key=lambda w: w.x0):
        if runs and word.x0 - runs[-1][1] < least:
            runs[-1] = (runs[-1][0], max(runs[-1][1], word.x1))
        else:
            runs.append((word.x0, word.x1))
    return runs


def _cells(words: Sequence[Word], columns: Sequence[tuple[float, float]]) -> list[CellLines]:
    cells: list[list[Word]] = [[] for _ in columns]
    for word in words:
        middle = (word.x0 + word.x1) / 2
        nearest = min(
            range(len(columns)),
            key=lambda i: max(columns[i][0] - middle, middle - columns[i][1], 0),
        )
        cells[nearest].append(word)
    return [[Line(row) for row in baselines(cell)] for cell in cells]


def _names_columns(rows: Sequence[Sequence[CellLines]]) -> bool:
    """Whether the first row names the columns: short, words and years only.

    Two columns are often a form, name and value in every row; then a header must stand out.
    """
    cells = [cell for cell in rows[0][1:] if cell]
    texts = [" ".join(line.text for line in cell) for cell in rows[0]]
    named = [text for text in texts[1:] if text]
    if not named or any(len(text) > _MAX_NAME for text in texts):
        return False
    if len(rows[0]) == 2:
        below = [line for row in rows[1:] for line in row[1]]
        is_plain = sum(line.bold for line in below) * 2 < len(below)
        if not (is_plain and all(line.bold for cell in cells for line in cell)):
            return False
    return all(not is_figure(t) or (t.isdigit() and len(t) == _MAX_YEAR_DIGITS) for t in named)
