"""Reading lists until no better row is likely to be left in the others.

After a list was read, the number of rows in the lists still unread that beat the k-th best score so
far can be foretold, see `indexes.outlook`. Reading ends when it falls below a small share of `k`
and the rows that come next promise too little to be worth the time. It is the caller's own rows
that are counted, so a caller who may read little makes the search read on, and it is never short:
as long as fewer than `k` rows were found, it goes on to the last list.

Of a list, the signs of the caller's rows are read first, and then the codes of those that may be
above the bar, see `indexes.signs`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexes.compiled import compiled, first_one, prefetch
from indexes.lists import Shape
from indexes.outlook import Outlook, closer, exceeds, likeliest, outlook, promise
from indexes.scan import (
    Columns,
    Part,
    Question,
    Shortlist,
    parts_of,
    question,
    scan_range,
    scan_rows,
    settled,
    shortlist,
)
from indexes.signs import AHEAD, Planes, approach, likely, planes

_Floats = NDArray[np.float32]
_Words = NDArray[np.uint64]

_MISSED_SHARE = 0.08
"""How many of the `k` best may be expected to be missed."""
_WORTH = 5e-6
"""The next rows are worth reading if each promises more than this share of the `k` best."""
_FLOOR = 4_000
"""So many admitted rows are read in any case: the rows of one document lie in several lists."""
_N_PASSED = 10_000
_N_LISTS_A_ROUND = (1, 8)
_N_ROWS_A_LIST = 32
"""A round goes on if its lists have fewer admitted rows than that: a round has its own price."""
_N_CLOSER = 256
_WORD = 64
_LINE = 64


@compiled
def best_probed(
    k: int,
    n: int,
    mask: NDArray[np.bool_],
    words: _Words,
    counts: NDArray[np.int64],
    vector: _Floats,
    owner: int,
    columns: Columns,
    starts: NDArray[np.int64],
    shape: Shape,
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the `k` best of the `n` rows that a mask admits, and their scores.

    All of the tail is read, of the base the likeliest lists. `words` are the mask's bits, `counts`
    says how many rows of each list it admits.
    """
    asked = question(vector, owner, columns[0])
    base, tail = parts_of(columns)
    found = scan_range(shortlist(k, n), tail, 0, len(tail.halves), mask[tail.first :], asked)
    return settled(_probed(found, base, starts, shape, counts, words, asked), base, tail, asked)


@compiled
def _probed(
    found: Shortlist,
    part: Part,
    starts: NDArray[np.int64],
    shape: Shape,
    counts: NDArray[np.int64],
    words: _Words,
    asked: Question,
) -> Shortlist:
    """Offer the admitted rows of the likeliest lists."""
    bits = planes(asked.exact, shape.signs)
    groups = _filled(counts)
    ahead = outlook(shape, groups, asked, bits)
    order = likeliest(ahead, groups)
    n_read, n_passed, n_round, at, n_close = 0, 0, _N_LISTS_A_ROUND[0], 0, 0
    n_left = counts.sum()
    limit, worth = _MISSED_SHARE * len(found.best), _WORTH * len(found.best)
    while at < len(order):
        if at == n_close:
            n_close = min(at + _N_CLOSER, len(order))
            closer(ahead, shape, order[at:n_close], asked)
            order[at:n_close] = likeliest(ahead, order[at:n_close])
        n_lists, n_room = _next(order[at:n_close], n_round, starts, counts, n_passed, n_read)
        # Room for all rows, not only for those counted: nothing else checks these writes.
        some = order[at : at + n_lists]
        rows = np.empty(n_room, np.int32)
        ends = _chosen(words, starts, some, rows)
        n = ends[-1]
        n_read += n
        if found.best[0] > -1:
            n = _hopeful(found.best[0], rows[:n], ends, some, ahead, shape, bits, part.codes)
        found = scan_rows(found, part, rows[:n], asked)
        n_passed += n_room
        at, n_round = at + n_lists, min(n_round + 1, _N_LISTS_A_ROUND[1])
        bar = found.best[0] + shape.slack
        if (
            n_read > _FLOOR
            and n_passed > _N_PASSED
            and bar > -1
            and promise(ahead, order[at:], counts, bar) <= worth
            and not exceeds(limit, ahead, order[at:], counts, n_close - at, n_left - n_read, bar)
        ):
            break
    return found


@compiled
def _next(
    groups: NDArray[np.int32],
    n_round: int,
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    n_passed: int,
    n_read: int,
) -> tuple[int, int]:
    """Return how many of these lists are read next, and how many rows they have.

    As long as less has been read than is in any case, no further than that.
    """
    is_free = n_passed > _N_PASSED and n_read > _FLOOR
    n, n_room, n_own = 0, 0, 0
    while n < len(groups) and (n < n_round or n_own < _N_ROWS_A_LIST * n_round):
        n_room += starts[groups[n] + 1] - starts[groups[n]]
        n_own += counts[groups[n]]
        n += 1
        if not is_free and n_passed + n_room > _N_PASSED and n_read + n_own > _FLOOR:
            break
    return n, n_room


@compiled
def _filled(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the lists that hold admitted rows."""
    groups, n = np.empty(len(counts), np.int32), 0
    for group in range(len(counts)):
        groups[n] = group
        n += counts[group] > 0
    return groups[:n]


@compiled
def _chosen(
    words: _Words,
    starts: NDArray[np.int64],
    groups: NDArray[np.int32],
    rows: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Write the rows of lists whose bits are set; return how many there are up to each end."""
    n, ends = 0, np.empty(len(groups), np.int64)
    for i in range(len(groups)):
        start, stop = starts[groups[i]], starts[groups[i] + 1]
        for w in range(start // _WORD, -(-stop // _WORD)):
            word, first = words[w], w * _WORD
            if first < start:
                word &= ~np.uint64(0) << np.uint64(start - first)
            if first + _WORD > stop:
                word &= ~np.uint64(0) >> np.uint64(first + _WORD - stop)
            if word == ~np.uint64(0):
                for bit in range(_WORD):
                    rows[n + bit] = first + bit
                n += _WORD
                continue
            while word:
                rows[n] = first + first_one(word)
                word &= word - np.uint64(1)
                n += 1
        ends[i] = n
    return ends


@compiled
def _hopeful(
    bar: np.float32,
    rows: NDArray[np.int32],
    ends: NDArray[np.int64],
    groups: NDArray[np.int32],
    ahead: Outlook,
    shape: Shape,
    asked: Planes,
    codes: NDArray[np.int8],
) -> int:
    """Move those of the chosen rows that may be above the bar to the front; return how many.

    Their codes, which come next, are asked for.
    """
    n, first, flat, width_of = 0, 0, codes.reshape(-1), codes.shape[1]
    approach(shape.signs, rows[:AHEAD])
    for i in range(len(groups)):
        score, width = ahead.scores[groups[i]], shape.widths[groups[i]]
        # Unit vectors: |question - centroid|² = 1 - 2 score + |centroid|².
        distance = np.float32(2) - np.float32(2) * score - width
        n_before = n
        n = likely(shape.signs, rows, first, ends[i], asked, distance, bar - score, n)
        for at in range(n_before, n):
            for j in range(0, width_of, _LINE):
                prefetch(flat, rows[at] * width_of + j)
        first = ends[i]
    return n
