"""Blocks of a reading, joined or split into the pieces that are embedded and cited.

A chunk never crosses a heading. Small neighbours under one heading are joined up to a target,
long ones split at sentence ends, tables between rows. The text of a document is that of its
chunks joined by a blank line; `start` and `end` are offsets in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from assistant.domain import Chunk
from assistant.text.instructions import instruction_score
from assistant.text.sentences import Span, lines, sentences
from connectors.readers.model import Block, Box, Reading

SEPARATOR = "\n\n"
TARGET_CHARS = 900
MAX_CHARS = 1_600
MAX_TABLE_CHARS = 1_200
TINY_CHARS = 40

TINY_RECORD_CHARS = 120

_BY_LINES = frozenset({"table", "list", "code", "record"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of one block, short enough for a chunk; `caption` is that of its table.

    `repeated`: many documents have it, so that it is no chunk of its own if that can be avoided.
    """

    text: str
    block: Block
    boxes: tuple[Box, ...]
    flow: Literal["prose", "table", "record"]
    caption: str = ""
    repeated: bool = False


def chunk(reading: Reading, lang: str, repeated: frozenset[int] = frozenset()) -> list[Chunk]:
    """Cut a reading into chunks, in the order of its blocks; empty if it has no text.

    `repeated` are the indices of blocks that many documents have: they go with a neighbour.
    """
    chunks: list[Chunk] = []
    at = 0
    for group in _all_groups(reading, repeated):
        made = _chunk(group, lang, at)
        chunks.append(made)
        at = made.end + len(SEPARATOR)
    return chunks


def chunk_of_blocks(reading: Reading, repeated: frozenset[int] = frozenset()) -> dict[int, int]:
    """Return the place of the chunk that begins each block, both counted from 0."""
    numbers = {id(block): n for n, block in enumerate(reading.blocks)}
    found: dict[int, int] = {}
    for place, group in enumerate(_all_groups(reading, repeated)):
        for piece in group:
            if (number := numbers.get(id(piece.block))) is not None:
                found.setdefault(number, place)
    return found


def document_text(chunks: Iterable[Chunk]) -> str:
    """Return the document's text, which the chunks' `start` and `end` refer to."""
    return SEPARATOR.join(chunk.text for chunk in chunks)


def _all_groups(reading: Reading, repeated: frozenset[int]) -> Iterator[list[_Piece]]:
    common = frozenset(id(reading.blocks[index]) for index in repeated)
    for blocks in _sections(reading.blocks):
        yield from _groups(_pieces(blocks, common))


def _sections(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Group blocks by what they stand under; a heading with nothing under it is its own text."""
    texts = [block for block in blocks if block.text.strip()]
    for n, block in enumerate(texts):
        if block.kind == "heading" and _is_bare(block, texts[n + 1 : n + 2]):
            texts[n] = Block("paragraph", block.text, block.page, block.boxes, block.heading)
    bodies = (block for block in texts if block.kind != "heading")
    for _, group in groupby(bodies, key=lambda block: block.heading):
        yield list(group)


def _is_bare(heading: Block, following: Sequence[Block]) -> bool:
    path = (*heading.heading, heading.text)
    return not following or following[0].heading[: len(path)] != path


def _pieces(blocks: Sequence[Block], common: frozenset[int]) -> Iterator[_Piece]:
    """Cut blocks that are too long; a caption above a table belongs to it and names its parts."""
    caption = ""
    for n, block in enumerate(blocks):
        leads = block.kind == "caption" and [b.kind for b in blocks[n + 1 : n + 2]] == ["table"]
        flow: Literal["prose", "table", "record"] = "prose"
        if leads or block.kind == "table":
            flow = "table"
        elif block.kind == "record":
            flow = "record"
        for i, (start, end) in enumerate(_cuts(block)):
            text = block.text[start:end]
            boxes = _boxes(block, start, end)
            yield _Piece(text, block, boxes, flow, caption if i else "", id(block) in common)
        caption = " ".join(block.text.split()) if leads else ""


def _cuts(block: Block) -> list[Span]:
    """Return the spans of a block's parts, which cover all but white space."""
    most = MAX_TABLE_CHARS if block.kind == "table" else MAX_CHARS
    units = _short(block.text, lines(block.text), TARGET_CHARS)
    if not units:
        return []
    whole = (units[0][0], units[-1][1])
    if whole[1] - whole[0] <= most:
        return [whole]
    if block.kind not in _BY_LINES:
        units = _short(block.text, sentences(block.text), TARGET_CHARS)
    return _packed(units, TARGET_CHARS)


def _packed(units: Iterable[Span], most: int) -> list[Span]:
    """Join neighbouring spans into spans of at most `most` characters."""
    packed: list[Span] = []
    for start, end in units:
        if packed and end - packed[-1][0] <= most:
            packed[-1] = (packed[-1][0], end)
        else:
            packed.append((start, end))
    return packed


def _short(text: str, spans: Iterable[Span], most: int) -> list[Span]:
    """Cut spans longer than `most` at sentence ends, at spaces, else anywhere."""
    short: list[Span] = []
    for start, end in spans:
        if end - start <= most:
            short.append((start, end))
            continue
        inner = [(start + s, start + e) for s, e in sentences(text[start:end])]
        short += inner if len(inner) > 1 and _fit(inner, most) else _at_spaces(text, inner, most)
    return short


def _fit(spans: Iterable[Span], most: int) -> bool:
    return all(end - start <= most for start, end in spans)


def _at_spaces(text: str, spans: Iterable[Span], most: int) -> list[Span]:
    cut: list[Span] = []
    for start, end in spans:
        while end - start > most:
            at = max(text.rfind(space, start + 1, start + most + 1) for space in " \n\t\u00a0")
            at = at if at > start else start + most
            cut.append((start, at))
            start = at
            while text[start].isspace():
                start += 1
        cut.append((start, end))
    return [(s, s + len(text[s:e].rstrip())) for s, e in cut]


def _boxes(block: Block, start: int, end: int) -> tuple[Box, ...]:
    """Return the boxes of a part of a block.

    Exact where a table has one box a row (and one for its header), or a list one an item;
    otherwise by share of the text, since the lines of a paragraph are about equally long.
    """
    if len(block.boxes) <= 1 or not block.text:
        return block.boxes
    rows = lines(block.text)
    extra = len(block.boxes) - len(rows)
    if (extra == 0 and block.kind == "list") or (extra in (0, 1) and block.kind == "table"):
        inside = [n + extra for n, row in enumerate(rows) if row[0] < end and row[1] > start]
        return tuple(block.boxes[n] for n in inside)
    share = len(block.boxes) / len(block.text)
    return block.boxes[math.floor(start * share) : math.ceil(end * share)]


def _groups(pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Join neighbouring pieces up to the target; tiny rests go with what follows, else before."""
    groups: list[list[_Piece]] = []
    for piece in pieces:
        if groups and _joins(groups[-1], piece):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    joined: list[list[_Piece]] = []
    for group in groups:
        if joined and _is_light(joined[-1]) and _fits(joined[-1], group):
            joined[-1] += group
        else:
            joined.append(group)
    kept: list[list[_Piece]] = []
    for group in joined:
        if kept and _is_light(group) and _fits(kept[-1], group):
            kept[-1] += group
        else:
            kept.append(group)
    return kept


def _is_light(group: Sequence[_Piece]) -> bool:
    """Say whether a group is too little for a chunk of its own."""
    return _size(group) < TINY_CHARS or all(piece.repeated for piece in group)


def _joins(group: list[_Piece], piece: _Piece) -> bool:
    last, size = group[-1], _size(group) + 1 + len(piece.text)
    if last.flow != piece.flow:
        return False
    if piece.flow == "table":
        return last.block.kind == "caption" and size <= MAX_CHARS
    tiny = len(last.text) < TINY_RECORD_CHARS > len(piece.text)
    return size <= TARGET_CHARS and (piece.flow == "prose" or tiny)


def _size(group: Sequence[_Piece]) -> int:
    return sum(len(piece.text) + 1 for piece in group) - 1


def _fits(one: Sequence[_Piece], other: Sequence[_Piece]) -> bool:
    return _size(one) + 1 + _size(other) <= MAX_CHARS


def _chunk(group: Sequence[_Piece], lang: str, at: int) -> Chunk:
    text = "\n".join(piece.text for piece in group)
    longest = max(group, key=lambda piece: (not piece.repeated, len(piece.text)))
    caption = group[0].caption
    return Chunk(
        text=text,
        heading=(*longest.block.heading, *([caption] if caption else [])),
        kind=longest.block.kind,
        lang=lang,
        start=at,
        end=at + len(text),
        page=next((p.block.page for p in group if p.block.page is not None), None),
        boxes=tuple(
            (piece.block.page, *box)
            for piece in group
            if piece.block.page is not None
            for box in piece.boxes
        ),
        omitted=_omitted(group),
        instruction=instruction_score(text),
    )


def _omitted(group: Sequence[_Piece]) -> tuple[Span, ...]:
    """Return the spans of a group's text that many documents repeat."""
    spans: list[Span] = []
    at = 0
    for piece in group:
        if piece.repeated:
            spans.append((at, at + len(piece.text)))
        at += len(piece.text) + 1
    return tuple(spans)
