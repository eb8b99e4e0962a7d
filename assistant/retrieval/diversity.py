"""Near-duplicates among the passages found: one of each group stays, the current or newest one.

Passages say the same when their figures, names and negations are equal, in the same order, and
their texts are almost equal: a row of another year or another device's manual is no duplicate.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from assistant.text.units import MONTHS, SPELLED
from assistant.text.words import fold, is_function_word, stem

SHINGLE = 5
"""Words of a shingle."""
ALIKE = 0.8
"""Least share of common shingles of two documents' passages."""
ALIKE_SUCCESSOR = 0.7
"""The same between a document and the one that replaces it: wording may have changed."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOKEN = re.compile(r"[^\W_]+(?:[.,'’][^\W_]+)*|[%$€£¥+<>=±-]")
_MEANING = _names(
    "not no never none nor neither cannot without except unless nao nunca jamais nenhum nenhuma "
    "nem sem exceto salvo only apenas somente must may should shall deve devem pode podem "
    "monday tuesday wednesday thursday friday saturday sunday segunda terca quarta quinta sexta "
    "sabado domingo daily weekly monthly yearly annual diario semanal mensal anual one um "
    "uma"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found.

    `document` names its document and `successor` the one that replaces that, if it is known;
    `newest` is the day the document is of.
    """

    text: str
    document: Hashable
    superseded: bool = False
    successor: Hashable | None = None
    newest: date | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A text's folded words as one line, its facts in order, its content words, its shingles."""

    line: str
    facts: str
    content: frozenset[str]
    shingles: frozenset[str]


def distinct(found: Sequence[Found]) -> list[int]:
    """Return the positions of the passages to keep, best first, given best first.

    Every passage left out says the same as one that stays; that one takes the better place.
    """
    read = [_read(passage.text) for passage in found]
    near: dict[Hashable, list[int]] = {}
    places: dict[int, int] = {}
    said: dict[str, int] = {}
    for i in sorted(range(len(found)), key=lambda i: _preference(found[i], read[i], i)):
        keys = (("facts", read[i].facts), ("document", found[i].document))
        stays = dict.fromkeys(j for key in keys for j in near.get(key, ()))
        # The same text may have gone already, for a longer passage of its document.
        says_it = said.get(found[i].text)
        if says_it is None:
            alike = (j for j in stays if _same(found[i], found[j], read[i], read[j]))
            says_it = next(alike, None)
        said[found[i].text] = i if says_it is None else says_it
        if says_it is None:
            places[i] = i
            for key in keys:
                near.setdefault(key, []).append(i)
        else:
            places[says_it] = min(places[says_it], i)
    return sorted(places, key=lambda i: (places[i], i))


def _preference(passage: Found, read: _Read, position: int) -> tuple[bool, int, int, int]:
    """Order alike passages: current, newest, longest, best."""
    day = passage.newest.toordinal() if passage.newest else 0
    return passage.superseded, -day, -len(read.line), position


def _same(one: Found, other: Found, mine: _Read, theirs: _Read) -> bool:
    if one.text == other.text:
        return True
    if one.document == other.document:
        return mine.line in theirs.line or theirs.line in mine.line
    if mine.facts != theirs.facts:
        return False
    if _replaces(one, other) or _replaces(other, one):
        return _likeness(mine, theirs) >= ALIKE_SUCCESSOR
    # Where neither has all words of the other, one word was put for another.
    says_no_other = mine.content <= theirs.content or theirs.content <= mine.content
    return says_no_other and _likeness(mine, theirs) >= ALIKE


def _replaces(one: Found, other: Found) -> bool:
    return other.successor is not None and other.successor == one.document


def _likeness(one: _Read, other: _Read) -> float:
    """Return the share of common shingles, from 0 to 1."""
    n_common = len(one.shingles & other.shingles)
    return n_common / (len(one.shingles) + len(other.shingles) - n_common)


@lru_cache(maxsize=4_096)
def _read(text: str) -> _Read:
    words = _TOKEN.findall(fold(text))
    starts = range(max(1, len(words) - SHINGLE + 1))
    return _Read(
        line=f" {' '.join(words)} ",
        facts=_facts(text),
        content=frozenset(stem(word) for word in words if not is_function_word(word)),
        shingles=frozenset(" ".join(words[i : i + SHINGLE]) for i in starts),
    )


def _facts(text: str) -> str:
    """Return what two texts that say the same share in order: figures, names, negations."""
    words = ((word, fold(word)) for word in _TOKEN.findall(text))
    return " ".join(folded for word, folded in words if _is_fact(word, folded))


def _is_fact(word: str, folded: str) -> bool:
    if not word[0].isalpha() or any(c.isdigit() for c in word):
        return True
    if folded in _MEANING or folded in MONTHS or folded in SPELLED:
        return True
    if folded.endswith(("n't", "n’t")):
        return True
    return not word.islower() and not is_function_word(word)
