"""One way to write a quarter, a month or a year."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.periods import periods


@pytest.mark.parametrize(
    "text",
    [
        "3T22",
        "3t/22",
        "3Q22",
        "Q3'22",
        "Q3 FY22",
        "Q3 2022",
        "2022 Q3",
        "3T 2022",
        "third quarter of 2022",
        "the third fiscal quarter of fiscal year 2022",
        "3rd quarter 2022",
        "terceiro trimestre de 2022",
        "3º trimestre de 2022",
        "3º trimestre do exercício de 2022",
    ],
)
def test_a_quarter_has_one_name(text: str) -> None:
    assert set(periods(text)) == {"2022q3", "q3", "2022"}


@pytest.mark.parametrize(
    "text",
    [
        "June 2022",
        "June 25, 2022",
        "25 June 2022",
        "25 de junho de 2022",
        "junho/2022",
        "jun. 2022",
        "2022-06",
        "2022-06-25",
        "06/2022",
        "25/06/2022",
        "25.06.2022",
    ],
)
def test_a_month_has_one_name(text: str) -> None:
    assert set(periods(text)) == {"2022m06", "2022"}


@pytest.mark.parametrize("text", ["in 2022", "FY22", "fy 2022", "exercício de 2022", "2022."])
def test_a_year_has_one_name(text: str) -> None:
    assert periods(text) == ["2022"]


def test_a_quarter_may_have_no_year() -> None:
    assert periods("Q3 guidance") == ["q3"]


@pytest.mark.parametrize(
    "text",
    ["", "You may ask", "R$ 2,022.50", "part 2022-B", "Galaxy S10", "10-Q", "3 tons", "in 22"],
)
def test_other_numbers_are_no_periods(text: str) -> None:
    assert periods(text) == []


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert len(set(periods(text))) == len(periods(text))
