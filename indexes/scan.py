"""Compiled loops that find the best rows of blocks: certain bounds first, then exact scores.

`scan_rows` and `scan_range` offer rows to a `Shortlist`; `settled` scores what is left of it
exactly. Whoever was offered and is among the `k` best is in the result: a row is passed over only
if its upper bound is below the lower bounds of `k` others.

`best_of` and `best_admitted` are whole searches: to return to Python in between costs more than a
scan of some hundred rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexes.centring import ERROR, OWNER, SCALE, UNIT
from indexes.compiled import compiled, fast, from_half, prefetch

_Floats = NDArray[np.float32]

_AHEAD = 8
_N_AT_ONCE = 256
_LINE = 64
_ROUNDING = 2e-6
_MAX_SUM = 2**31 - 1
_MAX_CODE = 2**15 - 1


_Bits = NDArray[np.uint16]
_Codes = NDArray[np.int8]

Columns = tuple[_Floats, _Bits, _Codes, _Floats, _Bits, _Codes, _Floats]
"""The means' parts; then halves, codes and terms of the base, and those of the tail after it."""


class Question(NamedTuple):
    """A question's direction `exact`, coded in 16 bits, and its products with what is taken out.

    `codes * step` is `exact` to within `error`; `shifts` are its products with each mean.
    """

    exact: _Floats
    codes: NDArray[np.int16]
    step: np.float32
    error: np.float32
    shifts: _Floats


class Part(NamedTuple):
    """Consecutive rows from `first` on: a block's columns, and their `indexes.centring.terms`."""

    first: int
    halves: NDArray[np.uint16]
    codes: NDArray[np.int8]
    terms: _Floats


class Shortlist(NamedTuple):
    """Rows that may be among the best: a heap of the `k` best lower bounds, and candidates.

    `n` holds one number, how many candidates there are.
    """

    best: _Floats
    rows: NDArray[np.int64]
    uppers: _Floats
    n: NDArray[np.int64]


@fast
def question(vector: _Floats, owner: int, parts: _Floats) -> Question:
    """Take one of the means out of a question and code what is left, as a unit vector.

    Sums of the codes' products with codes of a byte fit into 32 bits.
    """
    width, square, largest = len(vector), np.float32(0), np.float32(0)
    direction = np.empty(width, np.float32)
    for j in range(width):
        direction[j] = vector[j] - parts[owner, j]
        square += direction[j] * direction[j]
        largest = max(largest, abs(direction[j]))
    length = np.sqrt(square) if square > 0 else np.float32(1)
    step = np.float32((largest / length if largest > 0 else 1) / _limit(width))
    codes, missed = np.empty(width, np.int16), np.float32(0)
    for j in range(width):
        direction[j] /= length
        code = np.rint(direction[j] / step)
        codes[j] = np.int16(code)
        left = direction[j] - code * step
        missed += left * left
    shifts = np.empty(len(parts), np.float32)
    for i in range(len(parts)):
        shift = np.float32(0)
        for j in range(width):
            shift += parts[i, j] * direction[j]
        shifts[i] = shift
    return Question(direction, codes, step, np.sqrt(missed), shifts)


@compiled
def _limit(width: int) -> int:
    """Return the largest code of a question."""
    return min(_MAX_CODE, _MAX_SUM // (127 * width) - 1)


@compiled
def shortlist(k: int, n: int) -> Shortlist:
    """Return an empty shortlist for the `k` best of `n` rows."""
    room = min(n, max(16 * k, 4096))
    best = np.full(k, -np.inf, np.float32)
    return Shortlist(
        best, np.empty(room, np.int64), np.empty(room, np.float32), np.zeros(1, np.int64)
    )


@fast
def products(
    codes: NDArray[np.int8],
    rows: NDArray[np.int32],
    other: NDArray[np.int16],
    found: NDArray[np.int32],
) -> None:
    """Write the sums of products of rows of codes with a question's into `found`."""
    flat, width = codes.reshape(-1), codes.shape[1]
    for at in range(len(rows)):
        if at + _AHEAD < len(rows):
            line = rows[at + _AHEAD] * width
            for j in range(0, width, _LINE):
                prefetch(flat, line + j)
        row, total = rows[at], np.int32(0)
        for j in range(width):
            total += np.int32(codes[row, j]) * np.int32(other[j])
        found[at] = total


@compiled
def _raise_bar(best: _Floats, lower: np.float32) -> None:
    """Put a lower bound in the place of the least of the best, the heap's first."""
    i, n = 0, len(best)
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and best[child + 1] < best[child]:
            child += 1
        if best[child] >= lower:
            break
        best[i] = best[child]
        i = child
    best[i] = lower


@compiled
def _thinned(best: _Floats, rows: NDArray[np.int64], uppers: _Floats, n: int) -> int:
    """Drop candidates that fell below the bar; return how many are left."""
    n_left = 0
    for i in range(n):
        if uppers[i] >= best[0]:
            rows[n_left], uppers[n_left] = rows[i], uppers[i]
            n_left += 1
    return n_left


@compiled
def scan_rows(found: Shortlist, part: Part, rows: NDArray[np.int32], asked: Question) -> Shortlist:
    """Offer chosen rows, ascending positions in this part."""
    terms, shifts, step = part.terms, asked.shifts, np.float32(asked.step)
    best, kept, uppers, n = found.best, found.rows, found.uppers, found.n[0]
    bar, slackness = best[0], np.float32(1.1 * asked.error)
    sums = np.empty(_N_AT_ONCE, np.int32)
    for start in range(0, len(rows), _N_AT_ONCE):
        some = rows[start : start + _N_AT_ONCE]
        products(part.codes, some, asked.codes, sums)
        for at in range(len(some)):
            row = some[at]
            unit, shift = terms[row, UNIT], shifts[int(terms[row, OWNER])]
            score = np.float32(sums[at]) * step * terms[row, SCALE] - shift * unit
            slack = terms[row, ERROR] + slackness * unit + np.float32(_ROUNDING)
            if score + slack < bar:
                continue
            if score - slack > bar:
                _raise_bar(best, score - slack)
                bar = best[0]
            if n == len(kept):
                n = _thinned(best, kept, uppers, n)
                if 2 * n > len(kept):
                    kept = np.concatenate((kept, np.empty_like(kept)))
                    uppers = np.concatenate((uppers, np.empty_like(uppers)))
            kept[n], uppers[n] = part.first + row, score + slack
            n += 1
    found.n[0] = n
    return Shortlist(best, kept, uppers, found.n)


@compiled
def admitted(mask: NDArray[np.bool_], start: int, stop: int, rows: NDArray[np.int32]) -> int:
    """Write the positions from `start` to `stop` that a mask admits; return how many.

    `rows` must have room for one more.
    """
    n = 0
    for row in range(start, stop):
        rows[n] = row
        n += mask[row]
    return n


@compiled
def scan_range(
    found: Shortlist, part: Part, start: int, stop: int, mask: NDArray[np.bool_], asked: Question
) -> Shortlist:
    """Offer the positions in this part from `start` to `stop` that its mask admits."""
    rows = np.empty(stop - start + 1, np.int32)
    return scan_rows(found, part, rows[: admitted(mask, start, stop, rows)], asked)


@fast
def exact(part: Part, i: int, asked: Question) -> np.float32:
    """Return the cosine of one row of a part."""
    total = np.float32(0)
    for j in range(part.halves.shape[1]):
        total += from_half(part.halves[i, j]) * asked.exact[j]
    shift = asked.shifts[int(part.terms[i, OWNER])]
    return np.float32((total - shift) * part.terms[i, UNIT])


@compiled
def _fetch(part: Part, row: int) -> None:
    """Ask for the halves of a row ahead of their use."""
    flat, width = part.halves.reshape(-1), part.halves.shape[1]
    for j in range(0, width, _LINE // 2):
        prefetch(flat, (row - part.first) * width + j)


@compiled
def _exact_scores(rows: NDArray[np.int64], base: Part, tail: Part, asked: Question) -> _Floats:
    scores = np.empty(len(rows), np.float32)
    for i in range(len(rows)):
        if i + _AHEAD < len(rows):
            _fetch(base if rows[i + _AHEAD] < tail.first else tail, rows[i + _AHEAD])
        part = base if rows[i] < tail.first else tail
        scores[i] = exact(part, rows[i] - part.first, asked)
    return scores


@compiled
def settled(
    found: Shortlist, base: Part, tail: Part, asked: Question
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the best of the shortlist, at most `k`, best first; of equals the first rows."""
    best, n = found.best, _thinned(found.best, found.rows, found.uppers, found.n[0])
    rows = np.sort(found.rows[:n])
    scores = _exact_scores(rows, base, tail, asked)
    order = np.argsort(-scores, kind="mergesort")[: len(best)]
    return rows[order], scores[order]


@compiled
def parts_of(columns: Columns) -> tuple[Part, Part]:
    """Return the base and the tail."""
    _, halves, codes, terms, tail_halves, tail_codes, tail_terms = columns
    base = Part(0, halves, codes, terms)
    return base, Part(len(halves), tail_halves, tail_codes, tail_terms)


@compiled
def best_of(
    k: int, rows: NDArray[np.int32], vector: _Floats, owner: int, columns: Columns
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the `k` best of chosen rows, ascending positions, and their scores."""
    asked = question(vector, owner, columns[0])
    base, tail = parts_of(columns)
    n_base = np.searchsorted(rows, tail.first)
    found = shortlist(k, len(rows))
    found = scan_rows(found, tail, rows[n_base:] - np.int32(tail.first), asked)
    found = scan_rows(found, base, rows[:n_base], asked)
    return settled(found, base, tail, asked)


@compiled
def best_admitted(
    k: int, n: int, mask: NDArray[np.bool_], vector: _Floats, owner: int, columns: Columns
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the `k` best of the `n` rows that a mask admits, and their scores."""
    asked = question(vector, owner, columns[0])
    base, tail = parts_of(columns)
    found = shortlist(k, n)
    found = scan_range(found, tail, 0, len(tail.halves), mask[tail.first :], asked)
    found = scan_range(found, base, 0, len(base.halves), mask, asked)
    return settled(found, base, tail, asked)


@compiled
def scores_of(rows: NDArray[np.int64], vector: _Floats, owner: int, columns: Columns) -> _Floats:
    """Return the scores of rows."""
    asked = question(vector, owner, columns[0])
    base, tail = parts_of(columns)
    return _exact_scores(rows, base, tail, asked)
