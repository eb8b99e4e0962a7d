"""Rows grouped by where they lie, and what is known of each group.

The rows of a base block are ordered by list. Of each list its centroid is kept, and how far its
rows spread around it: enough to say how many rows of it are likely to be better than a given
score, see `indexes.probe`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from indexes.block import Block, halves_of
from indexes.centring import ERROR, OWNER, UNIT, Means, centred
from indexes.compiled import compiled, fast, from_half
from indexes.signs import Signs, signed

_Floats = NDArray[np.float32]

N_WITHOUT = 10_000
"""Fewer rows need no lists: a scan of all takes a quarter of a millisecond."""
_N_ROUNDS = 6
_N_SAMPLED_A_LIST = 32
_N_SAMPLED = 20_000


@dataclass(frozen=True, slots=True)
class Lists:
    """A grouping: list `l` has the rows `starts[l]` to `starts[l + 1]`.

    A row belongs to the nearest of the unit vectors `directions`, of shape (lists, dimension).
    `n_trained` says of how many rows they were learnt.
    """

    directions: _Floats
    starts: NDArray[np.int64]
    n_trained: int

    def __len__(self) -> int:
        """Return how many lists there are, empty ones included."""
        return len(self.directions)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all as plain arrays."""
        return {
            f"lists_{field.name}": np.asarray(getattr(self, field.name)) for field in fields(self)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Lists | None:
        """Return the grouping that gave these arrays, None if there was none."""
        if "lists_starts" not in arrays:
            return None
        n_trained = int(arrays["lists_n_trained"])
        return cls(arrays["lists_directions"], arrays["lists_starts"], n_trained)

    def of_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lists of rows."""
        return np.searchsorted(self.starts, rows, "right") - 1

    def counts(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many rows of each list a mask admits."""
        return _counted(mask, self.starts)


class Shape(NamedTuple):
    """What lists look like once the means are out.

    `codes` (int8) times `scales` are the centroids, the means of centred unit vectors; `middle`
    is their mean, and `guide` has their signs as seen from there. Around its centroid, a list's
    rows spread along a unit vector `v` with the variance `widths[l] * v @ spread @ v`; `signs` are
    theirs. `slack` is how far a row's code is from it, as a rule.
    """

    codes: NDArray[np.int8]
    scales: _Floats
    widths: _Floats
    spread: _Floats
    slack: float
    middle: _Floats
    guide: Signs
    signs: Signs


def n_lists(n: int) -> int:
    """Return how many lists suit so many rows: reading them and choosing them cost about alike."""
    return max(1, round(4 * math.sqrt(n)))


def n_sampled(n: int) -> int:
    """Return how many rows `trained` should see for an index of `n` rows."""
    return min(n, _N_SAMPLED_A_LIST * n_lists(n))


def trained(sample: _Floats, n_rows: int) -> Lists:
    """Learn a grouping for `n_rows` rows from a sample of centred unit vectors, by k-means."""
    count = min(n_lists(n_rows), len(sample))
    kmeans = faiss.Kmeans(
        sample.shape[1],
        count,
        niter=_N_ROUNDS,
        spherical=True,
        seed=1,
        max_points_per_centroid=len(sample),
        min_points_per_centroid=1,
    )
    kmeans.train(sample)
    return Lists(np.asarray(kmeans.centroids, np.float32), np.zeros(count + 1, np.int64), n_rows)


def nearest(lists: Lists, directions: _Floats) -> NDArray[np.int64]:
    """Return the list that each unit vector belongs to."""
    index = faiss.IndexFlatIP(directions.shape[1])
    index.add(lists.directions)
    found: NDArray[np.int64] = index.search(directions, 1)[1][:, 0]
    return found


def shaped(lists: Lists, block: Block, own: _Floats, means: Means) -> Shape:
    """Measure the lists of a block; `own` are the terms of its rows."""
    sums = _summed(block.halves[: block.n], own, means.parts, lists.starts)
    sizes = np.diff(lists.starts)
    centroids = np.asarray(sums / np.maximum(sizes, 1)[:, np.newaxis], np.float32)
    # Unit vectors: their mean square distance from the centroid is 1 - |centroid|².
    widths = np.maximum(1 - np.einsum("ij,ij->i", centroids, centroids), 0)
    rows = np.unique(np.linspace(0, block.n - 1, min(block.n, _N_SAMPLED)).astype(np.int64))
    left = centred(block, rows, own[rows], means) - centroids[lists.of_rows(rows)]
    spread = left.T @ left
    spread /= max(float(np.trace(spread)), 1e-9)
    scales = np.maximum(np.abs(centroids).max(axis=1, initial=0), 1e-9) / 127
    codes = np.rint(centroids / scales[:, np.newaxis]).astype(np.int8)
    middle = centroids.mean(axis=0)
    return Shape(
        codes,
        scales.astype(np.float32),
        widths.astype(np.float32),
        spread.astype(np.float32),
        float(np.median(own[rows, ERROR])),
        middle,
        _guide(centroids, middle),
        signed(block.halves[: block.n], own, means.parts, lists.starts, centroids),
    )


def _guide(centroids: _Floats, middle: _Floats) -> Signs:
    """Return the signs of centroids as seen from their mean."""
    n = len(centroids)
    as_they_are = np.zeros((n, 4), np.float32)
    as_they_are[:, UNIT] = 1
    nothing, all_of_them = np.zeros((1, len(middle)), np.float32), np.array([0, n])
    return signed(halves_of(centroids), as_they_are, nothing, all_of_them, middle[np.newaxis])


@compiled
def _counted(mask: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.zeros(len(starts) - 1, np.int64)
    for group in range(len(counts)):
        for row in range(starts[group], starts[group + 1]):
            counts[group] += mask[row]
    return counts


@fast
def _summed(
    halves: NDArray[np.uint16], own: _Floats, means: _Floats, starts: NDArray[np.int64]
) -> _Floats:
    """Return the sum of each list's centred rows."""
    width = halves.shape[1]
    sums = np.zeros((len(starts) - 1, width), np.float32)
    for group in range(len(sums)):
        for row in range(starts[group], starts[group + 1]):
            unit, owner = own[row, UNIT], int(own[row, OWNER])
            for j in range(width):
                sums[group, j] += (from_half(halves[row, j]) - means[owner, j]) * unit
    return sums
