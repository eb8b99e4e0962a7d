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

from indexes.compiled import compiled, fast
from indexes.lists import Shape
from indexes.scan import (
    Columns,
    Part,
    Question,
    Shortlist,
    admitted,
    parts_of,
    products,
    question,
    scan_range,
    scan_rows,
    settled,
    shortlist,
)

_Floats = NDArray[np.float32]

_MISSED_SHARE = 0.04
"""How many of the `k` best may be expected to be missed."""
_FLOOR = 4_000
"""So many admitted rows are read in any case: the rows of one document lie in several lists."""
_N_PASSED = 10_000
_N_LISTS_A_ROUND = 4
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
    return settled(_probed(found, base, starts, shape, counts, mask, asked), base, tail, asked)


@compiled
def _probed(
    found: Shortlist,
    part: Part,
    starts: NDArray[np.int64],
    shape: Shape,
    counts: NDArray[np.int64],
    mask: NDArray[np.bool_],
    asked: Question,
) -> Shortlist:
    """Offer the admitted rows of the likeliest lists."""
    order, scores, spreads = _ordered(shape, counts, asked)
    n_read, n_passed, n_round, at = 0, 0, _N_LISTS_A_ROUND, 0
    limit = _MISSED_SHARE * len(found.best)
    while at < len(order):
        stop = min(at + n_round, len(order))
        # Room for all rows, not only for those counted: nothing else checks these writes.
        some = order[at:stop]
        rows, n = np.empty((starts[some + 1] - starts[some]).sum() + 1, np.int32), 0
        for group in some:
            n += admitted(mask, starts[group], starts[group + 1], rows[n:])
        found = scan_rows(found, part, rows[:n], asked)
        n_read, n_passed = n_read + n, n_passed + len(rows) - 1
        at, n_round = stop, n_round + n_round // 4
        bar = found.best[0] + shape.slack
        if (
            n_read > _FLOOR
            and n_passed > _N_PASSED
            and bar > -1
            and not _exceeds(limit, order[at:], scores, spreads, counts, bar)
        ):
            break
    return found


@compiled
def _ordered(
    shape: Shape, counts: NDArray[np.int64], asked: Question
) -> tuple[NDArray[np.int64], _Floats, _Floats]:
    """Return the lists that hold admitted rows, the likeliest first, and all scores' μ and σ."""
    n, variance = len(counts), _variance(shape.spread, asked.exact)
    scores, spreads = np.empty(n, np.float32), np.empty(n, np.float32)
    groups, sums = np.flatnonzero(counts).astype(np.int32), np.empty(n, np.int32)
    products(shape.codes, groups, asked.codes, sums)
    buckets = np.zeros(_N_BUCKETS + 1, np.int64)
    keys = np.empty(n, np.int64)
    for at in range(len(groups)):
        group = groups[at]
        scores[group] = sums[at] * asked.step * shape.scales[group]
        spreads[group] = math.sqrt(shape.widths[group] * variance) + 1e-6
        reach = scores[group] + _REACH * spreads[group]
        keys[group] = min(max(int((1.5 - reach) / 3 * _N_BUCKETS), 0), _N_BUCKETS - 1)
        buckets[keys[group] + 1] += 1
    for i in range(_N_BUCKETS):
        buckets[i + 1] += buckets[i]
    order = np.empty(buckets[_N_BUCKETS], np.int64)
    for group in groups:
        order[buckets[keys[group]]] = group
        buckets[keys[group]] += 1
    return order, scores, spreads


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
