"""Running headers, footers and page numbers of a paged file."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.readers.lines import Line

_MARGIN = 0.12
_FEW_PAGES = 12
_SAME_HEIGHT = 3.0
_PAGE_NUMBER = re.compile(
    r"^((page|página|pagina|pág\.?|pag\.?|p\.|folha)\s*\d+(\s*(of|de|/)\s*\d+)?"
    r"|\d+\s*(of|de|/)\s*\d+|[-–—]\s*\d+\s*[-–—])$",
    re.IGNORECASE,
)


def running_lines(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> set[int]:
    """The lines (by `id`) at the margins that pages repeat, and page numbers.

    Most pages must repeat a line; or three in a row (any two in a file of few pages) if it stands
    at the same height on them and is neither bold nor bigger than the rest.
    """
    by_text: dict[str, list[Line]] = defaultdict(list)
    by_place: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    running: set[int] = set()
    for number, (lines, height) in enumerate(zip(pages, heights, strict=True)):
        own = [line for line in lines if line.frame is None]
        for key, line in {_masked(line.text): line for line in _at_margins(own, height)}.items():
            by_text[key].append(line)
        for line in _outermost(own, height):
            if _PAGE_NUMBER.match(line.text):
                running.add(id(line))
            key = "#" if line.text.isdigit() else line.text
            by_place[key].append((number, line))
    n_pages = sum(bool(lines) for lines in pages)
    for found in by_text.values():
        if n_pages >= 3 and len(found) >= max(3, 0.4 * n_pages):
            running.update(map(id, found))
    usual = _usual_size(pages)
    for places in by_place.values():
        plain = [(i, line) for i, line in places if not line.bold and line.size <= 1.05 * usual]
        running.update(id(line) for i, line in plain if _is_repeated(i, line, plain, n_pages))
    return running


def _masked(text: str) -> str:
    return re.sub(r"\d+", "#", text.lower())


def _at_margins(lines: Sequence[Line], height: float) -> Iterator[Line]:
    top, bottom = _MARGIN * height, (1 - _MARGIN) * height
    by_y = sorted(lines, key=lambda line: line.box[1])
    yield from (line for i, line in enumerate(by_y[:4]) if i == 0 or line.box[3] < top)
    yield from (line for i, line in enumerate(by_y[:-5:-1]) if i == 0 or line.box[1] > bottom)


def _outermost(lines: Sequence[Line], height: float) -> Iterator[Line]:
    """The first two and the last two lines of a page, where they lie in its margins."""
    by_y = sorted(lines, key=lambda line: line.box[1])
    yield from (line for line in by_y[:2] if line.box[3] < _MARGIN * height)
    yield from (line for line in by_y[2:][-2:] if line.box[1] > (1 - _MARGIN) * height)


def _is_repeated(number: int, line: Line, found: Sequence[tuple[int, Line]], n_pages: int) -> bool:
    level = {i for i, other in found if abs(other.box[1] - line.box[1]) <= _SAME_HEIGHT}
    if n_pages <= _FEW_PAGES:
        return len(level) > 1
    return any({first, first + 1, first + 2} <= level for first in range(number - 2, number + 1))


def _usual_size(pages: Sequence[Sequence[Line]]) -> float:
    sizes = sorted(line.size for lines in pages for line in lines)
    return sizes[len(sizes) // 2] if sizes else 0.0
