"""A real GPU: its answers, its memory. The index's contract on it is asked by test_index.py."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes import gpu
from indexes.device import Device, DeviceFull, check

pytestmark = pytest.mark.gpu

DIMENSION = 384
N = 200_000


@pytest.fixture(scope="module")
def device() -> Device:
    found = gpu.opened("cuda")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def units() -> NDArray[np.float32]:
    vectors = np.random.default_rng(1).standard_normal((N, DIMENSION), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def test_it_honours_filters(device: Device) -> None:
    check(device)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01, 0.001])
def test_it_finds_the_nearest_of_the_admitted(
    device: Device, units: NDArray[np.float32], share: float
) -> None:
    copy = device.copied(lambda rows: units[rows], N, DIMENSION)
    rng = np.random.default_rng(2)
    n_right = 0.0
    for row in rng.integers(0, N, 20).tolist():
        mask = rng.random(N) < share
        found = copy.nearest(units[row], np.packbits(mask, bitorder="little"), 100)
        assert mask[found].all()
        scores = np.where(mask, units @ units[row], -np.inf)
        best = np.argsort(-scores)[: min(100, np.count_nonzero(mask))]
        n_right += len(np.intersect1d(found, best)) / len(best)
    assert n_right / 20 > 0.999


def test_codes_honour_filters(
    units: NDArray[np.float32],
) -> None:
    small = gpu.opened("cuda", max_bytes=N * gpu.flat_bytes(DIMENSION) - 1)
    assert small is not None
    copy = small.copied(lambda rows: units[rows], N, DIMENSION)
    for share in (0.5, 0.05):
        mask = np.random.default_rng(3).random(N) < share
        found = copy.nearest(units[5], np.packbits(mask, bitorder="little"), 20)
        assert len(found) >= 20
        assert mask[found].all()


def test_a_budget_is_kept(units: NDArray[np.float32]) -> None:
    small = gpu.opened("cuda", max_bytes=10_000_000)
    assert small is not None
    with pytest.raises(DeviceFull):
        small.copied(lambda rows: units[rows], N, DIMENSION)
