"""Questions that ask for the latest: of passages otherwise alike, the newest document's first.

Nothing is left out, and a question that names a year, or asks for what was before, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from assistant.text.words import content_words, fold

ALIKE = 0.5
"""Least share of common content words, figures aside, of passages that are about the same."""

_LATEST = re.compile(
    r"\b(?:latest|newest|most recent(?:ly)?|up[- ]to[- ]date|in force|in effect|"
    r"currently|current(?! (?:account|asset|liabilit|ratio|draw|rating|transformer|year))|"
    r"mais recentes?|mais nov[oa]s?|atual|atuais|atualmente|atualizad[oa]s?|vigentes?|em vigor|"
    r"ultim[oa]s? (?:\w+ )?(?:vers|relatorio|politica|edic|revis|publicac|dado|tabela|norma|"
    r"documento|balanco|resultado))"
)
_BEFORE = re.compile(
    r"\b(?:1[89]|20)\d\d\b|\b(?:previous|former|formerly|earlier|older|oldest|superseded|historic|"
    r"anterior(?:es)?|antig[oa]s?|substituid[oa]s?)\b|\bold\b"
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A passage with the day its document is of, if that is known."""

    title: str
    text: str
    day: date | None


def asks_for_latest(question: str) -> bool:
    """Say whether a question, English or Portuguese, asks for the newest and names no other."""
    folded = fold(question)
    return bool(_LATEST.search(folded)) and not _BEFORE.search(folded)


def newest_first(question: str, found: Sequence[Dated]) -> list[int]:
    """Return every position in the new order, given best first.

    A passage joins the best-ranked one that it is about alike to; such a group keeps its places,
    its dated passages exchange theirs, newest first. Equal days keep their order.
    """
    order = list(range(len(found)))
    if not asks_for_latest(question):
        return order
    groups: list[list[int]] = []
    for position in order:
        words = _words(found[position])
        near = (g for g in groups if _likeness(_words(found[g[0]]), words) >= ALIKE)
        group = next(near, None)
        if group is None:
            group = []
            groups.append(group)
        group.append(position)
    for group in groups:
        days = {i: day for i in group if (day := found[i].day) is not None}
        newest = sorted(days, key=lambda i: -days[i].toordinal())
        for place, position in zip(days, newest, strict=True):
            order[place] = position
    return order


def _words(passage: Dated) -> frozenset[str]:
    return _content(f"{passage.title}\n{passage.text}")


@lru_cache(maxsize=4_096)
def _content(text: str) -> frozenset[str]:
    return frozenset(w for w in content_words(text) if not any(c.isdigit() for c in w))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
