"""Quote mode: a generator without a language model, which answers in the documents' own words.

The answer is the one to three sentences or rows, or the list, that fit the question best, word
for word, each with its citation; or nothing where none fits well enough.
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
from assistant.text.sentences import sentences
from assistant.text.units import SPELLED
from assistant.text.words import WORD, fold

MOST_LINES = 3
MOST_LIST_LINES = 8
_MARGIN = 1.0
_ITEM_MARGIN = 1.5
_LEAST = 1.3
_SAME = 0.8
_MARKER_LIKE = re.compile(r"\[(\s*\d[\d\s,;–-]*)\]")


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, its signals, and its score: a logit among the candidates of the question."""

    candidate: Candidate
    signals: Signals
    score: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the answer: a quote and the passages that say the same, the first one quoted."""

    text: str
    cited: tuple[int, ...]


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
        chosen = await asyncio.to_thread(
            answer, prompt.question, prompt.lang, prompt.passages, self._embedder
        )
        for line in chosen:
            yield Token(rendered(line) + "\n")

    async def check(self) -> None:
        """Need nothing: the embedder was loaded with the application."""


def answer(
    question: str, lang: Lang, passages: Sequence[Passage], embedder: Embedder
) -> list[Line]:
    """Return the lines of the answer, none if the evidence is too weak."""
    wanted = asked(question)
    ranked = ranking(question, lang, wanted, passages, embedder)
    if not ranked or confidence(ranked) < 0:
        return []
    return lines_of(ranked, wanted, passages)


def ranking(
    question: str, lang: Lang, wanted: Asked, passages: Sequence[Passage], embedder: Embedder
) -> list[Scored]:
    """Return the candidates of the passages, best first."""
    scored = [
        Scored(candidate, found, _score(found))
        for candidate, found in signals(question, lang, wanted, candidates(passages), embedder)
    ]
    return sorted(scored, key=lambda s: (-s.score, s.candidate.passage.n, s.candidate.start))


def _score(s: Signals) -> float:
    return (
        20.0 * s.cosine
        + 1.7 * s.covered
        + 2.2 * s.in_context
        + 0.3 * s.under_heading
        + 1.4 * s.rank
        + 1.0 * s.holds_kind
        + 0.6 * (s.has_unit - s.lacks_unit)
        + 0.5 * (s.has_code - s.other_code)
        + 0.4 * (s.same_day - s.other_day)
        - 0.6 * s.other_year
        - 0.4 * s.names_missing
        - 1.0 * s.superseded
        - 1.0 * s.denied
        + 0.4 * s.other_lang
    )


def confidence(ranked: Sequence[Scored]) -> float:
    """Return the log odds that the best candidates answer the question; below 0 means abstain."""
    best = ranked[0].signals
    nearest = max(scored.signals.cosine for scored in ranked)
    return (
        28.0 * (nearest - 0.88)
        + 2.8 * (best.in_context - 0.5)
        - 2.0 * best.lacks_unit
        - 0.5 * best.names_missing
        - 1.0 * best.unseen
        + 0.4 * best.other_lang
        + _LEAST
    )


def lines_of(ranked: Sequence[Scored], wanted: Asked, passages: Sequence[Passage]) -> list[Line]:
    """Return the best candidate's list, or the best candidates, each said once."""
    best = ranked[0]
    if wanted.kinds & {"list", "steps"} and (item := _best_item(ranked)):
        return _whole_list(item, passages)
    chosen: list[Scored] = []
    also: list[list[int]] = []
    for scored in ranked:
        if scored.score < best.score - _MARGIN:
            break
        same = next((i for i, c in enumerate(chosen) if _says_same(c, scored)), None)
        if same is None and len(chosen) < MOST_LINES:
            chosen.append(scored)
            also.append([scored.candidate.passage.n])
        elif same is not None and scored.candidate.passage.n not in also[same]:
            also[same].append(scored.candidate.passage.n)
    return [Line(c.candidate.text, tuple(n)) for c, n in zip(chosen, also, strict=True)]


def _best_item(ranked: Sequence[Scored]) -> Candidate | None:
    """Return the best list item if it comes close to the best of all: items say less each."""
    least = ranked[0].score - _ITEM_MARGIN
    near = (s.candidate for s in ranked if s.candidate.in_list and s.score >= least)
    return next(near, None)


def _whole_list(best: Candidate, passages: Sequence[Passage]) -> list[Line]:
    """Return the lead and the items of the list that a candidate stands in."""
    passage = best.passage
    pieces = [c for c in candidates([passage]) if c.in_list and c.lead == best.lead]
    at = next((i for i, piece in enumerate(pieces) if piece.start == best.start), 0)
    first = max(0, min(at - 1, len(pieces) - MOST_LIST_LINES)) if at >= MOST_LIST_LINES else 0
    texts = [piece.text for piece in pieces[first : first + MOST_LIST_LINES]]
    lead = [best.lead] if best.lead else []
    return [Line(text, (passage.n,)) for text in (*lead, *texts)]


def _says_same(one: Scored, other: Scored) -> bool:
    a, b = (frozenset(WORD.findall(fold(s.candidate.text))) for s in (one, other))
    if any(word[0].isdigit() or word in SPELLED for word in a ^ b):
        return False
    return len(a & b) >= _SAME * max(len(a | b), 1)


def rendered(line: Line) -> str:
    """Return a line with its markers behind every sentence; its own `[2]` becomes `(2)`."""
    text = _MARKER_LIKE.sub(r"(\1)", line.text)
    markers = "".join(f"[{n}]" for n in line.cited)
    return " ".join(f"{text[start:end]} {markers}" for start, end in sentences(text))
