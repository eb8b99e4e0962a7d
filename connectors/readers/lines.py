"""Words of a page to lines in reading order: columns first, then segments split by wide gaps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from connectors.readers.glyphs import Word

if TYPE_CHECKING:
    from collections.abc import Sequence

_BULLETS = frozenset("•·▪◦‣●○■□➢✓")
_NUMBER = re.compile(r"^\(?(\d{1,2}|[a-z]|[ivx]{1,4})[.)]?$")
_ITEM = re.compile(r"^([•·▪◦‣●○■□➢✓*–—-]|\(?(\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)])\s+\S")
_MIN_GUTTER = 8.0
_MAX_SPLITS = 4


@dataclass(frozen=True)
class Segment:
    """Words of one line that stand close together."""

    words: tuple[Word, ...]

    @cached_property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def x0(self) -> float:
        """The left edge."""
        return self.words[0].x0

    @cached_property
    def x1(self) -> float:
        """The right edge."""
        return max([word.x1 for word in self.words])

    def join(self, other: Segment) -> Segment:
        """This segment and the one to its right as one."""
        return Segment(self.words + other.words)


@dataclass(frozen=True)
class Line:
    """Words on one baseline within one column of the page.

    With a `frame` it stands for the table of that number, drawn on the page, and holds its words.
    """

    words: tuple[Word, ...]
    region: int = field(default=0, compare=False)
    frame: int | None = None

    @cached_property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """The union of the boxes of the words."""
        _, x0s, y0s, x1s, y1s, _ = zip(*self.words, strict=True)
        return min(x0s), min(y0s), max(x1s), max(y1s)

    @cached_property
    def size(self) -> float:
        """The usual height of a word, which grows with the font size."""
        return median([word.y1 - word.y0 for word in self.words])

    @cached_property
    def bold(self) -> bool:
        """Whether most of the text is bold."""
        n_bold = sum(len(word.text) for word in self.words if word.bold)
        return n_bold * 2 > sum(len(word.text) for word in self.words)

    @cached_property
    def marker(self) -> bool:
        """Whether the line is a bullet or a number of a list, then text set apart from it."""
        if len(self.segments) < 2:
            return False
        first, second = self.segments[:2]
        if first.text in _BULLETS:
            return True
        is_number = len(self.segments) == 2 and bool(_NUMBER.match(first.text))
        return is_number and second.text[:1].isalpha() and second.x0 - first.x1 < 3 * self.size

    @cached_property
    def item(self) -> bool:
        """Whether the line begins an item of a list."""
        return self.marker or bool(_ITEM.match(self.text))

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The line cut where a gap is too wide for the space between two words."""
        gap = max(5.0, 0.9 * self.size)
        cut: list[list[Word]] = [[self.words[0]]]
        right = self.words[0].x1
        for word in self.words[1:]:
            if word.x0 - right > gap:
                cut.append([word])
            else:
                cut[-1].append(word)
            if word.x1 > right:
                right = word.x1
        return tuple(Segment(tuple(words)) for words in cut)


def reading_lines(words: Sequence[Word]) -> list[Line]:
    """The lines of a page, column by column where its prose stands in columns."""
    upended = [word for word in words if _is_upended(word)]
    gone = set(upended)
    rows = baselines([word for word in words if word not in gone] if gone else words)
    ordered: list[Line] = []
    _place(rows, ordered, _MAX_SPLITS)
    region = ordered[-1].region + 1 if ordered else 0
    return ordered + [Line((word,), region + i) for i, word in enumerate(upended)]


def _is_upended(word: Word) -> bool:
    """A word that runs up or down a page whose other text is upright."""
    text, x0, y0, x1, y1, _ = word
    return y1 - y0 > 2.5 * (x1 - x0) and len(text) > 3


def baselines(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """Words grouped by baseline, top to bottom, each row left to right."""
    rows: list[list[Word]] = []
    middle = reach = 0.0
    for word in sorted(words, key=lambda w: (w.y0 + w.y1, w.x0)):
        center = (word.y0 + word.y1) / 2
        if rows and center - middle <= reach:
            rows[-1].append(word)
            continue
        rows.append([word])
        middle, reach = center, 0.45 * (word.y1 - word.y0)
    return [tuple(sorted(row, key=lambda w: w.x0)) for row in rows]


def _place(rows: list[tuple[Word, ...]], ordered: list[Line], splits: int) -> None:
    """Append rows as lines, splitting bands of prose at their gutter."""
    gutter = _gutter(rows) if splits else None
    if gutter is None:
        region = ordered[-1].region + 1 if ordered else 0
        ordered += [Line(row, region) for row in rows if row]
        return
    band: list[Word] = []
    for row in rows:
        if _crosses(row, gutter):
            _place_band(band, gutter, ordered, splits)
            band = []
            ordered.append(Line(row, ordered[-1].region + 1 if ordered else 0))
        else:
            band += row
    _place_band(band, gutter, ordered, splits)


def _place_band(words: list[Word], gutter: float, ordered: list[Line], splits: int) -> None:
    for side in (
        [word for word in words if word.x1 <= gutter + 1],
        [word for word in words if word.x1 > gutter + 1],
    ):
        if side:
            _place(baselines(side), ordered, splits - 1)


def _crosses(row: Sequence[Word], gutter: float) -> bool:
    """Whether a row's text runs over the gutter."""
    left = max((word.x1 for word in row if word.x0 < gutter), default=None)
    right = min((word.x0 for word in row if word.x0 >= gutter), default=None)
    if left is not None and left > gutter + 1:
        return True
    return left is not None and right is not None and right - left < _MIN_GUTTER


def _gutter(rows: Sequence[Sequence[Word]]) -> float | None:
    """The x of a white lane between two columns of prose, if there is one."""
    gaps: list[tuple[float, float]] = []
    for row in rows:
        right = row[0].x1
        for word in row[1:]:
            if word.x0 - right >= _MIN_GUTTER:
                gaps.append((right, word.x0))
            if word.x1 > right:
                right = word.x1
    if len(gaps) < 8:
        return None
    best = _most_covered(gaps)
    sides = [
        ([w for w in row if w.x1 <= best + 1], [w for w in row if w.x0 >= best - 1])
        for row in rows
        if not _crosses(row, best)
    ]
    both = [(left, right) for left, right in sides if left and right]
    if len(both) < 8 or len(both) * 3 < len(rows):
        return None
    is_prose = _is_prose([left for left, _ in both]) and _is_prose([right for _, right in both])
    return best if is_prose else None


def _most_covered(gaps: Sequence[tuple[float, float]]) -> float:
    """The x that lies in most gaps (the middle of the best stretch)."""
    events = sorted([(start, 1) for start, _ in gaps] + [(end, -1) for _, end in gaps])
    depth = best_depth = 0
    best = 0.0
    for i, (x, step) in enumerate(events):
        depth += step
        if depth > best_depth and i + 1 < len(events):
            best_depth, best = depth, (x + events[i + 1][0]) / 2
    return best


def _is_prose(rows: Sequence[Sequence[Word]]) -> bool:
    """Whether one side of a gutter reads as lines of text rather than as cells of a table."""
    n_words = median([len(row) for row in rows])
    left = min(row[0].x0 for row in rows)
    widths = [row[-1].x1 - left for row in rows]
    is_full = median(widths) > 0.6 * max(widths)
    letters = sum(word.text[:1].isalpha() for row in rows for word in row)
    total = sum(len(row) for row in rows)
    wide_gaps = sum(b.x0 - a.x1 > 15 for row in rows for a, b in pairwise(row))
    return n_words >= 4 and is_full and letters > 0.65 * total and wide_gaps < 0.4 * len(rows)
