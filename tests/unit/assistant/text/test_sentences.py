"""Sentence ends against hand-split English and Portuguese, spans against their contract."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.text.sentences import lines, sentences

SPLIT = [
    "He left.|She stayed.",
    "Mr. Brown met Dr. Lee.|They agreed.",
    "O Sr. Silva e a Dra. Ana chegaram.|Eles assinaram o contrato.",
    "Exmo. Sr. Prof. Souza falou.|Todos ouviram.",
    "Nos termos do art. 5º da Lei nº 8.078, o prazo é de 7 dias.|Depois disso, não há troca.",
    "Conforme o art. IV, cabe recurso.|Ver pág. 12.",
    "Revenue was $1,234.56 in 2024.|It was R$ 1.234,56 in 2023.",
    "O saldo é de R$ 2.500,00.|A taxa é de 1,5% ao mês.",
    "Em 12.03.2024 foi assinado.|Vale por 2 anos.",
    "Apple Inc. reported growth.|The U.S. market grew 3.5%.",
    "Sales fell in the U.S.|The rest of the world grew.",
    "The plant is run by Acme Corp.|It opened in 1990.",
    "A empresa Aço S.A.|Os acionistas aprovaram.",
    "See e.g. Smith et al. 2020 for details.|Then i.e. this one.",
    "Use p. ex. três unidades.|P. ex. Brasil e Chile.",
    "J. K. Rowling wrote it.|He met John F. Kennedy.",
    "M. A. da Silva assinou.|J. Souza também.",
    "Take vitamin C.|The dose is 5 mg.",
    "Tome vitamina C.|A dose é de 5 mg.",
    "Use No. 5 oil.|Is it so?|No.|I think not.",
    "Visit https://example.com/a.b?c=d.|Then log in.",
    "Escreva para ana.lima@exemplo.com.br.|Responderemos em 2 dias.",
    "Open C:\\data\\file.v2.txt now.|Close it.",
    "4.2.1 Scope of work.|The scope is wide.",
    "4.2.1. Scope of work.|The scope is wide.",
    "1. First thing.|2. Second thing.",
    "a. Wash hands.|b. Dry them.",
    "Wait...|What?|Yes!",
    "Wait... what happened?|Nothing.",
    "Espere… não sei.|Talvez.",
    "“Really?” he asked.|“Yes.”|She left.",
    '"It works." She smiled.'.replace('." ', '."|'),
    "(See fig. 3.)|The next one follows.",
    "Profit rose.[1]|Costs fell.[2][3]",
    "Compras, vendas, etc.|Outras despesas.",
    "Bring gloves, goggles, etc. and wear them.|Go.",
    "Às 5 p.m.|O gerente saiu.",
    "At 5 p.m. Maria left.|She drove.",
    "Replaced on Jan. 5 by Sgt. Pepper.|Done.",
    "Valor mín. 10 e máx. 20.|Obs. Não acumula.",
    "The pump (type P-101 vs. P-102) failed.|Bearing noise was heard.",
    "Yahoo! is a name.|So is Jeopardy!",
    "great product. would buy again. fast delivery, approx. two days.".replace(
        "t. w", "t.|w"
    ).replace("n. f", "n.|f"),
    "Net income — 2024: 1,234; 2023: 1,100\nCosts — 2024: 900".replace("\n", "|"),
    "- milk|- eggs|• pão|3) queijo",
    "Ph.D. students may apply.|Others may not.",
    "R. Augusta, n. 100, ap. 12.|CEP 01000-000.",
    "これは文です。|次の文です。",
    "No stop at the end",
]


@pytest.mark.parametrize("marked", SPLIT)
def test_splits_like_a_person(marked: str) -> None:
    expected = marked.split("|")
    lined = marked.startswith(("- ", "Net income"))
    glue = "\n" if lined else "" if "。" in marked else " "
    text = glue.join(expected)
    assert [text[s:e] for s, e in sentences(text)] == expected


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\u2028"])
def test_blank_text_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


def test_a_newline_always_ends_a_sentence() -> None:
    text = "  Dr.\r\n Silva \n\n came"
    assert [text[s:e] for s, e in sentences(text)] == ["Dr.", "Silva", "came"]


def test_lines_keep_rows_whole() -> None:
    text = "Policy — rule: Pay now. Ask later; days: 30\n\n  Total — days: 31 "
    assert [text[s:e] for s, e in lines(text)] == [
        "Policy — rule: Pay now. Ask later; days: 30",
        "Total — days: 31",
    ]


pieces = st.sampled_from(
    ["Dr", ".", ". ", "A", "the ", "U.S.", "1", "…", "! ", '"', ")", " ", "\n", "\u2028", "é", "。"]
)
texts = st.one_of(st.text(), st.lists(pieces, max_size=40).map("".join))


@given(texts)
@example("a" * 60 + ". B")
@example(". . . A")
def test_spans_are_stripped_ordered_and_lossless(text: str) -> None:
    spans = sentences(text)
    at = 0
    for start, end in spans:
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@given(texts, texts)
def test_splitting_line_by_line_is_the_same(first: str, second: str) -> None:
    joined = first + "\n" + second
    shift = len(first) + 1
    moved = [(s + shift, e + shift) for s, e in sentences(second)]
    assert sentences(joined) == sentences(first) + moved
