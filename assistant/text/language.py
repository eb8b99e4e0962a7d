"""Which language a text is written in.

Long texts are judged by py3langid's n-gram model. Questions of a few words are too short for it
("Qual a taxa?" looks Catalan), so English and Portuguese function words, letters and endings vote
first and the model decides between the two only where they don't.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from assistant.domain import Lang

_CANDIDATES = ("en", "pt", "es", "fr", "de", "it", "nl", "pl", "sv", "da", "ru", "zh", "ja", "ar")
_MODEL_CHARS = 1_000
"""The model's cost grows with the text; a sample decides as well."""
_LONG_LETTERS = 200

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_CODE = re.compile(r"^[a-z]{2,3}(?=$|[-_])")
_PT_LETTERS = re.compile(r"[ãõç]|[áâéêíóôú](?![^\W\d_]*[ñ])")
_PT_ENDING = re.compile(r"(?:ções|ção|são|ões|ães|agem|agens|eiro|eira|mente|inho|inha|arei)$")
_EN_ENDING = re.compile(
    r"(?:tion|tions|ing|ness|ment|ments|ity|ght|ship|ly|ies|'s|n't|[bcdfghjkpqtvwy])$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EN = _words(
    "the of and to in is are was were be been what which who whom whose where when why how much "
    "many does did can could should would will shall may might must have has had this that these "
    "those there their them they you your yours my mine our ours we i it its he she him his her "
    "for from with without by about at on or not any all each other than then if but because "
    "under over between during before after until while into out up down per an every some most "
    "more less least new list show tell give find me us please yes policy policies rate rates fee "
    "fees price prices cost costs limit return returns refund order orders card loan account bank "
    "safety procedure work leave staff hours days day month months year years net income revenue "
    "report annual interest warranty pump machine patient drug dose store stores vacation sick "
    "required allowed need needs get got sell use used using open close late free full"
)
_PT = _words(
    "o os um uma uns umas de da do das dos em na nas nos ao aos à às e é são foi foram era ser "
    "está estão que qual quais quem onde quando como quanto quanta quantos quantas porque por "
    "pelo pela pelos pelas para pra com sem sob sobre entre até desde após antes durante não sim "
    "mais menos muito muita muitos muitas eu ele ela eles elas nós você vocês me se lhe meu minha "
    "meus minhas seu sua seus suas nosso nossa nossos nossas este esta estes estas esse essa esses "
    "essas isso isto aquele aquela tem têm ter há posso pode podem deve devem preciso precisa "
    "fazer faço fica ficam existe existem cada todo toda todos todas algum alguma qualquer outro "
    "outra mesmo ou mas também já ainda só nem taxa taxas preço preços prazo prazos custo custos "
    "custa limite troca trocas devolução política conta contas cartão banco empréstimo juros "
    "férias funcionário funcionários segurança trabalho lucro receita relatório anual garantia "
    "bomba máquina paciente dose loja lojas mês meses ano anos dia dias hora horas liste mostre "
    "diga quero gostaria favor valor multa boleto fatura pedido estoque tarifa tarifas saldo "
    "voce nao sao esta politica devolucao cartao ferias seguranca maquina mes"
)
_BOTH = _words("a as no me total in do use animal normal real central hospital local final")


def detect_language(text: str, declared: str | None = None) -> str:
    """Return the language of a document as an ISO 639-1 code: `en`, `pt` or another.

    A declared language (`pt-BR`) decides texts too short to judge, and texts whose own words don't
    contradict it; without one they count as English.
    """
    code = _code(declared)
    sample = _sample(text)
    vote = _vote(sample, 1.5 if code else 0.5)
    if sum(map(str.isalpha, sample)) >= _LONG_LETTERS:
        found = _model(sample, _CANDIDATES)
        return found[0] if found[1] > 0.5 or not code else code
    if code not in ("", "en", "pt"):
        return code
    if vote or code:
        return vote or code
    if not any(map(str.isalpha, sample)):
        return "en"
    return _model(sample, ("en", "pt"))[0]


def question_language(text: str, default: Lang = "en") -> Lang:
    """Return the language in which a question is to be answered, whichever it is closer to."""
    vote = _vote(text)
    if not vote:
        words = _WORD.findall(text)
        vote = _model(text, ("en", "pt"))[0] if words else default
    return "pt" if vote == "pt" else "en"


def _vote(text: str, margin: float = 0.5) -> str:
    """Return `en` or `pt` if the words of a text speak for one of them, else ""."""
    en = pt = 0.0
    for word in map(str.lower, _WORD.findall(text)):
        if word in _BOTH:
            continue
        en += 2.0 * (word in _EN) + 0.6 * bool(_EN_ENDING.search(word))
        pt += 2.0 * (word in _PT) + 0.6 * bool(_PT_ENDING.search(word))
        pt += 0.8 * bool(_PT_LETTERS.search(word))
    if abs(en - pt) < margin:
        return ""
    return "en" if en > pt else "pt"


def _sample(text: str) -> str:
    """Return the text, or three pieces of a long one: a cover page may be in another language."""
    if len(text) <= _MODEL_CHARS:
        return text
    third = _MODEL_CHARS // 3
    middle = len(text) // 2
    return "\n".join((text[:third], text[middle : middle + third], text[-third:]))


def _code(declared: str | None) -> str:
    found = _CODE.match((declared or "").strip().lower())
    return found.group() if found else ""


def _model(text: str, candidates: tuple[str, ...]) -> tuple[str, float]:
    code, probability = _identifier(candidates).classify(text.lower())
    return str(code), float(probability)


@lru_cache(maxsize=4)
def _identifier(candidates: tuple[str, ...]) -> Any:
    from py3langid.langid import (  # type: ignore[import-untyped]
        MODEL_FILE,
        LanguageIdentifier,
    )

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(candidates))
    return identifier
