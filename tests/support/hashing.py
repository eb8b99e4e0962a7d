"""A second real embedder: hashed bags of words, for tests where the model does not matter."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """Counts the words of a text in 256 buckets; texts that share words point the same way."""

    name = "hashed-words@1"
    dimension = 256

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, in the order given."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in _WORD.findall(text.lower()):
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
            vectors[row, 0] += 0.01
            vectors[row] /= np.linalg.norm(vectors[row])
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions as documents are."""
        return self.embed_documents(texts)
