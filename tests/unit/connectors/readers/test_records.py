from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]


def test_flat_arrays_are_tables_with_figures_as_written(read_bytes: Read) -> None:
    reading = read_bytes('[{"itemName": "Tea", "price": 1.10}, {"itemName": "Oil"}]', "a.json")
    assert reading.blocks[0].cells == (("item name", "price"), ("Tea", "1.10"), ("Oil", ""))
    assert [record.values for record in reading.records] == [
        {"itemName": "Tea", "price": Decimal("1.10")},
        {"itemName": "Oil"},
    ]


def test_objects_are_records(read_bytes: Read) -> None:
    reading = read_bytes(
        '{"title": "Store 7", "open": true, "address": {"city": "Recife"}, "tags": ["a", "b"],'
        ' "staff": [{"name": "Ana", "roles": ["cashier"]}, {"name": "Rui", "roles": []}]}',
        "a.json",
    )
    assert reading.title == "Store 7"
    assert reading.blocks[0].text == "title: Store 7\nopen: yes\naddress city: Recife\ntags: a, b"
    assert [b.text for b in reading.blocks[1:]] == [
        "staff",
        "name: Ana\nroles: cashier",
        "name: Rui",
    ]


def test_json_lines(read_bytes: Read) -> None:
    reading = read_bytes('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', "a.jsonl")
    assert reading.blocks[0].text == "1 — b: x\n2 — b: y"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ('{"a": 1', "corrupt"),
        ("[" * 100_000, "bomb"),
        ("[" * 100 + "]" * 100, "bomb"),
        ("[[], {}]", "empty"),
        ("[" + "1" * 10_000 + "]", "corrupt"),
    ],
)
def test_refusals(read_bytes: Read, data: str, cause: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(data, "a.json")
    assert caught.value.cause == cause


def test_lone_surrogates_and_nan_can_be_sent(read_bytes: Read) -> None:
    reading = read_bytes('{"a": "x\\ud800y", "b": NaN}', "a.json")
    assert reading.blocks[0].text == "a: xy"
    assert "b" not in reading.records[0].values
