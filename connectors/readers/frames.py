"""Tables whose rows are drawn on the page: stacked bands of colour, or a grid of rules."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.readers.marks import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_THIN = 2.6
_TOUCH = 2.6
_HAIR = 1.2
_MIN_BAND = 6.0
_SAME = 3.0
_MAX_MARKS = 2_000


@dataclass(frozen=True)
class Frame:
    """The drawn rows of a table.

    `bands` are (top, bottom) of the rows; `rules` the upright rules inside, where it has any.
    """

    x0: float
    x1: float
    bands: tuple[tuple[float, float], ...]
    rules: tuple[Mark, ...] = ()

    @property
    def y0(self) -> float:
        """The top of the first row."""
        return self.bands[0][0]

    @property
    def y1(self) -> float:
        """The bottom of the last row."""
        return self.bands[-1][1]

    def edges(self, band: tuple[float, float]) -> list[float]:
        """Where rules cut a row into cells, both ends included."""
        middle = (band[0] + band[1]) / 2
        cut = (rule.x0 for rule in self.rules if rule.y0 < middle < rule.y1)
        inside = [x for x in cut if self.x0 + _SAME < x < self.x1 - _SAME]
        return [self.x0, *_distinct(inside), self.x1]


def find_frames(marks: Sequence[Mark]) -> list[Frame]:
    """The frames on a page, top to bottom, none inside another."""
    if len(marks) > _MAX_MARKS:
        return []
    found: list[Frame] = []
    for frame in [*_grids(marks), *_stacks(marks)]:
        if not any(_overlap(frame, other) for other in found):
            found.append(frame)
    return sorted(found, key=lambda frame: (frame.y0, frame.x0))


def _overlap(one: Frame, other: Frame) -> bool:
    return (
        min(one.x1, other.x1) - max(one.x0, other.x0) > 1
        and min(one.y1, other.y1) - max(one.y0, other.y0) > 1
    )


def _distinct(values: Iterable[float]) -> list[float]:
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > _SAME:
            kept.append(value)
    return kept


def _stacks(marks: Sequence[Mark]) -> list[Frame]:
    """Filled rows of one width that touch each other."""
    bars = [m for m in marks if m.y1 - m.y0 >= _MIN_BAND and m.x1 - m.x0 >= 4 * _MIN_BAND]
    rows = _merged(bars)
    frames: list[Frame] = []
    chain: list[Mark] = []
    for row in sorted(rows, key=lambda m: (round(m.x0 / _SAME), m.y0)):
        if chain and not (
            abs(row.y0 - chain[-1].y1) <= 1.5
            and abs(row.x0 - chain[-1].x0) <= _SAME
            and abs(row.x1 - chain[-1].x1) <= _SAME
        ):
            frames += _stacked(chain)
            chain = []
        chain.append(row)
    return frames + _stacked(chain)


def _stacked(chain: Sequence[Mark]) -> list[Frame]:
    if len(chain) < 2:
        return []
    return [Frame(chain[0].x0, chain[0].x1, tuple((m.y0, m.y1) for m in chain))]


def _merged(marks: Iterable[Mark]) -> list[Mark]:
    """Marks at one height that touch, as one."""
    result: list[Mark] = []
    for same_top in _alike(marks, lambda m: m.y0):
        for row in _alike(same_top, lambda m: m.y1):
            first = len(result)
            for mark in sorted(row, key=lambda m: m.x0):
                before = result[-1] if len(result) > first else None
                if before and mark.x0 - before.x1 <= _TOUCH:
                    result[-1] = before._replace(x1=max(before.x1, mark.x1))
                else:
                    result.append(mark)
    return result


def _alike(marks: Iterable[Mark], place: Callable[[Mark], float]) -> list[list[Mark]]:
    """Marks in groups whose places differ by a hair."""
    groups: list[list[Mark]] = []
    for mark in sorted(marks, key=place):
        if groups and place(mark) - place(groups[-1][0]) <= _HAIR:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _flipped(marks: Iterable[Mark]) -> list[Mark]:
    return [Mark(m.y0, m.x0, m.y1, m.x1) for m in marks]


def _rules(marks: Iterable[Mark]) -> list[Mark]:
    """Level rules, their pieces joined."""
    return _merged(m for m in marks if m.y1 - m.y0 <= _THIN and m.x1 - m.x0 >= 2 * _TOUCH)


def _grids(marks: Sequence[Mark]) -> list[Frame]:
    """Rows between level rules of one width that upright rules connect."""
    level = [rule for rule in _rules(marks) if rule.x1 - rule.x0 >= 30]
    upright = _flipped(_rules(_flipped(marks)))
    if len(level) < 3 or len(upright) < 2:
        return []
    frames: list[Frame] = []
    waiting = sorted(level, key=lambda m: m.y0)
    while waiting:
        run = [waiting[0]]
        for rule in waiting[1:]:
            if abs(rule.x0 - run[0].x0) <= _SAME and abs(rule.x1 - run[0].x1) <= _SAME:
                if not _connected(run[-1], rule, upright):
                    break
                run.append(rule)
        waiting = [rule for rule in waiting if rule not in run]
        frames += _grid(run, level, upright)
    return frames


def _connected(above: Mark, below: Mark, upright: Sequence[Mark]) -> bool:
    middle = (above.y1 + below.y0) / 2
    return any(
        above.x0 - _SAME <= rule.x0 <= above.x1 + _SAME and rule.y0 <= middle <= rule.y1
        for rule in upright
    )


def _grid(run: Sequence[Mark], level: Sequence[Mark], upright: Sequence[Mark]) -> list[Frame]:
    if len(run) < 2:
        return []
    x0, x1, y0, y1 = run[0].x0, run[0].x1, run[0].y0, run[-1].y1
    # A rule that stops short passes by a cell that spans rows; the other cells still end there.
    partial = [
        rule.y0
        for rule in level
        if y0 < rule.y0 < y1
        and rule.x0 >= x0 - _SAME
        and rule.x1 <= x1 + _SAME
        and rule.x1 - rule.x0 > 0.5 * (x1 - x0)
    ]
    tops = _distinct([*(rule.y0 for rule in run), *partial])
    bands = tuple((a, b) for a, b in pairwise(tops) if b - a >= _MIN_BAND)
    rules = tuple(
        rule
        for rule in upright
        if x0 + _SAME < rule.x0 < x1 - _SAME and rule.y1 > y0 and rule.y0 < y1
    )
    return [Frame(x0, x1, bands, rules)] if len(bands) > 1 and rules else []
