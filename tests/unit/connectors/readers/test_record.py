from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connectors.readers.record import day, decimal, record_of, snake, valued


@pytest.mark.parametrize(
    ("name", "key"),
    [("birthDate", "birth_date"), ("Birth date", "birth_date"), ("EntryRef#2", "entry_ref_2")],
)
def test_names_become_keys(name: str, key: str) -> None:
    assert snake(name) == key


def test_numbers_of_machines() -> None:
    assert decimal(" -1234.50 ") == Decimal("-1234.50")
    assert [decimal(text) for text in ("1,5", "", "NaN", "Infinity")] == [None] * 4


def test_days() -> None:
    assert day("2024-03-02T10:00:00Z") == day("20240302") == date(2024, 3, 2)
    assert [day(text) for text in ("2024-13-01", "2024", "soon")] == [None] * 3


def test_what_is_missing_is_left_out() -> None:
    assert valued({"a": None, "b": "", "c": (), "d": 0, "e": False}) == {"d": 0, "e": False}


def test_other_shapes_are_refused() -> None:
    plain = {"kind": "k", "id": "", "subject": "", "block": None}
    with pytest.raises(ValueError, match="not a value"):
        record_of({**plain, "values": {"a": {"b": 1}}})
