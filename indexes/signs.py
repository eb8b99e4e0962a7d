"""A bit a number: on which side of a centre a row lies, in each direction.

From the bits of a row, a question's product with the row is foretold for a sixth of what reading
its codes costs: most rows are so clearly below the bar that nothing else of them is read. The
estimate is RaBitQ's (Gao and Long, arXiv:2405.12497). With `r` a row's difference from the centre
`c`, `x` its signs and `v` the question's difference from `c`, it takes `<v, x> |r|² / <r, x>` for
`<v, r>`. That misses by about `|v| √(1 - s²)` times `|r|² / <r, x>`; `s` is the cosine of `r` and
`x`, near `√(2/π)` whatever the row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexes.centring import OWNER, UNIT
from indexes.compiled import LANES, compiled, fast, from_half, prefetch, weighed

_Floats = NDArray[np.float32]
_Words = NDArray[np.uint64]

AHEAD = 32
"""So many rows ahead of their use are signs asked for."""
_WORD = 64
_N_PLANES = 4
_LARGEST = 7
_MAX_SUM = 2**15 - 1
_DEVIATIONS = 3.0
_N_AT_ONCE = 4
_N_SAMPLED = 100


class Signs(NamedTuple):
    """The signs of rows, a cache line or more each, all in one piece of memory.

    A row has bits in `words`, the first of a word its lowest, and after them two numbers in
    `terms`, at `[row, at]` and beside it: slope and offset. Its product with a question is about
    `<c, q> + offset + slope * <x, q>`. `missed` is the mean of `1 - s²`, or more where rows were
    seen to need it: directions that many rows share are no random ones.
    """

    words: _Words
    terms: _Floats
    at: int
    missed: float


class Planes(NamedTuple):
    """A question in numbers of four bits, from -7 to 7, which times `step` are about it.

    `bits` are those of one, two, four and minus eight for each of a row's lines, `total` is the
    numbers' sum times `step`, `missed` the square of their distance from the question.
    """

    bits: _Words
    step: np.float32
    total: np.float32
    missed: np.float32


def signed(
    halves: NDArray[np.uint16],
    own: _Floats,
    means: _Floats,
    starts: NDArray[np.int64],
    centres: _Floats,
) -> Signs:
    """Take the signs of rows, those from `starts[l]` on as seen from `centres[l]`.

    `own` are the rows' terms, see `indexes.centring`.
    """
    n, width = halves.shape
    count = _n_words(width)
    stride = -(-(count + 1) // LANES) * LANES
    room = np.zeros((n + 1) * stride, np.uint64)
    # A row that lay across two cache lines would take twice the time.
    first = -room.ctypes.data // room.itemsize % LANES
    words = room[first : first + n * stride]
    terms = words.view(np.float32).reshape(n, -1)
    at_random = _signed(halves, own, means, starts, centres, words.reshape(n, -1), terms)
    found = Signs(words, terms, 2 * count, at_random / max(n, 1))
    return found._replace(missed=_missed(found, halves, own, means, starts, centres))


@fast
def planes(direction: _Floats, signs: Signs) -> Planes:
    """Return a question in four bits a number."""
    largest, n_lines = np.float32(1e-9), signs.terms.shape[1] // (2 * LANES)
    for j in range(len(direction)):
        largest = max(largest, abs(direction[j]))
    limit = min(_LARGEST, _MAX_SUM // len(direction))
    step, total, square = largest / np.float32(limit), np.float32(0), np.float32(0)
    codes = np.empty(len(direction), np.int64)
    for j in range(len(direction)):
        code = np.rint(direction[j] / step)
        codes[j] = np.int64(code)
        total += code
        square += (direction[j] - code * step) ** 2
    bits = np.zeros((n_lines, _N_PLANES, LANES), np.uint64)
    for first in range(0, len(direction), _WORD):
        line, lane = first // (_WORD * LANES), first // _WORD % LANES
        for plane in range(_N_PLANES):
            word = np.uint64(0)
            for j in range(first, min(first + _WORD, len(direction))):
                word |= np.uint64((codes[j] >> plane) & 1) << np.uint64(j - first)
            bits[line, plane, lane] = word
    return Planes(bits.reshape(-1), step, total * step, square)


@fast
def product(signs: Signs, row: int, asked: Planes) -> np.float32:
    """Return the product of a question, as four bits say, and a row's signs."""
    stride, total = signs.terms.shape[1] // 2, 0
    for line in range(0, stride, LANES):
        total += weighed(signs.words, (row * stride + line,), asked.bits, line * _N_PLANES)
    return np.float32(2) * asked.step * np.float32(total) - asked.total


@compiled
def missed(signs: Signs, asked: Planes, distance: np.float32) -> np.float32:
    """Return the variance of an estimate's error, for a row whose slope is 1.

    `distance` is the square of the question's from the centre.
    """
    return np.float32(signs.missed) * max(distance, np.float32(0)) + asked.missed


@compiled
def approach(signs: Signs, rows: NDArray[np.int32]) -> None:
    """Ask for the signs of rows ahead of their use."""
    stride = signs.terms.shape[1] // 2
    for row in rows:
        prefetch(signs.words, row * stride)


@fast
def likely(
    signs: Signs,
    rows: NDArray[np.int32],
    first: int,
    stop: int,
    asked: Planes,
    distance: np.float32,
    bar: np.float32,
    n: int,
) -> int:
    """Move those of a centre's rows, `first` to `stop`, that may be above a bar to `n` and on.

    Returns up to where; `n` is at most `first`. `distance` is the square of the question's from
    the centre, the bar what is wanted beyond the centre's own score. The signs of the first
    `AHEAD` rows should have been asked for, see `approach`.
    """
    at, terms, stride = signs.at, signs.terms, signs.terms.shape[1] // 2
    step, margin = np.float32(2) * asked.step, np.sqrt(missed(signs, asked, distance))
    margin = np.float32(_DEVIATIONS) * margin - asked.total
    last = stop - 1
    for start in range(first, stop, _N_AT_ONCE):
        sums = _sums(signs, rows, start, last, asked)
        for i in range(start, start + _N_AT_ONCE):
            if i + AHEAD < len(rows):
                prefetch(signs.words, rows[i + AHEAD] * stride)
            row, weight = rows[min(i, last)], np.int16(sums)
            about = terms[row, at + 1] + terms[row, at] * (step * np.float32(weight) + margin)
            sums = (sums - int(weight)) >> 16
            if about > bar and i <= last:
                rows[n] = row
                n += 1
    return n


@compiled
def _sums(signs: Signs, rows: NDArray[np.int32], i: int, last: int, asked: Planes) -> int:
    """Return the sums of a question's numbers where four rows have bits, in 16 bits each.

    The rows are the `i`th and those that follow, up to the `last`, which stands in for others.
    """
    stride, total = signs.terms.shape[1] // 2, 0
    a, b = rows[i] * stride, rows[min(i + 1, last)] * stride
    c, d = rows[min(i + 2, last)] * stride, rows[min(i + 3, last)] * stride
    for line in range(0, stride, LANES):
        places = (a + line, b + line, c + line, d + line)
        total += weighed(signs.words, places, asked.bits, line * _N_PLANES)
    return total


@compiled
def _n_words(width: int) -> int:
    return -(-width // _WORD)


@fast
def _signed(
    halves: NDArray[np.uint16],
    own: _Floats,
    means: _Floats,
    starts: NDArray[np.int64],
    centres: _Floats,
    words: _Words,
    terms: _Floats,
) -> float:
    width, missed = halves.shape[1], 0.0
    count = _n_words(width)
    left = np.zeros(count * _WORD, np.float32)
    for group in range(len(starts) - 1):
        for row in range(starts[group], starts[group + 1]):
            unit, owner = own[row, UNIT], int(own[row, OWNER])
            square, length = np.float32(0), np.float32(0)
            along, side = np.float32(0), np.float32(0)
            for j in range(width):
                centre = centres[group, j]
                apart = (from_half(halves[row, j]) - means[owner, j]) * unit - centre
                left[j] = apart
                square += apart * apart
                length += abs(apart)
                along += centre * apart
                side += centre if apart > 0 else -centre
            slope = square / length if length > 0 else np.float32(0)
            terms[row, 2 * count], terms[row, 2 * count + 1] = slope, along - slope * side
            missed += 1 - length * length / (width * square) if square > 0 else 0
            for w in range(count):
                word = np.uint64(0)
                for bit in range(_WORD):
                    word |= np.uint64(left[w * _WORD + bit] > 0) << np.uint64(bit)
                words[row, w] = word
    return missed


@compiled
def _missed(
    found: Signs,
    halves: NDArray[np.uint16],
    own: _Floats,
    means: _Floats,
    starts: NDArray[np.int64],
    centres: _Floats,
) -> float:
    """Return what `missed` must be, from rows that are asked for the products with others."""
    n, square, distances = len(halves), 0.0, 1e-9
    step = max(n // _N_SAMPLED, 1)
    for one in range(0, n, step):
        question = _centred(halves, own, means, one)
        asked = planes(question, found)
        for other in range((one + step // 2) % step, n, step):
            group, slope = np.searchsorted(starts, other, "right") - 1, found.terms[other, found.at]
            if other == one or slope <= 0:
                continue
            row, centre = _centred(halves, own, means, other), centres[group]
            about = found.terms[other, found.at + 1] + slope * product(found, other, asked)
            off, away = np.float32(-about), np.float32(0)
            for j in range(len(row)):
                off += question[j] * (row[j] - centre[j])
                away += (question[j] - centre[j]) ** 2
            square += float((off / slope) ** 2 - asked.missed)
            distances += float(away)
    return max(found.missed, square / distances)


@fast
def _centred(halves: NDArray[np.uint16], own: _Floats, means: _Floats, row: int) -> _Floats:
    """Return a row as the unit vector that is searched."""
    vector = np.empty(halves.shape[1], np.float32)
    for j in range(len(vector)):
        vector[j] = (from_half(halves[row, j]) - means[int(own[row, OWNER]), j]) * own[row, UNIT]
    return vector
