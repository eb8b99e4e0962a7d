"""Quote mode: a generator without a language model, which answers in the documents' own words.

The answer is the one to three sentences, the rows, or the list that fit the question best, word
for word, each with its citation; or nothing, where none fits well enough.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from assistant.domain import Lang, Passage
from assistant.models.asked import Asked, asked
from assistant.models.candidates import Candidate, Signals, candidates, signals
from assistant.ports import Embedder, Prompt, Token
from assistant.sentences import sentences

_MARKER_LIKE = re.compile(r"\[(\s*\d[\d\s,;–-]*)\]")


@dataclass(frozen=True)
class Scored:
    """A candidate with its score; `confidence` is the score that decides on abstaining."""

    candidate: Candidate
    signals: Signals
    score: float


class Quotes:
    """The generator of quote mode; `embedder` compares questions with sentences."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """Return `quotes`."""
        return "quotes"

    async def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream the chosen quotes, a line each, every sentence followed by its markers."""
        for line in await asyncio.to_thread(
            answer, prompt.question, prompt.lang, prompt.passages, self._embedder
        ):
            yield Token(line + "\n")

    async def check(self) -> None:
        """Need nothing: the embedder is loaded with the application."""


def answer(
    question: str, lang: Lang, passages: Sequence[Passage], embedder: Embedder
) -> list[str]:
    """Return the lines of the answer with `[n]` markers, none if the evidence is too weak."""
    wanted = asked(question)
    ranked = rank(question, lang, wanted, passages, embedder)
    if not ranked or confidence(ranked, wanted, lang) < THRESHOLD:
        return []
    return [_line(group) for group in choose(ranked, wanted)]
