"""Blocks collected in reading order under their heading path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from connectors.readers.model import Block, Box
from connectors.readers.text import clean, clean_lines

Cells = tuple[tuple[str, ...], ...]


def row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """A table row that reads alone: `first cell — header2: value; header3: value`."""
    rest = [
        f"{name}: {value}" if name and name != value else value
        for name, value in zip(header[1:], row[1:], strict=True)
        if value
    ]
    if not rest:
        return row[0]
    return f"{row[0]} — {'; '.join(rest)}" if row[0] else "; ".join(rest)


def rectangle(rows: Iterable[Sequence[str]]) -> Cells:
    """Rows padded to one width, cleaned, without empty data rows and empty columns."""
    cleaned = [[clean(cell) for cell in row] for row in rows]
    width = max((len(row) for row in cleaned), default=0)
    padded = [row + [""] * (width - len(row)) for row in cleaned]
    padded = padded[:1] + [row for row in padded[1:] if any(row)]
    kept = [i for i in range(width) if any(row[i] for row in padded)]
    return tuple(tuple(row[i] for i in kept) for row in padded)


class Outline:
    """Collects blocks and knows which headings each lies under."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._path: list[tuple[int, str]] = []

    @property
    def path(self) -> tuple[str, ...]:
        """The headings above the next block, outermost first."""
        return tuple(text for _, text in self._path)

    @property
    def first_heading(self) -> str | None:
        """The first heading of the file."""
        return next((b.text for b in self.blocks if b.kind == "heading"), None)

    def heading(
        self, text: str, level: int, page: int | None = None, boxes: Sequence[Box] = ()
    ) -> None:
        """Add a heading; level 1 is the outermost."""
        text = clean(text)
        if not text:
            return
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self.blocks.append(Block("heading", text, page, tuple(boxes), self.path))
        self._path.append((level, text))

    def paragraph(self, text: str, page: int | None = None, boxes: Sequence[Box] = ()) -> None:
        """Add running text as one line."""
        self._add(Block("paragraph", clean(text), page, tuple(boxes), self.path))

    def items(
        self, lines: Sequence[str], page: int | None = None, boxes: Sequence[Box] = ()
    ) -> None:
        """Add a list with one item a line; an item brings its own marker."""
        text = "\n".join(line for item in lines if (line := clean_lines(item)))
        self._add(Block("list", text, page, tuple(boxes), self.path))

    def code(self, text: str) -> None:
        """Add preformatted text; its lines are kept."""
        self._add(Block("code", clean_lines(text), heading=self.path))

    def caption(self, text: str, page: int | None = None, boxes: Sequence[Box] = ()) -> None:
        """Add the caption of a figure or table."""
        self._add(Block("caption", clean(text), page, tuple(boxes), self.path))

    def record(self, text: str) -> None:
        """Add a structured record as its reader worded it."""
        self._add(Block("record", clean_lines(text), heading=self.path))

    def table(
        self, rows: Iterable[Sequence[str]], page: int | None = None, boxes: Sequence[Box] = ()
    ) -> None:
        """Add a table whose first row is the header (empty strings where there is none).

        `boxes` has one for each row below the header, or is empty.
        """
        rows = list(rows)
        if boxes:
            shown = [any(clean(cell) for cell in row) for row in rows[1:]]
            boxes = [box for box, is_shown in zip(boxes, shown, strict=True) if is_shown]
        cells = rectangle(rows)
        if len(cells) < 2 or not cells[0]:
            only = " ".join(cell for row in cells for cell in row if cell)
            self.paragraph(only, page, boxes)
            return
        text = "\n".join(row_text(cells[0], row) for row in cells[1:])
        self._add(Block("table", text, page, tuple(boxes), self.path, cells))

    def keep(self, block: Block, above: tuple[str, ...] = ()) -> None:
        """Add a block as another reader made it, under more headings; it has no page here."""
        self._add(replace(block, page=None, boxes=(), heading=(*above, *block.heading)))

    def _add(self, block: Block) -> None:
        if block.text:
            self.blocks.append(block)
