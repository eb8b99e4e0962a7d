"""Reading lists until no better row is likely to be left in the others.

After a list was read, the number of rows in the lists still unread that beat the k-th best score
so far can be foretold: in list `l`, scores of the rows that the caller may read are spread around
the centroid's score, so about `n_l × Q((bar - μ_l) / σ_l)` of them are above the bar; `Q` is
nearly normal, see `_above`.
Reading ends when the sum falls below a small share of `k`. It is the caller's own rows that are
counted, so a caller who may read little makes the search read on, and it is never short: as long
as fewer than `k` rows were found, it goes on to the last list.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from indexes.compiled import compiled, fast, first_one
from indexes.lists import Shape
from indexes.scan import (
    Columns,
    Part,
    Question,
    Shortlist,
    parts_of,
    products,
    question,
    scan_range,
    scan_rows,
    settled,
    shortlist,
)
from indexes.signs import Planes, likely, planes, product

_Floats = NDArray[np.float32]

_MISSED_SHARE = 0.04
"""How many of the `k` best may be expected to be missed."""
_FLOOR = 4_000
"""So many admitted rows are read in any case: the rows of one document lie in several lists."""
_N_PASSED = 10_000
_N_LISTS_A_ROUND = 1
_SPARSE = 8
_REACH = 2.5
"""Lists are read in the order of `centroid's score + 2.5 standard deviations`."""
_N_BUCKETS = 1024
_N_STEPS = 64
_MAX_DEVIATIONS = 8


def _above(deviations: float) -> float:
    """Return the share of a list's rows that lie so far above its centroid's score.

    Neighbours of a row gather in other lists too, so the tail is heavier than a normal one;
    fitted to counts of rows that are among the ten best (docs/decisions).
    """
    normal, far = (math.erfc(z / 2**0.5) / 2 for z in (deviations, deviations / 1.5))
    return 0.4 * normal + 0.002 * far


_TAIL = np.array([_above(i / _N_STEPS) for i in range(_MAX_DEVIATIONS * _N_STEPS + 2)], np.float32)


@compiled
def best_probed(
    k: int,
    n: int,
    mask: NDArray[np.bool_],
    words: NDArray[np.uint64],
    counts: NDArray[np.int64],
    vector: _Floats,
    owner: int,
    columns: Columns,
    starts: NDArray[np.int64],
    shape: Shape,
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the `k` best of the `n` rows that a mask admits, and their scores.

    All of the tail is read, of the base the likeliest lists; `counts` says how many rows of each
    the mask admits.
    """
    asked = question(vector, owner, columns[0])
    base, tail = parts_of(columns)
    found = scan_range(shortlist(k, n), tail, 0, len(tail.halves), mask[tail.first :], asked)
    return settled(_probed(found, base, starts, shape, counts, mask, words, asked), base, tail, asked)


@compiled
def _probed(
    found: Shortlist,
    part: Part,
    starts: NDArray[np.int64],
    shape: Shape,
    counts: NDArray[np.int64],
    mask: NDArray[np.bool_],
    words: NDArray[np.uint64],
    asked: Question,
) -> Shortlist:
    """Offer the admitted rows of the likeliest lists."""
    signs, bits = shape.signs, planes(asked.exact, shape.signs)
    order, scores, spreads = _ordered(shape, counts, asked, bits)
    some_sums = np.empty(len(order), np.int32)
    n_read, n_passed, n_round, at = 0, 0, _N_LISTS_A_ROUND, 0
    limit = _MISSED_SHARE * len(found.best)
    while at < len(order):
        stop = min(at + n_round, len(order))
        # Room for all rows, not only for those counted: nothing else checks these writes.
        some = order[at:stop]
        rows, n = np.empty((starts[some + 1] - starts[some]).sum(), np.int32), 0
        bar = found.best[0]
        products(shape.codes, some, asked.codes, some_sums)
        for i in range(len(some)):
            group = some[i]
            m = chosen(words, starts[group], starts[group + 1], rows[n:])
            score = some_sums[i] * asked.step * shape.scales[group]
            if bar < -1:
                n += m
            else:
                n += likely(signs, rows[n:n+m], bits, 2 - 2 * score - shape.widths[group], bar - score, rows[n:])
            n_read += m
        found = scan_rows(found, part, rows[:n], asked)
        n_passed += len(rows)
        at, n_round = stop, n_round + (n_round + 2) // 3
        bar = found.best[0] + shape.slack
        if (
            n_read > _FLOOR
            and n_passed > _N_PASSED
            and bar > -1
            and not _exceeds(limit, order[at:], scores, spreads, counts, bar)
        ):
            break
    return found


@fast
def _ordered(
    shape: Shape, counts: NDArray[np.int64], asked: Question, bits: Planes
) -> tuple[NDArray[np.int32], _Floats, _Floats]:
    """Return the lists that hold admitted rows, the likeliest first, and all scores' μ and σ."""
    n, deviation = len(counts), np.float32(math.sqrt(_variance(shape.spread, asked.exact)))
    scores, spreads = np.empty(n, np.float32), np.empty(n, np.float32)
    keys, at = np.empty(n, np.int32), shape.guide.at
    middle = np.float32(0)
    for j in range(len(shape.middle)):
        middle += shape.middle[j] * asked.exact[j]
    for i in range(n):
        scores[i] = product(shape.guide, i, bits)
    for i in range(n):
        scores[i] = middle + shape.guide.terms[i, at + 1] + shape.guide.terms[i, at] * scores[i]
        spreads[i] = np.sqrt(shape.widths[i]) * deviation + np.float32(1e-6)
        key = (np.float32(1.5) - scores[i] - np.float32(_REACH) * spreads[i]) * np.float32(_N_BUCKETS / 3)
        key = min(max(key, np.float32(0)), np.float32(_N_BUCKETS - 1))
        keys[i] = np.int32(key) if counts[i] > 0 else _N_BUCKETS
    buckets = np.zeros(_N_BUCKETS + 2, np.int32)
    for i in range(n):
        buckets[keys[i] + 1] += 1
    for i in range(_N_BUCKETS):
        buckets[i + 1] += buckets[i]
    n_some, order = buckets[_N_BUCKETS], np.empty(n, np.int32)
    for i in range(n):
        order[buckets[keys[i]]] = i
        buckets[keys[i]] += 1
    return order[:n_some], scores, spreads


@compiled
def chosen(words: NDArray[np.uint64], start: int, stop: int, rows: NDArray[np.int32]) -> int:
    """Write the positions from `start` to `stop` whose bits are set; return how many."""
    n = 0
    for w in range(start >> 6, ((stop - 1) >> 6) + 1):
        word, first = words[w], w << 6
        if first < start:
            word &= ~np.uint64(0) << np.uint64(start - first)
        if first + 64 > stop:
            word &= ~np.uint64(0) >> np.uint64(first + 64 - stop)
        while word:
            rows[n] = first + first_one(word)
            word &= word - np.uint64(1)
            n += 1
    return n


@fast
def _variance(spread: _Floats, direction: _Floats) -> float:
    """Return `direction @ spread @ direction`."""
    total = 0.0
    for i in range(len(direction)):
        along = np.float32(0)
        for j in range(len(direction)):
            along += spread[i, j] * direction[j]
        total += along * direction[i]
    return total


@compiled
def _exceeds(
    limit: float,
    groups: NDArray[np.int64],
    scores: _Floats,
    spreads: _Floats,
    counts: NDArray[np.int64],
    bar: float,
) -> bool:
    """Return whether more than `limit` rows above the bar are to be expected in these lists."""
    total = 0.0
    for group in groups:
        z = (bar - scores[group]) / spreads[group]
        step = min(max(int(z * _N_STEPS), 0), len(_TAIL) - 1)
        total += counts[group] * _TAIL[step]
        if total > limit:
            return True
    return False
