"""What a question may expect of lists, before any of their rows is read.

In list `l`, scores of the rows that the caller may read are spread around the centroid's score, so
about `n_l × Q((bar - μ_l) / σ_l)` of them are above a bar; `Q` is nearly normal, see `_above`. `σ`
comes from how the list's rows spread along the question.

At first the centroids' scores are estimates by their signs, and `σ` includes what those may miss;
a `closer` look at lists that are about to be read takes it out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexes.compiled import fast
from indexes.lists import Shape
from indexes.scan import Question, products
from indexes.signs import Planes, missed, product

_Floats = NDArray[np.float32]
_Groups = NDArray[np.int32]

_REACH = 2.5
"""Lists are read in the order of `centroid's score + 2.5 standard deviations`."""
_N_BUCKETS = 1024
_HIGHEST = 1.5
_N_STEPS = 64
_STEP = np.float32(2 * _HIGHEST / _N_BUCKETS)
_MAX_DEVIATIONS = 8
_N_AT_ONCE = 64
_N_NEXT = 1_000


def _above(deviations: float) -> float:
    """Return the share of a list's rows that lie so far above its centroid's score.

    Neighbours of a row gather in other lists too, so the tail is heavier than a normal one;
    fitted to counts of rows that are among the ten best (docs/decisions).
    """
    normal, far = (math.erfc(z / 2**0.5) / 2 for z in (deviations, deviations / 1.5))
    return 0.4 * normal + 0.002 * far


_TAIL = np.array([_above(i / _N_STEPS) for i in range(_MAX_DEVIATIONS * _N_STEPS + 2)], np.float32)


class Outlook(NamedTuple):
    """Around which score each list's rows lie, how far, and the variance of a list of width 1.

    `widest` is the largest spread at the first look; a closer one makes none larger.
    """

    scores: _Floats
    spreads: _Floats
    variance: np.float32
    widest: np.float32


@fast
def outlook(shape: Shape, groups: _Groups, asked: Question, planes: Planes) -> Outlook:
    """Take a first look at lists."""
    n, guide, middle = len(shape.widths), shape.guide, shape.middle
    scores, spreads = np.empty(n, np.float32), np.empty(n, np.float32)
    variance, widest = _variance(shape.spread, asked.exact), np.float32(0)
    score, distance = np.float32(0), np.float32(0)
    for j in range(len(middle)):
        score += middle[j] * asked.exact[j]
        distance += (middle[j] - asked.exact[j]) ** 2
    unsure = missed(guide, planes, distance)
    for group in groups:
        slope, offset = guide.terms[group, guide.at], guide.terms[group, guide.at + 1]
        scores[group] = score + offset + slope * product(guide, group, planes)
        square = shape.widths[group] * variance + slope * slope * unsure
        spreads[group] = np.sqrt(square) + np.float32(1e-6)
        widest = max(widest, spreads[group])
    return Outlook(scores, spreads, variance, widest)


@fast
def closer(found: Outlook, shape: Shape, groups: _Groups, asked: Question) -> None:
    """Take a closer look at some of the lists."""
    sums = np.empty(len(groups), np.int32)
    products(shape.codes, groups, asked.codes, sums)
    for i in range(len(groups)):
        group = groups[i]
        found.scores[group] = np.float32(sums[i]) * asked.step * shape.scales[group]
        found.spreads[group] = np.sqrt(shape.widths[group] * found.variance) + np.float32(1e-6)


@fast
def likeliest(found: Outlook, groups: _Groups) -> _Groups:
    """Return lists in the order in which they should be read."""
    keys, buckets = np.empty(len(groups), np.int32), np.zeros(_N_BUCKETS + 1, np.int32)
    for i in range(len(groups)):
        reach = found.scores[groups[i]] + np.float32(_REACH) * found.spreads[groups[i]]
        key = (np.float32(_HIGHEST) - reach) * np.float32(_N_BUCKETS / (2 * _HIGHEST))
        keys[i] = np.int32(min(max(key, np.float32(0)), np.float32(_N_BUCKETS - 1)))
    for i in range(len(groups)):
        buckets[keys[i] + 1] += 1
    for i in range(_N_BUCKETS):
        buckets[i + 1] += buckets[i]
    order = np.empty(len(groups), np.int32)
    for i in range(len(groups)):
        order[buckets[keys[i]]] = groups[i]
        buckets[keys[i]] += 1
    return order


@fast
def promise(found: Outlook, groups: _Groups, counts: NDArray[np.int64], bar: float) -> np.float32:
    """Return how many rows above the bar each row of these lists promises.

    That is the mean over about a thousand rows, those that are read next.
    """
    total, n, bar32 = np.float32(0), 0, np.float32(bar)
    for group in groups:
        total += np.float32(counts[group]) * _share(found, group, bar32)
        n += counts[group]
        if n >= _N_NEXT:
            break
    return total / np.float32(max(n, 1))


@fast
def exceeds(
    limit: float,
    found: Outlook,
    groups: _Groups,
    counts: NDArray[np.int64],
    n_sorted: int,
    n_left: int,
    bar: float,
) -> bool:
    """Return whether more than `limit` rows above the bar are to be expected in these lists.

    Together they hold `n_left` rows. From `n_sorted` on, they are in the order of `likeliest`, so
    that soon the rest can't matter.
    """
    total, bar32 = np.float32(0), np.float32(bar)
    for start in range(0, len(groups), _N_AT_ONCE):
        stop = min(start + _N_AT_ONCE, len(groups))
        for i in range(start, stop):
            total += np.float32(counts[groups[i]]) * _share(found, groups[i], bar32)
            n_left -= counts[groups[i]]
        if total > limit:
            return True
        if stop > n_sorted:
            last = groups[stop - 1]
            reach = found.scores[last] + np.float32(_REACH) * found.spreads[last] + _STEP
            z = (bar32 - reach) / found.widest + np.float32(_REACH)
            if total + n_left * _tail(z) <= limit:
                return False
    return False


@fast
def _tail(z: np.float32) -> np.float32:
    step = min(max(z * np.float32(_N_STEPS), np.float32(0)), np.float32(len(_TAIL) - 1))
    share: np.float32 = _TAIL[np.int32(step)]
    return share


@fast
def _share(found: Outlook, group: int, bar: np.float32) -> np.float32:
    """Return the share of a list's rows that is to be expected above the bar."""
    return _tail((bar - found.scores[group]) / found.spreads[group])


@fast
def _variance(spread: _Floats, direction: _Floats) -> np.float32:
    """Return `direction @ spread @ direction`; `spread` is symmetric."""
    total = np.float32(0)
    for i in range(len(direction)):
        along = np.float32(0.5) * spread[i, i] * direction[i]
        for j in range(i):
            along += spread[i, j] * direction[j]
        total += along * direction[i]
    return np.float32(2) * total
