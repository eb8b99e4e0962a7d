from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.figures import Evidence, missing

SUPPORTED = [
    ("O prazo é de 30 dias.", "Prazo: trinta (30) dias corridos"),
    ("The limit is R$ 2,000,000.", "limite de R$ 2 mi"),
    ("The limit is R$ 2.5 million.", "limite de R$ 2,5 milhões"),
    (
        "Sales were $1,496.5 million in 2019.",
        "(in millions) Sales — 2019: $ 1,496.5; 2018: 1,202.9",
    ),
    ("Net loss was 1,234.", "Net income — 2024: (1,234)"),
    ("On 3 April 2025 it ends.", "em 03/04/2025"),
    ("On 4 March 2025 it ends.", "em 03/04/2025"),
    ("In April 2025 it ends.", "em 03/04/2025"),
    ("Em 2025.", "em 03/04/2025"),
    ("The rate is 12%.", "Taxa (%): 12"),
    ("30 dias", "30 days"),
    ("It opens at 5 pm.", "Abre às 17h"),
    ("Às 14h30.", "at 2:30 pm"),
    ("P-101 vibrates at 4.5 mm/s", "bomba P101: 4,5 mm/s"),
    ("Revenue grew from 100 to 120, an increase of 20%.", "Revenue: 2024: 120; 2023: 100"),
    ("In total 350: 100 and 250.", "a 100 b 250"),
    ("The difference between 120 and 100 is 20.", "120 and 100"),
    ("about 3.2 million people", "3,214,567 people"),
    ("In Q1 2025.", "1T25 receita"),
    ("três dias", "3 days"),
    ("two of them", "nothing here"),
    ("It takes 2 hours.", "It takes 2 hours"),
]
UNSUPPORTED = [
    ("Sales were $1,496.5 million in 2020.", "(in millions) Sales — 2019: $ 1,496.5", "2020"),
    ("Net income was 1,234.", "Net income — 2024: (1,234)", "1,234"),
    ("On 5 April 2025 it ends.", "em 03/04/2025", "5 April 2025"),
    ("The rate is 12%.", "Taxa: 12 meses", "12%"),
    ("30 days", "30 business days", "30 days"),
    ("P-102 leaks", "bomba P101 leaks", "P-102"),
    ("Revenue grew from 100 to 120, an increase of 25%.", "2024: 120; 2023: 100", "25%"),
    ("100 and 120 make 220.", "100; 120", "220"),
    ("3.2 million people", "3,214,567 people", "3.2 million"),
    ("In Q2 2025.", "1T25 receita", "Q2 2025"),
    ("quatro dias", "3 dias", "quatro dias"),
    ("It costs US$ 50.", "custa R$ 50", "US$ 50"),
    ("5 mg", "5 g", "5 mg"),
]


@pytest.mark.parametrize(("claim", "evidence"), SUPPORTED)
def test_supported(claim: str, evidence: str) -> None:
    assert missing(claim, Evidence.of(evidence)) == ()


@pytest.mark.parametrize(("claim", "evidence", "absent"), UNSUPPORTED)
def test_unsupported(claim: str, evidence: str, absent: str) -> None:
    assert [fact.text for fact in missing(claim, Evidence.of(evidence))] == [absent]


def test_title_and_headings_count() -> None:
    assert missing("The limit of 2025 is 5 kg.", Evidence.of("Limit: 5 kg", "Policy 2025")) == ()


NUMBERS = st.decimals(min_value=1, max_value=10**7, places=2)


@given(NUMBERS)
def test_a_number_supports_itself_in_either_locale(number: Decimal) -> None:
    english = f"{number:,.2f}"
    portuguese = english.translate(str.maketrans(",.", ".,"))
    assert missing(f"It is R$ {english}.", Evidence.of(f"São R$ {portuguese}.")) == ()
    assert missing(f"São R$ {portuguese}.", Evidence.of(f"It is R$ {english}.")) == ()


@given(NUMBERS, NUMBERS)
def test_another_number_does_not(one: Decimal, other: Decimal) -> None:
    absent = missing(f"It is R$ {one:,.2f}.", Evidence.of(f"It is R$ {other:,.2f}."))
    assert bool(absent) == (one != other)


@given(st.integers(31, 900), st.integers(31, 900))
def test_a_stated_sum_follows_an_unstated_one_does_not(a: int, b: int) -> None:
    evidence = Evidence.of(f"north: {a}; south: {b}")
    assert missing(f"{a} and {b} are {a + b} in total.", evidence) == ()
    assert missing(f"There are {a + b} in total.", evidence) != ()
