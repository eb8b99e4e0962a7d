"""Vectors twice: halves that are exact, and codes of a byte a number that are searched.

A code stands for its vector to within `errors`, the length of the difference: so a scan of the
codes knows for certain, by the inequality of Cauchy and Schwarz, between which bounds each cosine
lies, and only the few vectors that may be among the best are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.compiled import fast, from_half

_Floats = NDArray[np.float32]

_LEVELS = 127
_STEP = 65_536


@dataclass(slots=True)
class Block:
    """Growing columns, one row per vector; see `of` for what they hold.

    `halves` is uint16, the bits of binary16, of shape (capacity, dimension), `codes` int8 of the
    same shape, `scales` and `errors` float32 of shape (capacity,). Only the first `n` rows count.
    """

    halves: NDArray[np.uint16]
    codes: NDArray[np.int8]
    scales: _Floats
    errors: _Floats
    n: int

    @classmethod
    def empty(cls, dimension: int) -> Block:
        """Return a block without rows."""
        return cls.of(np.zeros((0, dimension), np.uint16))

    @classmethod
    def of(cls, halves: NDArray[np.uint16]) -> Block:
        """Return a block of vectors given as the bits of binary16."""
        codes, scales, errors = _coded(halves)
        return cls(halves, codes, scales, errors, len(halves))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Block:
        """Return the block that `arrays` named so; nothing is copied."""
        scales = arrays[f"{name}_scales"]
        return cls(
            arrays[f"{name}_halves"],
            arrays[f"{name}_codes"],
            scales,
            arrays[f"{name}_errors"],
            len(scales),
        )

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the rows as plain arrays; they are the block's own memory."""
        n = self.n
        return {
            f"{name}_halves": self.halves[:n],
            f"{name}_codes": self.codes[:n],
            f"{name}_scales": self.scales[:n],
            f"{name}_errors": self.errors[:n],
        }

    def searched(self) -> tuple[NDArray[np.uint16], NDArray[np.int8]]:
        """Return the rows' halves and codes; they are the block's own memory."""
        return self.halves[: self.n], self.codes[: self.n]

    def append(self, other: Block) -> None:
        """Add another block's rows at the end."""
        stop = self.n + other.n
        if stop > len(self.scales):
            more = max(stop, 2 * self.n, 64) - len(self.scales)
            self.halves = np.pad(self.halves, ((0, more), (0, 0)))
            self.codes = np.pad(self.codes, ((0, more), (0, 0)))
            self.scales = np.pad(self.scales, (0, more))
            self.errors = np.pad(self.errors, (0, more))
        self.halves[self.n : stop] = other.halves[: other.n]
        self.codes[self.n : stop] = other.codes[: other.n]
        self.scales[self.n : stop] = other.scales[: other.n]
        self.errors[self.n : stop] = other.errors[: other.n]
        self.n = stop

    def vectors(self, rows: slice | NDArray[np.int64]) -> _Floats:
        """Return the vectors of rows as float32."""
        return self.halves[: self.n][rows].view(np.float16).astype(np.float32)


def halves_of(vectors: _Floats) -> NDArray[np.uint16]:
    """Return the bits of vectors rounded to binary16."""
    return vectors.astype(np.float16).view(np.uint16)


def joined(first: Block, second: Block, rows: NDArray[np.int64]) -> Block:
    """Return the chosen rows of two blocks, the second counted on from the first's end."""
    width = first.halves.shape[1]
    taken = Block(
        np.empty((len(rows), width), np.uint16),
        np.empty((len(rows), width), np.int8),
        np.empty(len(rows), np.float32),
        np.empty(len(rows), np.float32),
        len(rows),
    )
    for start in range(0, len(rows), _STEP):
        part = rows[start : start + _STEP]
        for block, at, wanted in (
            (first, part, part < first.n),
            (second, part - first.n, part >= first.n),
        ):
            into = start + np.flatnonzero(wanted)
            chosen = at[wanted]
            taken.halves[into] = block.halves[chosen]
            taken.codes[into] = block.codes[chosen]
            taken.scales[into] = block.scales[chosen]
            taken.errors[into] = block.errors[chosen]
    return taken


@fast
def _coded(
    halves: NDArray[np.uint16],
) -> tuple[NDArray[np.int8], _Floats, _Floats]:
    """Return codes, and per row their scale and how far they are from the vector."""
    n, width = halves.shape
    codes = np.empty((n, width), np.int8)
    scales, errors = np.empty(n, np.float32), np.empty(n, np.float32)
    row = np.empty(width, np.float32)
    for i in range(n):
        largest = np.float32(0)
        for j in range(width):
            row[j] = from_half(halves[i, j])
            largest = max(largest, abs(row[j]))
        scale = largest / np.float32(_LEVELS) if largest > 0 else np.float32(1)
        missed = np.float32(0)
        for j in range(width):
            code = np.rint(row[j] / scale)
            codes[i, j] = np.int8(code)
            left = row[j] - code * scale
            missed += left * left
        scales[i] = scale
        errors[i] = np.sqrt(missed)
    return codes, scales, errors
