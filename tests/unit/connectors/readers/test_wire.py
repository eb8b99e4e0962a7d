from __future__ import annotations

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from connectors.readers import Block, Reading, reading_json, reading_of
from connectors.readers.record import Period, Quantity, Record

words = st.text(max_size=20)
blocks = st.builds(
    Block,
    kind=st.sampled_from(["heading", "paragraph", "table", "record"]),
    text=words,
    page=st.none() | st.integers(1, 9),
    boxes=st.tuples() | st.just(((1.0, 2.0, 3.0, 4.5),)),
    heading=st.lists(words, max_size=2).map(tuple),
    cells=st.none() | st.just((("a", "b"), ("c", "d"))),
)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
days = st.none() | st.dates()
values = st.one_of(
    words,
    st.booleans(),
    st.integers(),
    decimals,
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.builds(Quantity, decimals, words),
    st.builds(Period, days, days),
    st.lists(words, max_size=2).map(tuple),
)
records = st.builds(
    Record,
    kind=words,
    values=st.dictionaries(words, values, max_size=3),
    id=words,
    subject=words,
    block=st.none() | st.integers(0, 9),
)
readings = st.builds(
    Reading,
    media_type=words,
    title=words,
    blocks=st.lists(blocks, max_size=3).map(tuple),
    lang=st.none() | st.just("pt"),
    records=st.lists(records, max_size=2).map(tuple),
    warnings=st.lists(words, max_size=2).map(tuple),
)


@given(readings)
def test_a_reading_survives_the_wire(reading: Reading) -> None:
    assert reading_of(json.loads(json.dumps(reading_json(reading)))) == reading


def test_the_shape_is_the_documented_one() -> None:
    value = reading_json(Reading("text/plain", "t", (Block("paragraph", "x"),)))
    assert list(value) == ["media_type", "title", "lang", "blocks", "records", "warnings"]
    assert value["blocks"] == [
        {
            "kind": "paragraph",
            "text": "x",
            "page": None,
            "boxes": [],
            "heading": [],
            "cells": None,
        }
    ]
