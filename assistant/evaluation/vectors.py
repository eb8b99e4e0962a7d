"""Embeddings kept between evaluations, by embedder and text, so that a second run is quick."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Embedder

N_AT_ONCE = 128
"""Texts embedded before they are saved: what an interrupted run loses at most."""

Step = Callable[[int, int], None]


class Vectors(Protocol):
    """Where an evaluation's vectors come from: float32, unit length, in the order of the texts.

    `step` is told how many of how many are there.
    """

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""

    def documents(self, texts: Sequence[str], step: Step) -> NDArray[np.float32]:
        """Return the vectors of passages."""

    def queries(self, texts: Sequence[str], step: Step) -> NDArray[np.float32]:
        """Return the vectors of questions."""


class WithoutVectors:
    """Gives every text the same vector, for evaluations that search by words alone."""

    dimension = 1

    def documents(self, texts: Sequence[str], step: Step) -> NDArray[np.float32]:
        """Return a vector for each text."""
        step(len(texts), len(texts))
        return np.ones((len(texts), 1), np.float32)

    queries = documents


class CachedEmbedder:
    """An embedder that remembers what it embedded, in files of a folder.

    A file holds up to 128 digests (uint8, n × 32) with their vectors (float32, n × dimension);
    files are written beside and renamed, so several evaluations may share a folder.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder / re.sub(r"[^\w.@-]", "_", embedder.name)
        self._known: dict[bytes, NDArray[np.float32]] = {}
        for path in sorted(self._folder.glob("*.npz")):
            with np.load(path) as saved:
                digests = (row.tobytes() for row in saved["digests"])
                self._known.update(zip(digests, saved["vectors"], strict=True))

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return self._embedder.dimension

    def documents(self, texts: Sequence[str], step: Step) -> NDArray[np.float32]:
        """Return the vectors of passages."""
        return self._vectors(texts, b"passage", self._embedder.embed_documents, step)

    def queries(self, texts: Sequence[str], step: Step) -> NDArray[np.float32]:
        """Return the vectors of questions."""
        return self._vectors(texts, b"query", self._embedder.embed_queries, step)

    def _vectors(
        self,
        texts: Sequence[str],
        role: bytes,
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        step: Step,
    ) -> NDArray[np.float32]:
        digests = [hashlib.sha256(role + b"\0" + text.encode()).digest() for text in texts]
        missing = {d: text for d, text in zip(digests, texts, strict=True) if d not in self._known}
        longest_first = sorted(missing, key=lambda digest: -len(missing[digest]))
        for start in range(0, len(missing), N_AT_ONCE):
            step(len(texts) - len(missing) + start, len(texts))
            batch = longest_first[start : start + N_AT_ONCE]
            self._save(batch, embed([missing[digest] for digest in batch]))
        step(len(texts), len(texts))
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([self._known[digest] for digest in digests])

    def _save(self, digests: list[bytes], vectors: NDArray[np.float32]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
        name = uuid.uuid4().hex
        half = self._folder / f"{name}.half"
        with half.open("wb") as file:
            np.savez(file, digests=rows, vectors=vectors)
        half.rename(self._folder / f"{name}.npz")
        self._known.update(zip(digests, vectors, strict=True))
