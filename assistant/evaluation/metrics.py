"""Measures of a ranking and of an answer, each in [0, 1]."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from assistant.text.words import words

_NUMBER = re.compile(r"\d[\d.,\u00a0\u202f]*\d|\d")


def ndcg(ranked: Sequence[str], grades: Mapping[str, float], k: int = 10) -> float:
    """Return the normalised discounted cumulative gain: linear gains, log2 discount (trec_eval)."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gains = np.array([grades.get(document, 0.0) for document in ranked[:k]])
    ideal = np.array(sorted(grades.values(), reverse=True)[:k])
    best = float(ideal @ discounts[: len(ideal)])
    return float(gains @ discounts[: len(gains)]) / best if best > 0 else 0.0


def recall(ranked: Sequence[str], gold: Collection[str], k: int = 10) -> float:
    """Return the share of the gold documents among the first `k`, of at most `k` that fit."""
    found = sum(document in gold for document in ranked[:k])
    return found / min(len(gold), k) if gold else 0.0


def reciprocal_rank(ranked: Sequence[str], gold: Collection[str], k: int = 10) -> float:
    """Return 1 / the rank of the first gold document, 0 if it isn't among the first `k`."""
    ranks = (rank for rank, document in enumerate(ranked[:k], 1) if document in gold)
    first = next(ranks, None)
    return 1 / first if first else 0.0


def contains_answer(text: str, answers: Iterable[str]) -> bool:
    """Say whether one of the answers occurs in the text, word for word.

    Case, accents, punctuation and the way numbers are written (`1.234,50`, `1,234.5`) don't
    count.
    """
    said = _normal(text)
    return any(found in said for answer in answers if (found := _normal(answer)).strip())


def mean(values: Collection[float]) -> float | None:
    """Return the mean, or None of nothing."""
    return sum(values) / len(values) if values else None


def _normal(text: str) -> str:
    return f" {' '.join(words(_NUMBER.sub(lambda match: _plain(match[0]), text)))} "


def _plain(number: str) -> str:
    """Write a number without thousands separators, a decimal point, and no needless zeros.

    A separator is decimal if it is the last one, occurs once and isn't followed by three digits.
    """
    parts = re.split(r"[.,\u00a0\u202f]+", number)
    whole, last = "".join(parts[:-1]), parts[-1]
    marks = re.findall(r"[.,\u00a0\u202f]", number)
    if not marks:
        return number
    several_kinds = len(set(marks)) > 1 and marks.count(marks[-1]) == 1
    if several_kinds or (len(marks) == 1 and len(last) != 3):
        decimals = last.rstrip("0")
        return f"{whole}.{decimals}" if decimals else whole
    return whole + last
