"""Chunks against their contract: lossless, ordered, under one heading, neither huge nor tiny."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.domain import Chunk
from assistant.ingest.chunk import (
    MAX_CHARS,
    MAX_TABLE_CHARS,
    TARGET_CHARS,
    TINY_CHARS,
    chunk,
    chunk_of_blocks,
    document_text,
)
from assistant.text.context import embedding_text
from connectors.readers.model import Block, BlockKind, Reading

SENTENCE = "The fee is charged on the first working day of each month. "


def read(*blocks: Block) -> list[Chunk]:
    return chunk(Reading("text/plain", "t", blocks), "en")


def paragraph(text: str, *heading: str, page: int | None = None) -> Block:
    return Block("paragraph", text, page, heading=heading)


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_small_neighbours_are_joined_up_to_the_target() -> None:
    chunks = read(*[paragraph(f"Paragraph {n}. " + SENTENCE * 4, "A") for n in range(8)])
    assert [len(c.text) <= TARGET_CHARS for c in chunks] == [True] * len(chunks)
    assert len(chunks) == 3
    assert chunks[0].text.startswith("Paragraph 0.")
    assert chunks[0].text.count("\n") == 2


def test_headings_are_never_crossed() -> None:
    chunks = read(
        Block("heading", "One"),
        paragraph("Body of one, which is short.", "One"),
        Block("heading", "Two"),
        paragraph("Body of two.", "Two"),
    )
    assert [(c.text, c.heading) for c in chunks] == [
        ("Body of one, which is short.", ("One",)),
        ("Body of two.", ("Two",)),
    ]


def test_a_heading_with_nothing_beneath_is_found() -> None:
    chunks = read(
        Block("heading", "Part"),
        Block("heading", "Full", heading=("Part",)),
        paragraph("Body.", "Part", "Full"),
        Block("heading", "Reserved", heading=("Part",)),
        Block("heading", "End"),
    )
    assert [(c.text, c.heading) for c in chunks] == [
        ("Body.", ("Part", "Full")),
        ("Reserved", ("Part",)),
        ("End", ()),
    ]


def test_a_long_paragraph_is_cut_at_sentence_ends() -> None:
    chunks = read(paragraph(SENTENCE * 50, "A"))
    assert len(chunks) > 2
    assert all(c.text.endswith("month.") and c.text.startswith("The fee") for c in chunks)
    assert all(len(c.text) <= TARGET_CHARS for c in chunks)


def test_text_without_sentences_or_spaces_is_cut_anyway() -> None:
    for text in ("word " * 1_000, "x" * 5_000, "a.b," * 2_000):
        chunks = read(paragraph(text))
        assert max(len(c.text) for c in chunks) <= MAX_CHARS
        assert bare("".join(c.text for c in chunks)) == bare(text)


def test_tables_are_cut_between_rows_and_keep_their_caption_in_the_path() -> None:
    rows = [f"Product {n} — price: {n},00; stock: {n * 3} pieces in the store" for n in range(60)]
    chunks = read(
        paragraph("Intro to the list of all prices, valid from January on.", "Prices"),
        Block("caption", "Table 1: Price list", heading=("Prices",)),
        Block("table", "\n".join(rows), heading=("Prices",)),
    )
    tables = [c for c in chunks if c.kind == "table"]
    assert len(tables) == len(chunks) - 1 > 2
    assert tables[0].text.startswith("Table 1: Price list\nProduct 0 —")
    assert tables[0].heading == ("Prices",)
    assert {c.heading for c in tables[1:]} == {("Prices", "Table 1: Price list")}
    assert [line for c in tables for line in c.text.split("\n")][1:] == rows
    assert all(len(c.text) <= MAX_TABLE_CHARS for c in tables)


def test_records_stay_apart_unless_tiny() -> None:
    long = [Block("record", f"Work order {n}: " + SENTENCE * 3) for n in range(4)]
    assert [c.kind for c in read(*long)] == ["record"] * 4
    tiny = [Block("record", f"Item {n}: 3 pieces in stock") for n in range(10)]
    (one,) = read(*tiny)
    assert one.text.split("\n") == [block.text for block in tiny]


def test_tiny_pieces_join_a_neighbour_of_another_kind() -> None:
    chunks = read(
        paragraph("In R$:", "A"), Block("table", "Fee — value: 3,00; since: 2024", heading=("A",))
    )
    assert [(c.text, c.kind) for c in chunks] == [
        ("In R$:\nFee — value: 3,00; since: 2024", "table")
    ]


def test_pages_and_boxes_follow_the_text() -> None:
    first = Block("paragraph", "On page one.", 1, ((1, 2, 3, 4),), ("A",))
    second = Block("paragraph", "On page two.", 2, ((5, 6, 7, 8), (5, 9, 7, 11)), ("A",))
    (one,) = read(first, second)
    assert one.page == 1
    assert one.boxes == ((1, 1, 2, 3, 4), (2, 5, 6, 7, 8), (2, 5, 9, 7, 11))


@pytest.mark.parametrize("header", [0, 1])
def test_rows_keep_their_own_boxes(header: int) -> None:
    rows = [f"Row {n:02} — text: " + "x" * 80 for n in range(30)]
    boxes = tuple((0.0, float(n), 9.0, n + 1.0) for n in range(30 + header))
    chunks = read(Block("table", "\n".join(rows), 4, boxes))
    assert len(chunks) > 1
    for c in chunks:
        numbers = [int(line[4:6]) + header for line in c.text.split("\n")]
        assert [box[2] for box in c.boxes] == numbers
        assert c.page == 4


def test_the_lines_of_a_long_paragraph_are_shared_out() -> None:
    text = SENTENCE * 40
    boxes = tuple((0.0, float(n), 9.0, n + 1.0) for n in range(40))
    chunks = read(Block("paragraph", text, 1, boxes))
    assert chunks[0].boxes[0][2] == 0.0
    assert chunks[-1].boxes[-1][2] == 39.0
    assert all(len(c.boxes) < 25 for c in chunks)


def test_embedding_text_names_the_place() -> None:
    (one,) = read(paragraph("Body.", "Policy", "Fees\n2024"))
    assert embedding_text("Policy", one) == "Policy › Fees 2024\nBody."
    assert embedding_text("", read(paragraph("Body."))[0]) == "Body."
    long = embedding_text("T" * 500, one).split("\n")
    assert len(long[0]) <= 240
    assert long[1] == "Body."


words = st.sampled_from(["fee", "Dr.", "1.234,56", "é.", "X" * 50, "\n", "The end.", "\u00a0"])
texts = st.one_of(
    st.lists(words, max_size=30).map(" ".join),
    st.builds(lambda text, n: text * n, st.lists(words, min_size=1).map(" ".join), st.just(60)),
    st.text(max_size=20),
)
blocks = st.builds(
    Block,
    kind=st.sampled_from(get_args(BlockKind)),
    text=texts,
    page=st.none() | st.integers(1, 3),
    boxes=st.lists(st.just((0.0, 1.0, 2.0, 3.0)), max_size=3).map(tuple),
    heading=st.sampled_from([(), ("A",), ("A", "B")]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(blocks, max_size=12))
def test_chunks_are_lossless_ordered_and_of_bearable_size(found: list[Block]) -> None:
    chunks = read(*found)
    text = document_text(chunks)
    at = 0
    for c in chunks:
        assert c.start == at
        assert text[c.start : c.end] == c.text == c.text.strip() != ""
        assert len(c.text) <= MAX_CHARS
        assert all(box[0] in (1, 2, 3) for box in c.boxes)
        at = c.end + 2
    bodies = "".join(bare(block.text) for block in found if block.kind != "heading")
    letters = iter(bare(text))
    assert all(letter in letters for letter in bodies), "a block's text is lost or out of order"
    headed = "".join(bare(block.text) for block in found)
    assert len(bare(text)) <= len(headed)
    for c, after in pairwise(chunks):
        small = min(len(c.text), len(after.text)) < TINY_CHARS
        if small and c.heading == after.heading and not _between(found):
            assert len(c.text) + len(after.text) >= MAX_CHARS


def _between(found: list[Block]) -> bool:
    """Whether headings or changes of the path make neighbours that are no neighbours."""
    return len({block.heading for block in found}) > 1 or any(b.kind == "heading" for b in found)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["record", "paragraph", "table"]), st.integers(1, 2500)),
        max_size=12,
    )
)
def test_the_chunk_of_a_block_is_the_one_that_begins_it(made: list[tuple[BlockKind, int]]) -> None:
    blocks = tuple(
        Block(kind, f"block {n} " + "word " * (length // 5), heading=(f"H{n // 4}",))
        for n, (kind, length) in enumerate(made)
    )
    reading = Reading("text/plain", "t", blocks)
    chunks, places = chunk(reading, "en"), chunk_of_blocks(reading)
    assert places.keys() == set(range(len(blocks)))
    for number, place in places.items():
        assert re.search(rf"\bblock {number}\b", chunks[place].text)
