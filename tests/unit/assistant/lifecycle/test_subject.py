"""A subject is found however the name is written, and never inside another word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InvalidRequest
from assistant.lifecycle.subject import read_terms, terms

SUBJECT = terms(["João da Conceição", "123.456.789-09", "joao.c@example.org"])


@pytest.mark.parametrize(
    "text",
    [
        "João da Conceição",
        "seen: JOAO DA CONCEICAO, male",
        "joão\nda_conceição.pdf",
        "CPF 12345678909",
        "CPF 123 456 789 09.",
        '{"mail": "joao.c@example.org"}',
    ],
)
def test_a_text_that_names_the_subject_is_found(text: str) -> None:
    assert SUBJECT.named_in(text)


@pytest.mark.parametrize(
    "text", ["João", "João da Conceiçãozinha", "0123.456.789-09", "João Maria da Conceição", ""]
)
def test_a_text_about_somebody_else_is_not(text: str) -> None:
    assert not SUBJECT.named_in(text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_stands_around_a_name_does_not_hide_it(before: str, after: str) -> None:
    assert SUBJECT.named_in(f"{before} João da Conceição {after}")


def test_what_is_stored_finds_the_same_and_shows_no_name() -> None:
    stored = json.dumps(SUBJECT.as_json())
    assert "conceicao" not in stored
    assert "12345678909" not in stored
    again = read_terms(SUBJECT.salt, json.loads(stored))
    assert again == SUBJECT
    assert again.named_in("joao da conceicao")


def test_a_name_that_would_hit_anything_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="short"):
        terms(["Jo"])
