"""What lists promise, compared with a sum over every one of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.outlook import _REACH, Outlook, _above, exceeds, likeliest, promise


def looked_at(seed: int, n: int) -> tuple[Outlook, np.random.Generator]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 0.15, n).astype(np.float32)
    spreads = rng.uniform(0.02, 0.15, n).astype(np.float32)
    return Outlook(scores, spreads, np.float32(0.01), spreads.max()), rng


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3_000),
    st.floats(-0.2, 1.2),
    st.sampled_from([0.04, 0.4, 4.0]),
    st.floats(0, 1),
)
def test_the_rest_is_left_out_only_where_it_can_not_matter(
    seed: int, n: int, bar: float, limit: float, sorted_from: float
) -> None:
    found, rng = looked_at(seed, n)
    counts = rng.integers(0, 300, n).astype(np.int64)
    groups = likeliest(found, np.arange(n, dtype=np.int32))
    n_sorted = int(sorted_from * n)
    rng.shuffle(groups[:n_sorted])
    z = (np.float32(bar) - found.scores[groups]) / found.spreads[groups]
    promised = sum(c * _above(float(d)) for c, d in zip(counts[groups], z.clip(0, 8), strict=True))
    said = exceeds(limit, found, groups, counts, n_sorted, int(counts.sum()), bar)
    # Shares are taken from a table, whose steps are a 64th of a deviation.
    if promised > 1.3 * limit:
        assert said
    if promised < limit / 1.3:
        assert not said


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(-0.2, 1.2))
def test_a_row_promises_what_the_next_thousand_do_on_average(seed: int, n: int, bar: float) -> None:
    found, rng = looked_at(seed, n)
    counts = rng.integers(0, 300, n).astype(np.int64)
    groups = likeliest(found, np.arange(n, dtype=np.int32))
    promised, n_rows = 0.0, 0
    for group in groups.tolist():
        z = (np.float32(bar) - found.scores[group]) / found.spreads[group]
        promised += int(counts[group]) * _above(float(z.clip(0, 8)))
        n_rows += int(counts[group])
        if n_rows >= 1_000:
            break
    # Shares are taken from a table, whose steps are a 64th of a deviation.
    said = promise(found, groups, counts, bar)
    assert said == pytest.approx(promised / max(n_rows, 1), rel=0.3, abs=1e-9)


def test_without_lists_nothing_is_promised() -> None:
    found, _ = looked_at(3, 10)
    assert promise(found, np.zeros(0, np.int32), np.ones(10, np.int64), 0.5) == 0


def test_lists_come_in_the_order_of_how_far_they_reach() -> None:
    found, _ = looked_at(3, 2_000)
    groups = np.arange(0, 2_000, 3, dtype=np.int32)
    order = likeliest(found, groups)
    assert sorted(order.tolist()) == groups.tolist()
    reach = found.scores[order] + np.float32(_REACH) * found.spreads[order]
    assert reach == pytest.approx(np.sort(reach)[::-1], abs=0.004)
