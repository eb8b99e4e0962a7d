"""What is taken out of vectors before they are compared: half the mean of their language.

A bilingual embedder answers a question mostly with passages in the question's own language. So
a passage is searched as the direction of `passage - half the mean of its language`, and a question
as that of `question - half the mean of its language`. The whole mean would take the corpus's
common topic out with the language: measured, half is better within one language as well as across
two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.block import Block
from indexes.compiled import fast, from_half

_Floats = NDArray[np.float32]

_SHARE = 0.5
_N_TRUSTED = 50
"""A language's mean over fewer rows is mixed with the mean of all rows."""
_DRIFT = 0.25

SCALE, UNIT, ERROR, OWNER = range(4)
"""The columns of terms, see `terms`."""


@dataclass(frozen=True, slots=True)
class Means:
    """What is taken out: `parts[0]` of unknown languages, `parts[1 + code]` of known ones.

    `parts` is float32 of shape (languages + 1, dimension); `counts` says over how many rows each
    language's mean was taken.
    """

    parts: _Floats
    counts: NDArray[np.int64]

    @classmethod
    def none(cls, dimension: int) -> Means:
        """Return what takes nothing out."""
        return cls(np.zeros((1, dimension), np.float32), np.zeros(0, np.int64))

    def owner(self, lang: int | None) -> int:
        """Return which part is taken out of vectors in a language."""
        return 1 + lang if lang is not None and 1 + lang < len(self.parts) else 0

    def owners(self, langs: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return `owner` of each of these language codes."""
        return np.where(1 + langs < len(self.parts), 1 + langs, 0).astype(np.int32)

    def have_drifted(self, counts: NDArray[np.int64]) -> bool:
        """Return whether any language has a quarter more or fewer live rows than at its mean."""
        n = max(len(counts), len(self.counts))
        now = np.pad(counts, (0, n - len(counts)))
        then = np.pad(self.counts, (0, n - len(self.counts)))
        return bool((np.abs(now - then) > _DRIFT * then).any())


def measured(
    blocks: Iterable[tuple[Block, slice]],
    langs: NDArray[np.int32],
    live: NDArray[np.bool_],
    n_langs: int,
) -> Means:
    """Take the means of blocks' live rows; each block comes with the rows that it holds."""
    counts = np.bincount(langs[live], minlength=n_langs)
    sums: NDArray[np.float64] | int = 0
    for block, rows in blocks:
        sums = sums + _summed(block.halves[: block.n], langs[rows], live[rows], n_langs)
    overall = np.sum(sums, axis=0) / max(int(counts.sum()), 1)
    trust = np.minimum(1.0, counts / _N_TRUSTED)[:, np.newaxis]
    own = sums / np.maximum(counts, 1)[:, np.newaxis]
    parts = np.vstack([overall, trust * own + (1 - trust) * overall])
    return Means(np.asarray(_SHARE * parts, np.float32), counts)


def terms(block: Block, owners: NDArray[np.int32], means: Means) -> _Floats:
    """Return what centring makes of each row, as float32 of shape (rows, 4).

    The columns are scale, 1 and error, each divided by the row's length once its mean is out (0
    if nothing is left of it), and which mean that is: one cache line where it is needed.
    """
    n = block.n
    return _terms(block.halves[:n], block.scales[:n], block.errors[:n], owners, means.parts)


def centred(block: Block, rows: slice | NDArray[np.int64], own: _Floats, means: Means) -> _Floats:
    """Return rows of a block as the unit vectors that are searched; `own` are these rows' terms."""
    raw = block.vectors(rows) - means.parts[own[:, OWNER].astype(np.int64)]
    return np.ascontiguousarray(raw * own[:, UNIT, np.newaxis])


@fast
def _terms(
    halves: NDArray[np.uint16],
    scales: _Floats,
    errors: _Floats,
    owners: NDArray[np.int32],
    parts: _Floats,
) -> _Floats:
    found = np.empty((len(halves), 4), np.float32)
    for i in range(len(halves)):
        square = np.float32(0)
        for j in range(halves.shape[1]):
            left = from_half(halves[i, j]) - parts[owners[i], j]
            square += left * left
        unit = 1 / np.sqrt(square) if square > 0 else np.float32(0)
        found[i, SCALE], found[i, UNIT] = scales[i] * unit, unit
        found[i, ERROR], found[i, OWNER] = errors[i] * unit, owners[i]
    return found


@fast
def _summed(
    halves: NDArray[np.uint16], langs: NDArray[np.int32], live: NDArray[np.bool_], n_langs: int
) -> NDArray[np.float64]:
    """Return the sum of each language's live vectors."""
    sums = np.zeros((n_langs, halves.shape[1]))
    for i in range(len(halves)):
        if live[i]:
            for j in range(halves.shape[1]):
                sums[langs[i], j] += from_half(halves[i, j])
    return sums
