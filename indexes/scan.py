"""Compiled loops that find the best rows of blocks: certain bounds first, then exact scores.

`scan` and `scan_range` offer rows to a `Shortlist`; `settled` scores what is left of it exactly.
Whoever was offered and is among the `k` best is in the result: a row is passed over only if its
upper bound is below the lower bounds of `k` others.
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


class Question(NamedTuple):
    """A question's direction `exact`, coded in 16 bits, and its products with what is taken out.

    `codes * step` is `exact` to within `error`; `shifts` are its products with each mean.
    """

    exact: _Floats
    codes: NDArray[np.int16]
    step: float
    error: float
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


def question(direction: _Floats, shifts: _Floats) -> Question:
    """Code a question; sums of its products with codes of a byte fit into 32 bits."""
    largest = float(np.abs(direction).max(initial=0.0)) or 1.0
    step = largest / min(_MAX_CODE, _MAX_SUM // (127 * len(direction)) - 1)
    codes = np.rint(direction / step).astype(np.int16)
    error = float(np.linalg.norm(direction - codes * np.float32(step)))
    return Question(direction, codes, step, error, shifts)


def shortlist(k: int, n: int) -> Shortlist:
    """Return an empty shortlist for the `k` best of `n` rows."""
    room = min(n, max(16 * k, 4096))
    return Shortlist(
        np.full(k, -np.inf, np.float32),
        np.empty(room, np.int64),
        np.empty(room, np.float32),
        np.zeros(1, np.int64),
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
def exact_scores(base: Part, tail: Part, rows: NDArray[np.int64], asked: Question) -> _Floats:
    """Return the cosines of rows of two parts."""
    scores = np.empty(len(rows), np.float32)
    for i in range(len(rows)):
        part = base if rows[i] < tail.first else tail
        scores[i] = exact(part, rows[i] - part.first, asked)
    return scores


def settled(
    found: Shortlist, base: Part, tail: Part, asked: Question
) -> tuple[NDArray[np.int64], _Floats]:
    """Return the best of the shortlist, at most `k`, best first; of equals the first rows."""
    n = int(found.n[0])
    rows = np.sort(found.rows[:n][found.uppers[:n] >= found.best[0]])
    scores = exact_scores(base, tail, rows, asked)
    order = np.argsort(-scores, kind="stable")[: len(found.best)]
    return rows[order], scores[order]
