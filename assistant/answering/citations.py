"""From a stream of generated text to sentences with the passages they cite.

Markers are `[1]`, `[1][2]`, `[1, 2]` or `[1-3]`, before or behind the full stop; one that stands
between two sentences belongs to the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.text.sentences import sentences

_MARKER = re.compile(r"\[\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*\]")
_UNFINISHED = re.compile(r"\[[\d\s,;–-]{0,24}\Z")
_RANGE = re.compile(r"(\d{1,3})(?:\s*[–-]\s*(\d{1,3}))?")
_BULLET = re.compile(r"^(?:[-*•+]\s+|#{1,6}\s+|>\s+)+")
_LIST_NUMBER = re.compile(r"^\(?(?:\d{1,2}|[a-z])[.)]$")
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,;:!?…]+)$")
_MAX_RANGE = 9
_MAX_SENTENCE = 4_000


@dataclass(frozen=True, slots=True)
class RawSentence:
    """A sentence as generated: `text` without markers, `cited` in order of first use."""

    text: str
    cited: tuple[int, ...]


class SentenceStream:
    """Splits generated text into sentences as soon as each is complete.

    The sentences don't depend on how the text was cut into pieces: decisions are taken only
    where a white space arrives, whatever piece it came with. A sentence is complete when the
    word behind it is; a text without any end is cut at 4,000 characters.
    """

    def __init__(self) -> None:
        self._text = ""

    def feed(self, text: str) -> list[RawSentence]:
        """Take the next piece of text; return the sentences it completed."""
        complete: list[RawSentence] = []
        for part in self._parts(text):
            self._text += part
            if part[-1:].isspace() and not _UNFINISHED.search(self._text):
                complete += self._take(last=False)
            elif len(self._text) > _MAX_SENTENCE:
                complete += self._cut()
        return complete

    def _parts(self, text: str) -> list[str]:
        if len(self._text) + len(text) > _MAX_SENTENCE:
            return list(text)
        return re.split(r"(?<=\s)", text)

    def close(self) -> list[RawSentence]:
        """Return what is left when the text has ended."""
        return self._take(last=True)

    def _take(self, *, last: bool) -> list[RawSentence]:
        text, markers = _without_markers(self._text)
        spans = _joined(text, sentences(text))
        n_complete = len(spans) if last else len(spans) - 1
        if n_complete <= 0 and not last:
            return self._cut() if len(self._text) > _MAX_SENTENCE else []
        taken = [
            _raw(text[start:end], _cited_in(markers, spans, i))
            for i, (start, end) in enumerate(spans[:n_complete])
        ]
        self._text = "" if last else self._text[_original(markers, spans[n_complete][0]) :]
        return [sentence for sentence in taken if sentence.text]

    def _cut(self) -> list[RawSentence]:
        head, self._text = self._text[:_MAX_SENTENCE], self._text[_MAX_SENTENCE:]
        text, markers = _without_markers(head)
        cited = tuple(dict.fromkeys(n for _, _, numbers in markers for n in numbers))
        return [_raw(text.strip(), cited)] if text.strip() else []


_Marker = tuple[int, int, tuple[int, ...]]
"""Where a marker stood in the text without markers, its length, the numbers it names."""


def _without_markers(text: str) -> tuple[str, list[_Marker]]:
    parts: list[str] = []
    markers: list[_Marker] = []
    at = length = 0
    for match in _MARKER.finditer(text):
        parts.append(text[at : match.start()])
        length += match.start() - at
        at = match.end()
        markers.append((length, match.end() - match.start(), _numbers(match.group())))
    parts.append(text[at:])
    return "".join(parts), markers


def _numbers(marker: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for match in _RANGE.finditer(marker):
        first, last = int(match[1]), int(match[2] or match[1])
        numbers += range(first, min(last, first + _MAX_RANGE) + 1) if last > first else [first]
    return tuple(dict.fromkeys(numbers))


def _original(markers: list[_Marker], position: int) -> int:
    """Return where a position of the text without markers lies in the text with them."""
    return position + sum(length for at, length, _ in markers if at <= position)


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join a lone list number, such as `2.`, with the sentence behind it."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and _LIST_NUMBER.match(text[slice(*joined[-1])]):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _cited_in(markers: list[_Marker], spans: list[tuple[int, int]], i: int) -> tuple[int, ...]:
    start = -1 if i == 0 else spans[i][0]
    following = spans[i + 1][0] if i + 1 < len(spans) else None
    return tuple(
        dict.fromkeys(
            n
            for at, _, numbers in markers
            if start < at and (following is None or at <= following)
            for n in numbers
        )
    )


def _raw(text: str, cited: tuple[int, ...]) -> RawSentence:
    text = _SPACE_BEFORE_STOP.sub(r"\1", _BULLET.sub("", text.strip()))
    return RawSentence(re.sub(r"[ \t]{2,}", " ", text).strip(), cited)
