"""Tables of known columns, in whatever file they lie: their rows become records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from connectors.readers.industry import bom, work_orders
from connectors.readers.model import Block, Reading
from connectors.readers.register import Register

Place = Callable[[Sequence[str], Sequence[Sequence[str]], Register], None]

_SHAPES: tuple[tuple[Callable[[Sequence[str]], bool], Place], ...] = (
    (work_orders.fits, work_orders.place),
    (bom.fits, bom.place),
)


def recognised(reading: Reading, cap: int) -> Reading:
    """Return a reading whose known tables are records, a sentence a row; others stay tables."""
    if not any(_place_of(block) for block in reading.blocks):
        return reading
    register = Register(lang=reading.lang, cap=cap, records=list(reading.records))
    moved: dict[int, int] = {}
    for old, block in enumerate(reading.blocks):
        moved[old] = len(register.outline.blocks)
        place = _place_of(block)
        if place is None or not block.cells:
            register.outline.blocks.append(block)
            continue
        start = len(register.outline.blocks)
        place(block.cells[0], block.cells[1:], register)
        told = register.outline.blocks[start:]
        register.outline.blocks[start:] = [replace(b, heading=block.heading) for b in told]
    kept = [
        replace(r, block=moved.get(r.block, r.block) if r.block is not None else None)
        for r in reading.records
    ]
    return replace(
        reading,
        blocks=tuple(register.outline.blocks),
        lang=reading.lang or register.lang,
        records=(*kept, *register.records[len(kept) :]),
        warnings=(*reading.warnings, *register.warnings),
    )


def _place_of(block: Block) -> Place | None:
    if not block.cells:
        return None
    return next((place for fits, place in _SHAPES if fits(block.cells[0])), None)
