"""Whether a few words can be an answer: they are of the sort that a question asks for."""

from __future__ import annotations

from assistant.models.asked import Kind, asked, holds
from assistant.text.bilingual import concepts
from assistant.text.numbers import facts
from assistant.text.words import content_words, words

_FEW = 5
_DEFINITE: frozenset[Kind] = frozenset(
    {"number", "money", "duration", "date", "time", "person", "place"}
)


def fits(text: str, question: str) -> bool:
    """Say whether a text may stand in the answer to a question.

    Five words or more may say anything that is supported. Fewer must speak of something the
    question speaks of, or be what it asks for: a figure, a date, a person, a place. Where it asks
    for none of these, any words may.
    """
    if len(words(text)) >= _FEW:
        return True
    kinds = asked(question).kinds
    if not kinds or not kinds <= _DEFINITE or facts(text, spelled=True):
        return True
    if not concepts(content_words(text)).isdisjoint(concepts(content_words(question))):
        return True
    return any(holds(kind, text) for kind in kinds)
