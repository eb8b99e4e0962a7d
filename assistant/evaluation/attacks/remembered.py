"""An embedder that remembers: hundreds of attacks compare the same few sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Embedder

Vectors = NDArray[np.float32]


@dataclass(slots=True)
class Remembered:
    """Gives the vectors of another embedder, and computes each text once."""

    inner: Embedder
    _documents: dict[str, Vectors] = field(default_factory=dict)
    _queries: dict[str, Vectors] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the other one's name."""
        return self.inner.name

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return self.inner.dimension

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Embed passages, in the order given."""
        return self._recalled(texts, self._documents, self.inner.embed_documents)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions, in the order given."""
        return self._recalled(texts, self._queries, self.inner.embed_queries)

    def _recalled(
        self,
        texts: Sequence[str],
        known: dict[str, Vectors],
        embed: Callable[[Sequence[str]], Vectors],
    ) -> Vectors:
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known.update(zip(new, embed(new), strict=True))
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([known[text] for text in texts])
