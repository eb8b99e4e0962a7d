"""Whether permitted documents answer a question differently: then the answer says so.

A document that somebody may change can be made to say anything, also in the words of a question,
also five times over. Which of two documents is right can't be known from them; that they give
different answers can. Neither the newer nor the one that says it more often wins: both are cited.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answering.statements import Matter, Statement, statement
from assistant.domain import Citation, Disagreement, Lang, Passage
from assistant.text.numbers import Day, Fact

_MOST_SIDES = 4
_PLAINLY = 0.7


@dataclass(frozen=True, slots=True)
class _Side:
    """Documents that say the same, the first one cited."""

    first: Statement
    documents: frozenset[str]


def disagreement(question: str, lang: Lang, passages: Sequence[Passage]) -> Disagreement | None:
    """Return the quotes of documents that answer a question differently, or None.

    Only questions with one answer are looked at, and only documents that speak of the very thing:
    in doubt they don't disagree.
    """
    matter = Matter(question, lang)
    if not matter.has_one_answer:
        return None
    sides: list[_Side] = []
    for passage in passages:
        if (found := statement(matter, passage)) is not None:
            _take(found, sides)
    if len(sides) < 2:
        return None
    return Disagreement(tuple(_cited(side.first) for side in sides[:_MOST_SIDES]))


def _take(found: Statement, sides: list[_Side]) -> None:
    """Add a statement to the side that it is on, or open one if it contradicts every other."""
    document = found.passage.document_id
    for i, side in enumerate(sides):
        if document in side.documents or not contradicts(side.first, found):
            sides[i] = _Side(side.first, side.documents | {document})
            return
    sides.append(_Side(found, frozenset({document})))


def contradicts(one: Statement, other: Statement) -> bool:
    """Say whether two statements give different things for what is asked.

    One of them must speak plainly of the question. They do if they say yes and no, or choose
    differently, or one denies what the other gives, or they give figures of one sort, else names,
    else words, and none in common.
    """
    if max(one.share, other.share) < _PLAINLY:
        return False
    if one.denied & other.given.names or other.denied & one.given.names:
        return True
    if one.verdict is not None:
        return bool(one.verdict and other.verdict) and one.verdict != other.verdict
    return _apart(one, other) and _apart(other, one)


def _apart(one: Statement, other: Statement) -> bool:
    """Say whether the other passage has nothing of what a statement gives."""
    given, around = one.given, other.around
    pairs = [(a, b) for a in given.figures for b in around.figures if _comparable(a, b)]
    if pairs:
        return not any(_agree(a, b) for a, b in pairs)
    if given.names and other.given.names:
        return not given.names & around.names
    comparable = bool(given.words and around.words) and one.passage.lang == other.passage.lang
    return comparable and not given.words & around.words


def _comparable(one: Fact, other: Fact) -> bool:
    if _days(one) and _days(other):
        return True
    return one.kind == other.kind and one.unit == other.unit


def _agree(one: Fact, other: Fact) -> bool:
    if one.values & other.values:
        return True
    return any(
        all(a is None or b is None or a == b for a, b in zip(day, another, strict=True))
        for day in _days(one)
        for another in _days(other)
    )


def _days(fact: Fact) -> frozenset[Day]:
    """Return the days a figure may mean: a number like 1952 is a year as well."""
    if fact.kind == "number" and re.fullmatch(r"(?:1[5-9]|20|21)\d\d", fact.text):
        return frozenset({(int(fact.text), None, None)})
    return fact.days


def _cited(found: Statement) -> Citation:
    quote = found.passage.text[found.start : found.end]
    return Citation(0, found.passage, quote, found.start, found.end)
