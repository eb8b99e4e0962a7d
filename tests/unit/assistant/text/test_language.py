"""English or Portuguese, mostly for questions of one to six words."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.language import detect_language, question_language

EN = """return policy|What is the rate?|How many vacation days do I get?|net income 2023
pump P-101 torque|Who approves loans?|overdraft limit|opening hours|lockout tagout
dosage of amoxicillin|refund deadline|Is parking free?|warranty period|Why was the machine stopped?
interest rate for mortgages|list all suppliers|maximum dose|password reset|battery replacement
Show revenue by quarter|sick leave|annual report|gross margin|total assets|maternity leave
ATM fees|gift card expiry|credit card limit|dress code|emergency contact|discharge criteria
spare parts|shift handover|bearing noise|laptop|What did João Conceição sign?""".replace("\n", "|")
PT = """Qual a taxa?|política de devolução|quanto custa|limite do cartão|E o prazo?
Quantos dias de férias eu tenho?|lucro líquido 2023|torque da bomba P-101|Quem aprova empréstimos?
prazo de reembolso|horário de funcionamento|bloqueio e etiquetagem|dosagem de amoxicilina
posso devolver?|garantia|E se eu perder o cartão?|Por que a máquina parou?|juros do financiamento
liste os fornecedores|dose máxima|redefinir senha|troca de bateria|receita por trimestre
licença médica|relatório anual|margem bruta|ativo total|licença maternidade|tarifas de saque
validade do vale-presente|cheque especial|critérios de alta|pecas de reposicao|passagem de turno
horario da loja|qual o prazo|saldo devedor|O que diz a política de home office?
Qual o SLA do help desk?""".replace("\n", "|")


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_short_questions(lang: str) -> None:
    questions = (EN if lang == "en" else PT).split("|")
    wrong = [text for text in questions if question_language(text) != lang]
    assert len(questions) >= 36
    assert len(wrong) <= 1, wrong
    wrong = [text for text in questions if detect_language(text) != lang]
    assert len(wrong) <= 1, wrong


LONG = {
    "de": "Das Unternehmen berichtet über die Entwicklung der Umsätze im vergangenen Jahr. ",
    "es": "La empresa informa sobre la evolución de los ingresos durante el último ejercicio. ",
    "fr": "L'entreprise présente l'évolution de son chiffre d'affaires au cours de l'exercice. ",
    "en": "The company reports how its revenue developed during the last year. ",
    "pt": "A empresa informa como a sua receita evoluiu durante o último exercício social. ",
}


@pytest.mark.parametrize("lang", sorted(LONG))
def test_long_texts(lang: str) -> None:
    assert detect_language(LONG[lang] * 5) == lang
    assert detect_language(LONG[lang] * 400, "en-US") == lang


def test_a_cover_page_does_not_decide() -> None:
    assert detect_language(LONG["en"] * 3 + LONG["pt"] * 200) == "pt"


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("", None, "en"),
        ("12,5 % — 2024", "pt-BR", "pt"),
        ("12,5 % — 2024", "klingon", "en"),
        ("Ok", "pt_BR", "pt"),
        ("Hallo Welt", "de", "de"),
        ("política de devolução", "en", "pt"),
        ("the return policy of the shop", "pt", "en"),
    ],
)
def test_declared_languages_decide_what_is_too_short(
    text: str, declared: str | None, expected: str
) -> None:
    assert detect_language(text, declared) == expected


def test_a_question_without_words_takes_the_default() -> None:
    assert question_language("P-101?", "pt") in ("en", "pt")
    assert question_language("42?", "pt") == "pt"
    assert question_language("", "en") == "en"


@given(st.text())
def test_any_text_has_a_language(text: str) -> None:
    assert 2 <= len(detect_language(text)) <= 3
    assert question_language(text) in ("en", "pt")


def test_importing_loads_no_model() -> None:
    code = "import sys, assistant.text.language; sys.exit('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
