"""Orders in documents: they are no evidence, and where there are some only exact words count.

A document that tells a model what to do may well reach the prompt. What the model then writes is
held to the documents' own words, outside of the sentences that give orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain import Passage
from assistant.ports import Prompt
from assistant.text.confusable import latin
from assistant.text.inert import visible
from assistant.text.instructions import INSTRUCTION, instruction_score
from assistant.text.sentences import Span, lines, sentences
from assistant.text.words import content_words, words

_CODE = re.compile(r"\b[0-9a-f]{32}\b")
_SHINGLE = 6


def gives_orders(passages: Sequence[Passage]) -> bool:
    """Say whether any passage, its title or a heading tells a model what to do."""
    return any(
        passage.instruction >= INSTRUCTION or _score(text) >= INSTRUCTION
        for passage in passages
        for text in (passage.text, passage.title, *passage.heading)
    )


def is_order(passage: Passage, start: int, end: int) -> bool:
    """Say whether a span of a passage lies in a sentence or line that gives orders."""
    return any(
        a < end and start < b and _score(passage.text[a:b]) >= INSTRUCTION
        for a, b in {*_spans(passage.text)}
    )


def stands_in(text: str, span: str) -> bool:
    """Say whether a span holds every content word of a text."""
    return set(content_words(text)) <= set(content_words(span))


def tells_instructions(text: str, prompt: Prompt) -> bool:
    """Say whether a text repeats the code of the fences or a piece of the system prompt."""
    if any(code in text.lower() for code in _CODE.findall(prompt.system)):
        return True
    said, ours = words(text), words(prompt.system)
    told = {tuple(ours[i : i + _SHINGLE]) for i in range(len(ours) - _SHINGLE + 1)}
    return any(tuple(said[i : i + _SHINGLE]) in told for i in range(len(said) - _SHINGLE + 1))


def _score(text: str) -> float:
    return instruction_score(latin(visible(text)))


def _spans(text: str) -> list[Span]:
    return [*sentences(text), *lines(text)]
