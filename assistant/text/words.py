"""Words of English and Portuguese text: folding, function words and a light stem.

Nothing here needs to know a text's language: the function words of both are left out and one
suffix list serves both, which is what mixed-language comparisons need.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
"""A word, number or part of a hyphenated code, on folded or original text."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTION_WORDS = _names(
    """
    a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further
    had has have having he her here hers him his how i if in into is it its itself just may me
    might more most must my no nor not now of off on once only or other our ours out over own
    please same shall she should so some such tell than that the their theirs them then there
    these they this those through to too under until up upon us very was we were what when where
    which while who whom whose why will with would yes you your yours ao aos aquela aquelas
    aquele aqueles aquilo as ate com como da das de dela delas dele deles depois do dos e ela
    elas ele eles em entre era eram essa essas esse esses esta estao estas estava este estes eu
    foi foram ha isso isto ja la lhe lhes mais mas me mesmo meu meus minha minhas muito na nao
    nas nem no nos nossa nossas nosso nossos num numa o onde os ou para pela pelas pelo pelos
    per pode podem pode por porque qual quais quando quanta quantas quanto quantos que quem sao
    se seja sem ser sera serao seu seus sim so sob sobre sua suas tambem tem tenho ter teu tu
    tua um uma umas uns vai voce voces vos deve devem preciso posso existe existem fica favor
    diga
    """
)

_SUFFIXES = _names(
    "amentos imentos amento imento mente idades idade acoes icoes acao icao coes cao soes sao "
    "adores adoras ador adora antes ante aveis ivel iveis avel ados adas idos idas ado ada ido ida "
    "ando endo indo ares ar er ir am em "
    "izations ization ations ation itions ition ments ment nesses ness ities ity ings ing ies ied "
    "able ible ally ly ers ed es s"
)
_NEGATION = re.compile(
    r"(?:\b(?:not|no|never|none|nor|neither|cannot|without|nao|nunca|jamais|nenhum|nenhuma|nem|sem)"
    r"|n['’]t)\b(?!\s+(?:only|so\b|apenas|somente))([^.,;:!?()\n]*)"
)
_N_NEGATED = 2
_BY_LENGTH = tuple(sorted(_SUFFIXES, key=len, reverse=True))


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Return the text in lower case without accents; its length may change."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return a folded word without its usual English or Portuguese ending, at least 4 letters."""
    if len(word) <= 4 or any(c.isdigit() for c in word):
        return word[:-1] if len(word) == 4 and word.endswith("s") and word.isalpha() else word
    for suffix in _BY_LENGTH:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            word = word[: -len(suffix)]
            break
    return word[:-1] if len(word) > 4 and word[-1] in "aeoiy" else word


def words(text: str) -> list[str]:
    """Return every word of a text, folded, in order."""
    return WORD.findall(fold(text))


def content_words(text: str) -> list[str]:
    """Return the stems of a text's words that carry meaning, in order."""
    return [stem(word) for word in words(text) if word not in _FUNCTION_WORDS]


def is_function_word(word: str) -> bool:
    """Tell whether a word, in any case or accent, is an article, pronoun, preposition and so on."""
    return fold(word) in _FUNCTION_WORDS


def negated(text: str) -> frozenset[str]:
    """Return the stems of the first two content words behind each negation, within its clause."""
    return frozenset(
        word
        for match in _NEGATION.finditer(fold(text))
        for word in content_words(match.group(1))[:_N_NEGATED]
    )
