"""The ports that have two or more real implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.domain import Lang, Passage


class Embedder(Protocol):
    """Turns texts into unit vectors, float32, shape (n, dimension)."""

    @property
    def name(self) -> str:
        """Return the model's name and revision: vectors of different names never mix."""

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages, in the order given."""

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions, in the order given."""


class Reranker(Protocol):
    """Judges how well passages answer a question, reading both together."""

    @property
    def name(self) -> str:
        """Return the model's name."""

    def reads(self, lang: str) -> bool:
        """Say whether the model knows a language (primary tag; empty: unknown)."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score for each text, shape (n,), higher is better.

        Scores of different questions don't compare. Raises `ModelUnavailable`.
        """


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a generator is given.

    `system` and `user` are the rendered texts (passages numbered inside delimiters that carry a
    random nonce); `question` and `passages` are the same as values, for generators that need no
    prompt text. `cache_salt` separates prefix caches of different principal sets. `sha256`
    identifies the rendered prompt in the audit log.
    """

    question: str
    lang: Lang
    passages: tuple[Passage, ...]
    system: str
    user: str
    sha256: str
    cache_salt: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of generated text, with usage where the generator reports it (on its last piece)."""

    text: str
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None


class Generator(Protocol):
    """Writes an answer in which every sentence ends with `[n]` markers of the passages it uses.

    Raises `ModelUnavailable` and `DeadlineExceeded`. Closing the iterator stops the generation.
    An empty answer means: the passages do not answer the question.
    """

    @property
    def name(self) -> str:
        """Return the generator's name for receipts, such as `quotes` or a model's name."""

    def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream the answer."""

    async def check(self) -> None:
        """Raise `ModelUnavailable` with the next step if the generator can't be used now."""
