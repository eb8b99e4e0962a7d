"""Signs of rows: what they say of a product, and how often they are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes import signs
from indexes.block import Block, halves_of
from indexes.centring import UNIT, Means, terms
from indexes.compiled import compiled, first_one, weighed

Floats = NDArray[np.float32]

N, N_CENTRES = 3_000, 6


@compiled
def counted(words: NDArray[np.uint64], at: int, planes: NDArray[np.uint64], first: int) -> int:
    return weighed(words, (at,), planes, first)


@compiled
def counted_at_once(words: NDArray[np.uint64], planes: NDArray[np.uint64]) -> int:
    return weighed(words, (16, 0, 8, 0), planes, 32)


@compiled
def lowest(word: np.uint64) -> int:
    return first_one(word)


def unit(vectors: NDArray[Any]) -> Floats:
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(rows.astype(np.float16), np.float32)


class Rows:
    """Rows around some centres, whose numbers are of very different size, and their signs."""

    def __init__(self, width: int) -> None:
        rng = np.random.default_rng(width)
        sizes = np.arange(1, width + 1) ** -0.4
        centres = rng.normal(size=(N_CENTRES, width)) * sizes
        self.owners = np.sort(rng.integers(0, N_CENTRES, N))
        vectors = unit(centres[self.owners] + rng.normal(size=(N, width)) * sizes)
        self.questions = unit(vectors[rng.choice(N, 20)] + rng.normal(size=(20, width)) * sizes)
        block, means = Block.of(halves_of(vectors)), Means.none(width)
        own = terms(block, np.zeros(N, np.int32), means)
        self.vectors = vectors * own[:, UNIT, np.newaxis]
        self.starts = np.searchsorted(self.owners, np.arange(N_CENTRES + 1))
        self.centres = np.stack([self.vectors[self.owners == i].mean(0) for i in range(N_CENTRES)])
        self.signs = signs.signed(block.halves, own, means.parts, self.starts, self.centres)


@pytest.fixture(params=[32, 65, 384, 512, 1_000], ids=str)
def rows(request: pytest.FixtureRequest) -> Rows:
    return Rows(request.param)


def test_products_are_foretold_without_bias_and_as_well_as_promised(rows: Rows) -> None:
    slopes = rows.signs.terms[:, rows.signs.at]
    offsets = rows.signs.terms[:, rows.signs.at + 1]
    found = []
    for question in rows.questions:
        planes = signs.planes(question, rows.signs)
        products = np.array([signs.product(rows.signs, i, planes) for i in range(N)])
        about = (rows.centres @ question)[rows.owners] + offsets + slopes * products
        away = np.square(rows.centres - question).sum(axis=1)
        promised = np.array([signs.missed(rows.signs, planes, square) for square in away])
        found.append((rows.vectors @ question - about) / (slopes * np.sqrt(promised)[rows.owners]))
    assert abs(np.mean(found)) < 0.1
    assert 0.7 < np.std(found) < 1.1


def test_hardly_a_row_above_the_bar_is_passed_over_and_most_others_are(rows: Rows) -> None:
    n_lost = n_kept = n_above = 0
    for question in rows.questions:
        planes, scores = signs.planes(question, rows.signs), rows.vectors @ question
        bar = np.sort(scores)[-30]
        for group, centre in enumerate(rows.centres):
            start, stop = rows.starts[group], rows.starts[group + 1]
            own = np.arange(start, stop, dtype=np.int32)
            away = np.sum((centre - question) ** 2, dtype=np.float32)
            wanted = np.float32(bar - centre @ question)
            n = signs.likely(rows.signs, own, 0, len(own), planes, away, wanted, 0)
            above = start + np.flatnonzero(scores[start:stop] >= bar)
            assert set(own[:n].tolist()) <= set(range(start, stop))
            n_lost += len(set(above.tolist()) - set(own[:n].tolist()))
            n_kept, n_above = n_kept + n, n_above + len(above)
    assert n_lost <= 0.01 * n_above
    assert n_kept < len(rows.questions) * N / 2


def test_rows_before_and_after_the_ones_that_are_judged_stay(rows: Rows) -> None:
    planes = signs.planes(rows.questions[0], rows.signs)
    own = np.arange(20, dtype=np.int32)
    bar, away = np.float32(-9), np.float32(1)
    assert signs.likely(rows.signs, own, 8, 12, planes, away, bar, 3) == 7
    assert own.tolist() == [0, 1, 2, 8, 9, 10, 11, *range(7, 20)]
    assert signs.likely(rows.signs, own, 8, 12, planes, away, -bar, 3) == 3


def test_a_row_on_its_centre_is_known_exactly() -> None:
    centre = unit(np.ones((1, 384)))
    block, means = Block.of(halves_of(centre)), Means.none(384)
    own = terms(block, np.zeros(1, np.int32), means)
    centre = centre * own[:, UNIT]
    found = signs.signed(block.halves, own, means.parts, np.array([0, 1]), centre)
    assert found.terms[0, found.at : found.at + 2] == pytest.approx([0, 0], abs=1e-6)


def test_sums_of_long_rows_fit_beside_each_other() -> None:
    row = unit(np.ones((1, 6_000)))
    block, means = Block.of(halves_of(row)), Means.none(6_000)
    own = terms(block, np.zeros(1, np.int32), means)
    found = signs.signed(block.halves, own, means.parts, np.array([0, 1]), np.zeros_like(row))
    planes, rows = signs.planes(row[0], found), np.zeros(4, np.int32)
    near, far = np.float32(0.9), np.float32(1.1)
    assert signs.likely(found, rows, 0, 4, planes, np.float32(0), near, 0) == 4
    assert signs.likely(found, rows, 0, 4, planes, np.float32(0), far, 0) == 0


def test_rows_start_where_a_cache_line_does(rows: Rows) -> None:
    assert rows.signs.words.ctypes.data % 64 == 0
    assert rows.signs.terms.strides[0] % 64 == 0


def test_bits_are_counted_by_weight() -> None:
    rng = np.random.default_rng(0)
    words, planes = (rng.integers(0, 2**64, n, np.uint64) for n in (24, 64))
    common = np.bitwise_count(words[8:16] & planes[32:].reshape(4, 8)).sum(axis=1, dtype=np.int64)
    assert counted(words, 8, planes, 32) == common @ [1, 2, 4, -8]
    each = [counted(words, at, planes, 32) for at in (16, 0, 8, 0)]
    assert counted_at_once(words, planes) == sum(one << (16 * i) for i, one in enumerate(each))


@pytest.mark.parametrize("bit", [0, 1, 31, 63])
def test_the_lowest_bit_is_found(bit: int) -> None:
    assert lowest(np.uint64(2**bit | 2**63)) == bit
