"""Cells of one printed line: segments, with signs joined to their figures."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.readers.lines import Line, Segment
from connectors.readers.tables import is_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = frozenset({"$", "€", "£", "¥", "R$", "US$", "(", "$(", "-$"})
_TAILS = frozenset({")", "%", ")%", "*"})
_BETWEEN = frozenset({"-", "–", "to", "a"})


def cells_of(line: Line) -> list[Segment]:
    """The segments of a line with lone signs joined to their figures: `$ | 5 | )` → `$ 5 )`."""
    joined: list[Segment] = []
    segments = line.segments
    if line.marker:
        segments = (segments[0].join(segments[1]), *segments[2:])
    for segment in (part for whole in segments for part in _unpacked(whole)):
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
    if len(words) == 3 and texts[1] in _BETWEEN and starts == [1, 2]:
        return [segment]  # from one figure to another: `2024 - 2044`
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


def stand_below(row: Sequence[Segment], above: Sequence[Segment]) -> bool:
    """Whether each cell of a row is text that starts where a cell of the row above starts."""
    starts = [cell.x0 for cell in above]
    return all(
        not is_figure(cell.text) and any(abs(cell.x0 - x0) <= 2 for x0 in starts) for cell in row
    )
