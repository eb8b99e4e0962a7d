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

_Words = tuple[str, ...]


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


def distinct(found: Sequence[Found]) -> list[int]:
    """Return the positions of the passages to keep, best first, given best first.

    Every passage left out says the same as one that stays; that one takes the better place.
    """
    texts = [_normalised(passage.text) for passage in found]
    facts = [_facts(passage.text) for passage in found]
    near: dict[Hashable, list[int]] = {}
    places: dict[int, int] = {}
    for i in sorted(range(len(found)), key=lambda i: _preference(found[i], texts[i], i)):
        keys = (("facts", facts[i]), ("document", found[i].document))
        stays = dict.fromkeys(j for key in keys for j in near.get(key, ()))
        says_it = next(
            (j for j in stays if _same(found[i], found[j], texts[i], texts[j])),
            None,
        )
        if says_it is None:
            places[i] = i
            for key in keys:
                near.setdefault(key, []).append(i)
        else:
            places[says_it] = min(places[says_it], i)
    return sorted(places, key=lambda i: (places[i], i))


def _preference(passage: Found, words: _Words, position: int) -> tuple[bool, int, int, int]:
    """Order alike passages: current, newest, longest, best."""
    day = passage.newest.toordinal() if passage.newest else 0
    return passage.superseded, -day, -len(words), position


def _same(one: Found, other: Found, mine: _Words, theirs: _Words) -> bool:
    if one.text == other.text:
        return True
    if one.document == other.document:
        return _contains(mine, theirs) or _contains(theirs, mine)
    if _facts(one.text) != _facts(other.text):
        return False
    if _replaces(one, other) or _replaces(other, one):
        return _likeness(mine, theirs) >= ALIKE_SUCCESSOR
    return _says_no_other(mine, theirs) and _likeness(mine, theirs) >= ALIKE


def _replaces(one: Found, other: Found) -> bool:
    return other.successor is not None and other.successor == one.document


def _says_no_other(one: _Words, other: _Words) -> bool:
    """Say whether one text's content words are all in the other: none is put for another."""
    mine, theirs = _content(one), _content(other)
    return mine <= theirs or theirs <= mine


def _contains(one: _Words, other: _Words) -> bool:
    return f" {' '.join(other)} " in f" {' '.join(one)} "


def _likeness(one: _Words, other: _Words) -> float:
    """Return the share of common shingles, from 0 to 1."""
    mine, theirs = _shingles(one), _shingles(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


@lru_cache(maxsize=4_096)
def _shingles(words: _Words) -> frozenset[_Words]:
    return frozenset(words[i : i + SHINGLE] for i in range(max(1, len(words) - SHINGLE + 1)))


@lru_cache(maxsize=4_096)
def _content(words: _Words) -> frozenset[str]:
    return frozenset(stem(word) for word in words if not is_function_word(word))


@lru_cache(maxsize=4_096)
def _normalised(text: str) -> _Words:
    return tuple(_TOKEN.findall(fold(text)))


@lru_cache(maxsize=4_096)
def _facts(text: str) -> _Words:
    """Return what two texts that say the same share in order: figures, names, negations."""
    return tuple(folded for word in _TOKEN.findall(text) if _is_fact(word, folded := fold(word)))


def _is_fact(word: str, folded: str) -> bool:
    if not word[0].isalpha() or any(c.isdigit() for c in word):
        return True
    if folded in _MEANING or folded in MONTHS or folded in SPELLED:
        return True
    if folded.endswith(("n't", "n’t")):
        return True
    return not word.islower() and not is_function_word(word)
