from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.numbers import Fact, facts

MONTHS_EN = tuple(calendar.month_name[1:])
MONTHS_PT = (
    "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
    "outubro", "novembro", "dezembro",
)  # fmt: skip
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2)
DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2099, 12, 31))


def one(text: str) -> Fact:
    (fact,) = facts(text, spelled=True)
    return fact


def english(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def portuguese(amount: Decimal) -> str:
    return english(amount).translate(str.maketrans(",.", ".,"))


@given(AMOUNTS)
def test_amounts_read_the_same_in_both_locales(amount: Decimal) -> None:
    readings = one(f"R$ {portuguese(amount)}"), one(f"R$ {english(amount)}")
    for fact in readings:
        assert amount.normalize() in fact.values
        assert fact.unit == "BRL"
    assert one(f"a {portuguese(amount)} b").values & one(f"a {english(amount)} b").values


@given(st.integers(min_value=0, max_value=10**15))
def test_whole_numbers_with_and_without_groups(number: int) -> None:
    plain = one(f"{number} kg")
    assert plain.unit == "kg"
    for separator in (",", ".", "\u00a0", "\u202f"):
        grouped = one(f"{number:,} kg".replace(",", separator))
        assert Decimal(number) in grouped.values


@given(AMOUNTS.filter(bool))
def test_signs_and_brackets_are_negative(amount: Decimal) -> None:
    expected = -amount.normalize()
    for text in (f"-{english(amount)}", f"−{english(amount)}", f"({portuguese(amount)})"):
        assert expected in one(f": {text}").values
        assert amount.normalize() not in one(f": {text}").values


@given(DAYS)
def test_every_spelling_of_a_date_has_that_reading(day: date) -> None:
    expected = (day.year, day.month, day.day)
    spellings = (
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day:%m/%d/%Y}",
        f"{day:%d.%m.%Y}",
        f"{MONTHS_EN[day.month - 1]} {day.day}, {day.year}",
        f"{day.day} {MONTHS_EN[day.month - 1][:3]} {day.year}",
        f"{day.day} de {MONTHS_PT[day.month - 1]} de {day.year}",
        f"{day.day}/{MONTHS_PT[day.month - 1][:3]}/{day.year}",
    )
    for text in spellings:
        assert expected in one(text).days, text


@given(st.integers(0, 23), st.integers(0, 59))
def test_times(hour: int, minute: int) -> None:
    expected = frozenset({Decimal(hour * 60 + minute)})
    meridian = "am" if hour < 12 else "pm"
    for text in (
        f"{hour}:{minute:02}",
        f"{hour}h{minute:02}",
        f"{hour % 12 or 12}:{minute:02} {meridian}",
    ):
        assert (one(text).kind, one(text).values) == ("time", expected), text


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("R$ 2 mi", "2000000", "BRL"),
        ("R$ 2,5 milhões", "2500000", "BRL"),
        ("US$ 1.2 billion", "1200000000", "USD"),
        ("$5k", "5000", "$"),
        ("3 mil", "3000", ""),
        ("12,5 %", "12.5", "%"),
        ("12.5 per cent", "12.5", "%"),
        ("62 N·m", "62", "Nm"),
        ("5 m", "5", "m"),
        ("10 dias úteis", "10", "business day"),
        ("30 working days", "30", "business day"),
        ("trinta dias", "30", "day"),
        ("twenty five minutes", "25", "minute"),
        ("0,25 mg/kg", "0.25", "mg/kg"),
        ("3º", "3", ""),
    ],
)
def test_units_and_scales(text: str, value: str, unit: str) -> None:
    fact = one(text)
    assert Decimal(value).normalize() in fact.values
    assert fact.unit == unit


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("P-101", "P101"),
        ("NR-12", "NR12"),
        ("v2.1", "V21"),
        ("TX-2025-0042", "TX20250042"),
        ("1T25", "Q1"),
        ("Q1 2025", "Q1"),
        ("segundo trimestre", "Q2"),
    ],
)
def test_codes(text: str, code: str) -> None:
    assert (one(text).kind, one(text).code) == ("code", code)


@pytest.mark.parametrize(
    ("text", "values"),
    [("1.234", {"1234", "1.234"}), ("0.125", {"0.125"}), ("1.234.567", {"1234567"}),
     ("1.5", {"1.5"}), ("1,234.5", {"1234.5"}), ("12.34.56", set())],
)  # fmt: skip
def test_ambiguous_readings(text: str, values: set[str]) -> None:
    found = {str(v) for fact in facts(text) for v in fact.values}
    assert found == {str(Decimal(v).normalize()) for v in values}


@pytest.mark.parametrize(
    "text", ["thirty (30) days", "carry out 3 tests", "5 out of 10", "you may 2", "set 5 bar"]
)
def test_what_only_looks_like_a_date_or_a_negative(text: str) -> None:
    found = facts(text)
    assert {fact.kind for fact in found} == {"number"}
    assert all(value > 0 for fact in found for value in fact.values)


def test_a_list_number_is_no_fact() -> None:
    assert [fact.text for fact in facts("2. Wait 10 minutes.")] == ["10 minutes"]


@given(st.text(max_size=80))
def test_offsets_are_those_of_the_text(text: str) -> None:
    found = facts(text, spelled=True)
    assert all(text[fact.start : fact.end] == fact.text for fact in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
