"""Personal data is found in every form that people write it, and ordinary numbers are nobody's."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.personal.find import find
from assistant.personal.finding import Kind
from tests.support.personal_data import VALUES, decoy, written


def found(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find(text)]


@pytest.mark.parametrize("kind", list(VALUES))
@given(seed=st.integers(0, 2**32))
def test_every_form_in_sentences_tables_and_json(kind: Kind, seed: int) -> None:
    example = written(kind, Random(seed))
    assert (kind, example.value) in found(example.text)
    assert {name for name, _ in found(example.text)} == {kind}


@given(seed=st.integers(0, 2**32))
def test_ordinary_numbers_are_nobodys(seed: int) -> None:
    assert found(decoy(Random(seed))) == []


@given(st.text())
def test_findings_lie_in_the_text_in_order_and_apart(text: str) -> None:
    at = 0
    for one in find(text):
        assert at <= one.start < one.end <= len(text)
        at = one.end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O cliente Ana, 52998224725, pagou.", ("cpf", "52998224725")),
        ("CPF52998224725", ("cpf", "52998224725")),
        ("CPF 529.982.247\u201325", ("cpf", "529.982.247\u201325")),
        ("CNPJ 12.ABC.345/01DE-35", ("cnpj", "12.ABC.345/01DE-35")),
        ("RG: MG-12.345.678", ("rg", "MG-12.345.678")),
        ("Passaporte nº FZ123456", ("passport", "FZ123456")),
        ("nascido em 12 de março de 1980", ("birth_date", "12 de março de 1980")),
        ("DOB: 1980-03-12", ("birth_date", "1980-03-12")),
        ("MRN: A-99812", ("mrn", "A-99812")),
        ("NHS number 943 476 5919", ("nhs", "943 476 5919")),
        ("Login from 10.0.0.1", ("ip", "10.0.0.1")),
        ("at fe80::1ff:fe23:4567:890a", ("ip", "fe80::1ff:fe23:4567:890a")),
        ("Patient name: Jane Doe", ("name", "Jane Doe")),
        ("Nome: Maria da Silva, 30 anos", ("name", "Maria da Silva")),
        ("Rua das Flores, 123, Recife", ("address", "Rua das Flores, 123")),
        ("12 Baker Street, London", ("address", "12 Baker Street")),
        ("cpf,nome\n52998224725,Ana", ("cpf", "52998224725")),
        ("Phone:\n358 0594", ("phone", "358 0594")),
        ("655 437 108 office", ("phone", "655 437 108")),
    ],
)
def test_other_forms(text: str, expected: tuple[str, str]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "CPF: 111.111.111-11",
        "CPF: 529.982.247-26",
        "Redmond, Washington 98052-6399",
        "version 4.1.2.3 of std::vector at 12:30:45",
        "between 1998-2004, 1 234 567 patients",
        "the card ending 4242",
        "Jane Doe met Maria da Silva in Paris",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert found(text) == []
