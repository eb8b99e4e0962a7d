"""What a reader understood of a file: blocks of text with their place on the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.readers.record import Record

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "caption", "record"]

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in points (1/72 inch) from the top left corner of the page as displayed."""


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list, table or record.

    `heading` is the path of the headings above the block, outermost first. `page` counts from 1
    and is None where the format has no pages; `boxes` lie on that page. A table's `text` has one
    line a row, each readable alone (`Net income — 2024: 1,234; 2023: 1,100`): one line per entry
    of `cells` after the header row `cells[0]`. A table on a page has one box for each of these
    rows, in their order, so that a cited row can be shown; the header has none. A list has one
    box for each line of its `text`, a heading, paragraph or caption one box in all.
    """

    kind: BlockKind
    text: str
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    heading: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as its reader understood it.

    `lang` is what the file itself declares (`en`, `pt`), else None. `records` are the structured
    values behind record blocks. `warnings` are sentences for the admin: hidden text removed,
    a page without a text layer, a truncated sheet.
    """

    media_type: str
    title: str
    blocks: tuple[Block, ...]
    lang: str | None = None
    records: tuple[Record, ...] = ()
    warnings: tuple[str, ...] = field(default=())
