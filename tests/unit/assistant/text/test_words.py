from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.bilingual import concepts, concepts_of
from assistant.text.words import content_words, fold, is_function_word, stem, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("devoluções", "devolução"),
        ("contratos", "contrato"),
        ("refunds", "refund"),
        ("policies", "policy"),
        ("Manutenção", "manutencao"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert content_words(one) == content_words(other) != []


def test_function_words_are_left_out_numbers_kept() -> None:
    assert content_words("Qual é o prazo de 30 dias para a P-101?") == [
        "praz", "30", "dia", "p", "101",
    ]  # fmt: skip
    assert is_function_word("NÃO")
    assert not is_function_word("prazo")
    assert words("R$ 1.234,56") == ["r", "1.234,56"]


@pytest.mark.parametrize(
    ("portuguese", "english"),
    [("bomba", "pump"), ("reembolso", "refund"), ("tenecteplase", "tenecteplase"),
     ("antibióticos", "antibiotics"), ("metformina", "metformin"), ("farmácia", "pharmacy")],
)  # fmt: skip
def test_words_meet_across_languages(portuguese: str, english: str) -> None:
    assert concepts(content_words(portuguese)) & concepts(content_words(english))


def test_unrelated_words_do_not_meet() -> None:
    assert not concepts(["bomba", "prazo"]) & concepts(["invoice", "holiday"])
    assert concepts_of("p101") == {"p101"}


@given(st.text())
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_a_stem_begins_its_word(word: str) -> None:
    assert word.startswith(stem(word))
    assert len(stem(word)) >= min(len(word), 3)
