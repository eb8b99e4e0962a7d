from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.citations import RawSentence, SentenceStream
from assistant.answering.prompt import build
from assistant.answering.verify import verify
from assistant.domain import ChunkId, DocumentId, Lang, Passage
from assistant.models.candidates import candidates
from assistant.models.embedder import SentenceEmbedder
from assistant.models.quotes import Line, Quotes, rendered

RETURNS = """O cliente pode devolver o produto em até 45 dias corridos. A nota fiscal é obrigatória.
Não aceitamos de volta:
- Plantas e sementes.
- Tintas preparadas.
- Tecidos cortados por metro."""
PUMPS = """Bomba P-101 — torque: 140 N·m; óleo: VG 68
Bomba P-102 — torque: 90 N·m; óleo: VG 46"""
HOTLINE = """In an emergency call the shift leader, Grace Kim.
She answers day and night. The gate opens at 7:30."""


def passage(
    n: int, title: str, text: str, lang: str = "pt", kind: str = "paragraph", **values: object
) -> Passage:
    made = Passage(n, ChunkId(n), DocumentId(str(n)), 1, title, "", text, "", 1 / n, lang, kind)
    return replace(made, **values)  # type: ignore[arg-type]


PASSAGES = (
    passage(1, "Política de devolução 2025", RETURNS),
    passage(2, "Manual das bombas", PUMPS, kind="table"),
    passage(3, "Emergencies", HOTLINE, lang="en"),
)


@pytest.fixture(scope="module")
def quotes(bundled: SentenceEmbedder) -> Quotes:
    return Quotes(bundled)


def answered(
    quotes: Quotes, question: str, passages: tuple[Passage, ...] = PASSAGES, lang: Lang = "pt"
) -> list[RawSentence]:
    async def generate() -> list[RawSentence]:
        stream = SentenceStream()
        found: list[RawSentence] = []
        async for token in quotes.generate(build(question, lang, passages, "salt")):
            found += stream.feed(token.text)
        return found + stream.close()

    sentences = asyncio.run(generate())
    numbered = {p.n: p for p in passages}
    assert all(verify(sentence, numbered).verdict == "verified" for sentence in sentences)
    return sentences


@pytest.mark.parametrize(
    ("question", "expected", "n"),
    [
        ("Em quantos dias o cliente pode devolver um produto?", "45 dias corridos", 1),
        ("Qual é o torque da bomba P-102?", "90 N·m", 2),
        ("Qual é o torque da bomba P-101?", "140 N·m", 2),
        ("Who do I call in an emergency?", "Grace Kim", 3),
        ("Para quem eu ligo em uma emergência?", "Grace Kim", 3),
        ("At what time does the gate open?", "7:30", 3),
    ],
)
def test_the_best_quote_comes_first(quotes: Quotes, question: str, expected: str, n: int) -> None:
    first = answered(quotes, question)[0]
    assert expected in first.text
    assert first.cited[0] == n


def test_a_list_comes_whole(quotes: Quotes) -> None:
    headed = passage(1, "Devolução", RETURNS, heading=("Produtos que a loja não aceita de volta",))
    found = answered(quotes, "Quais produtos a loja não aceita de volta?", (headed,))
    assert [s.text for s in found] == [
        "Não aceitamos de volta:", "Plantas e sementes.", "Tintas preparadas.",
        "Tecidos cortados por metro.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "question",
    [
        "Qual é a cor do uniforme dos motoristas?",
        "What is the interest rate of a mortgage?",
        "Quem ganhou o campeonato de xadrez?",
        "Qual é a tensão elétrica do motor da bomba P-101?",
    ],
)
def test_weak_evidence_gives_no_answer(quotes: Quotes, question: str) -> None:
    assert answered(quotes, question) == []
    assert answered(quotes, question, ()) == []


def test_the_current_version_comes_before_the_superseded_one(quotes: Quotes) -> None:
    old = passage(
        1, "Devolução 2023", "O cliente devolve em até 30 dias corridos.", superseded=True
    )
    new = passage(2, "Devolução 2025", "O cliente devolve em até 45 dias corridos.")
    found = answered(quotes, "Em quantos dias o cliente devolve um produto?", (old, new))
    assert "45 dias" in found[0].text


def test_the_year_asked_for_comes_first(quotes: Quotes) -> None:
    texts = {y: f"O lucro líquido de {y} foi de R$ {n} milhões." for y, n in ((2024, 7), (2025, 9))}
    passages = tuple(passage(n, "Relatório", t) for n, t in enumerate(texts.values(), 1))
    for year, text in texts.items():
        found = answered(quotes, f"Qual foi o lucro líquido de {year}?", passages)
        assert found[0].text == text


def test_the_same_words_are_said_once_citing_both(quotes: Quotes) -> None:
    text = "O cliente pode devolver o produto em até 45 dias corridos."
    passages = (passage(1, "Política", text), passage(2, "Resumo", text))
    found = answered(quotes, "Em quantos dias o cliente pode devolver um produto?", passages)
    assert [(s.text, s.cited) for s in found] == [(text, (1, 2))]


def test_rows_and_items_stay_whole_leads_are_kept_apart() -> None:
    assert [c.text for c in candidates([PASSAGES[1]])] == PUMPS.splitlines()
    items = [c for c in candidates([PASSAGES[0]]) if c.in_list]
    assert [c.lead for c in items] == ["Não aceitamos de volta:"] * 3


def test_every_sentence_of_a_row_is_marked() -> None:
    assert (
        rendered(Line("P-1 — note: Done. Tested.", (2, 3)))
        == "P-1 — note: Done. [2][3] Tested. [2][3]"
    )
    assert rendered(Line("See [4] and [5, 6]", (1,))) == "See (4) and (5, 6) [1]"


@given(st.text(max_size=300), st.sampled_from(["paragraph", "table", "list"]))
def test_candidates_are_spans_of_their_passage(text: str, kind: str) -> None:
    found = candidates([passage(1, "T", text, kind=kind)])
    assert all(c.text == text[c.start : c.end] and c.text.strip() for c in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_needs_nothing(quotes: Quotes) -> None:
    asyncio.run(quotes.check())
    assert quotes.name == "quotes"
