"""Certain bounds: whoever is among the best is found, whatever the vectors look like."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexes import centring, scan
from indexes.block import Block, halves_of
from indexes.centring import Means
from indexes.scan import Columns

Floats = NDArray[np.float32]


def best(
    vectors: Floats,
    vector: Floats,
    k: int,
    means: Means,
    owners: NDArray[np.int32],
    owner: int = 0,
    n_base: int = 0,
) -> tuple[NDArray[np.int64], Floats]:
    """Search all rows, the first `n_base` of them in the base, in both ways that there are."""
    columns: list[NDArray[Any]] = [means.parts]
    for own in (slice(0, n_base), slice(n_base, len(vectors))):
        block = Block.of(halves_of(vectors[own]))
        columns += [*block.searched(), centring.terms(block, owners[own], means)]
    given = cast(Columns, tuple(columns))
    n = len(vectors)
    rows, scores = scan.best_of(k, np.arange(n, dtype=np.int32), vector, owner, given)
    again, same = scan.best_admitted(k, n, np.ones(n, np.bool_), vector, owner, given)
    assert rows.tolist() == again.tolist()
    assert scores.tolist() == same.tolist()
    assert scores.tolist() == scan.scores_of(rows, vector, owner, given).tolist()
    return rows, scores


def brute(
    vectors: Floats, direction: Floats, means: Means, owners: NDArray[np.int32]
) -> NDArray[np.float64]:
    rest = vectors.astype(np.float16).astype(np.float64) - means.parts[owners]
    lengths = np.linalg.norm(rest, axis=1)
    return np.asarray(rest @ direction / np.where(lengths > 0, lengths, 1))


def unit(vectors: NDArray[np.float64]) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 400),
    dimension=st.sampled_from([1, 3, 16, 64, 65]),
    k=st.integers(1, 40),
    spread=st.sampled_from([1.0, 1e-2, 1e-3]),
    peak=st.sampled_from([0.0, 3.0, 100.0]),
)
def test_the_best_are_found_among_any_vectors(
    seed: int, n: int, dimension: int, k: int, spread: float, peak: float
) -> None:
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=dimension)
    raw = middle + spread * rng.normal(size=(n, dimension))
    raw[:, 0] += peak
    vectors = unit(raw)
    means = Means(np.asarray(0.3 * unit(rng.normal(size=(3, dimension)))), np.zeros(2, np.int64))
    owners = rng.integers(0, 3, n).astype(np.int32)
    vector, owner = unit(middle + spread * rng.normal(size=dimension)), int(rng.integers(0, 3))
    rows, scores = best(
        vectors, vector, min(k, n), means, owners, owner, int(rng.integers(0, n + 1))
    )
    wanted = brute(vectors, unit(vector - means.parts[owner]), means, owners)
    assert len(set(rows.tolist())) == len(rows) == min(k, n)
    assert scores == pytest.approx(np.sort(wanted)[::-1][: len(rows)], abs=2e-5)
    assert scores == pytest.approx(wanted[rows], abs=2e-5)


@pytest.mark.parametrize("dimension", [384, 1024, 4096])
def test_sums_of_codes_never_overflow(dimension: int) -> None:
    flat = unit(np.ones((1, dimension)))
    none = Means.none(dimension)
    for direction in (flat[0], -flat[0], np.eye(dimension, dtype=np.float32)[0]):
        rows, scores = best(flat, direction, 1, none, np.zeros(1, np.int32))
        assert rows.tolist() == [0]
        assert scores == pytest.approx(flat @ direction, abs=1e-3)


def test_of_equals_the_first_rows_are_taken() -> None:
    same = np.repeat(unit(np.ones((1, 8))), 10_000, axis=0)
    rows, _ = best(same, same[0], 12, Means.none(8), np.zeros(len(same), np.int32))
    assert rows.tolist() == list(range(12))


def test_a_vector_equal_to_its_mean_scores_nothing() -> None:
    vectors = np.eye(4, dtype=np.float32)[:2]
    means = Means(vectors[:1].copy(), np.zeros(0, np.int64))
    _, scores = best(vectors, vectors[1], 2, means, np.zeros(2, np.int32))
    assert scores == pytest.approx([1, 0])
