"""The sentences, rows and list items of passages that may answer a question, with their signals."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assistant.domain import Passage
from assistant.models.asked import Asked, codes, holds, years
from assistant.ports import Embedder
from assistant.text.bilingual import concepts, concepts_of
from assistant.text.numbers import Day, facts
from assistant.text.sentences import lines, sentences
from assistant.text.units import UNITS
from assistant.text.words import content_words, fold, negated

MOST_EMBEDDED = 32
_MOST_CHARACTERS = 400
_ROW_KINDS = frozenset({"table", "record"})
_ROW = re.compile(r" — .+?: |^[^.:;]{1,60}: \S.*; [^.:;]{1,60}: ")
_ITEM = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)]|\(?[a-z]\))\s+")
_MOST_HEADING = 60


@dataclass(frozen=True)
class Candidate:
    """A quotable piece of a passage: `text == passage.text[start:end]`.

    `lead` is the line ending in a colon that opens the list the piece stands in.
    """

    passage: Passage
    start: int
    end: int
    is_row: bool
    in_list: bool
    lead: str = ""

    @property
    def text(self) -> str:
        """Return the piece as it stands in the passage."""
        return self.passage.text[self.start : self.end]

    @cached_property
    def words(self) -> frozenset[str]:
        """Return the stems of the content words."""
        return frozenset(content_words(self.text))

    @cached_property
    def context(self) -> frozenset[str]:
        """Return the stems of the title, the headings and the lead."""
        passage = self.passage
        return frozenset(content_words(" ".join((passage.title, *passage.heading, self.lead))))

    @cached_property
    def nearest(self) -> frozenset[str]:
        """Return the stems of the last heading, or of the title, and of the lead."""
        passage = self.passage
        where = passage.heading[-1] if passage.heading else passage.title
        return frozenset(content_words(f"{where} {self.lead}"))

    @property
    def embedded_text(self) -> str:
        """Return the text with the heading that it needs to be understood, cut for the model."""
        passage = self.passage
        where = passage.heading[-1] if passage.heading else passage.title
        return f"{where}: {self.lead} {self.text}"[:_MOST_CHARACTERS]


@dataclass(frozen=True)
class Signals:
    """How well a candidate fits: shares from 0 to 1, except the cosine, and penalties of 0 or 1.

    `covered` is the share of the question's words (weighted by rarity) in the candidate,
    `in_context` the same with title, headings and list lead; `rank` falls from 1 with the
    passage's place; `holds_kind` tells that the wanted kind of answer is there (1 if none is).
    """

    cosine: float
    covered: float
    in_context: float
    rank: float
    holds_kind: float
    other_year: float
    other_code: float
    has_code: float
    superseded: float
    short: float
    under_heading: float
    same_day: float
    other_day: float
    has_unit: float
    lacks_unit: float
    other_lang: float
    names_missing: float
    unseen: float
    denied: float


def candidates(passages: Sequence[Passage]) -> list[Candidate]:
    """Return the pieces of the passages in reading order; headings and list leads are left out."""
    return [piece for passage in passages for piece in _pieces(passage)]


def _pieces(passage: Passage) -> list[Candidate]:
    found: list[Candidate] = []
    lead = ""
    for start, end in lines(passage.text):
        line = passage.text[start:end]
        is_row = passage.kind in _ROW_KINDS or _ROW.search(line) is not None
        is_item = _ITEM.match(line) is not None or (passage.kind == "list" and not is_row)
        if not is_item and not is_row:
            lead = ""
        if line.endswith(":") and not is_row:
            lead = line
            continue
        if is_row or is_item:
            found.append(Candidate(passage, start, end, is_row, is_item or bool(lead), lead))
        elif not _is_heading(line):
            for s, e in sentences(line):
                found.append(Candidate(passage, start + s, start + e, False, False))
    return found


def _is_heading(line: str) -> bool:
    return len(line) <= _MOST_HEADING and line[-1] not in ".!?;)" and ":" not in line


@dataclass(frozen=True)
class _Wording:
    """A question's stems with their weights: the rarer among the candidates, the heavier."""

    lang: str
    weights: Mapping[str, float]
    names: frozenset[str]
    negated: frozenset[str]

    @classmethod
    def of(cls, question: str, lang: str, found: Sequence[Candidate]) -> _Wording:
        stems = list(dict.fromkeys(content_words(question)))
        n = len(found) + 1
        seen = {w: sum(_has(w, c.words, lang, c.passage.lang) for c in found) for w in stems}
        weights = {word: math.log(1 + n / (1 + seen[word])) for word in stems}
        return cls(lang, weights, names(question), negated(question))

    def share(self, words: frozenset[str], lang: str) -> float:
        """Return the weight of the stems that are among words of a language, from 0 to 1."""
        total = sum(self.weights.values()) or 1.0
        found = (weight for w, weight in self.weights.items() if _has(w, words, self.lang, lang))
        return sum(found) / total

    def names_missing(self, words: frozenset[str]) -> float:
        """Return the share of the question's names that are not among the words."""
        known = concepts(words)
        missing = [name for name in self.names if not concepts_of(name) & known]
        return len(missing) / len(self.names) if self.names else 0.0

    def denies(self, candidate: Candidate) -> bool:
        """Tell whether a candidate affirms what the question negates."""
        affirmed = candidate.words - negated(f"{candidate.lead} {candidate.text}")
        return bool(self.negated & affirmed)


def _has(word: str, words: frozenset[str], lang: str, other_lang: str) -> bool:
    """Tell whether a stem, or across languages its like, is among words."""
    if word in words:
        return True
    return lang != other_lang and not concepts_of(word).isdisjoint(concepts(words))


def names(question: str) -> frozenset[str]:
    """Return the stems of the capitalised words after the first one: names, mostly."""
    found = re.findall(r"(?<=[^\W_] |[,(] )[A-ZÀ-Ý][\w'’-]*", question)
    return frozenset(word for name in found for word in content_words(name) if len(word) > 1)


def signals(
    question: str, lang: str, asked: Asked, found: Sequence[Candidate], embedder: Embedder
) -> list[tuple[Candidate, Signals]]:
    """Score the candidates; only the 32 that words and rank favour are embedded and returned."""
    wording = _Wording.of(question, lang, found)
    n_passages = max((c.passage.n for c in found), default=1)
    everything = {
        other: frozenset(w for c in found if c.passage.lang == other for w in c.words | c.context)
        for other in {c.passage.lang for c in found}
    }
    unseen = 1.0 - max((wording.share(w, other) for other, w in everything.items()), default=0.0)
    shares = [_shares(wording, candidate, unseen) for candidate in found]
    rank = [1.0 - (c.passage.n - 1) / n_passages for c in found]
    favoured = sorted(
        range(len(found)),
        key=lambda i: shares[i].covered + shares[i].in_context + rank[i],
        reverse=True,
    )[:MOST_EMBEDDED]
    kept = [found[i] for i in favoured]
    cosines = _cosines(question, kept, embedder)
    return [
        (found[i], _signals(asked, found[i], float(cosine), shares[i], lang, rank[i]))
        for i, cosine in zip(favoured, cosines, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Shares:
    covered: float
    in_context: float
    under_heading: float
    names_missing: float
    unseen: float
    denied: float


def _shares(wording: _Wording, c: Candidate, unseen: float) -> _Shares:
    lang = c.passage.lang
    return _Shares(
        wording.share(c.words, lang),
        wording.share(c.words | c.context, lang),
        wording.share(c.nearest, lang),
        wording.names_missing(c.words | c.context),
        unseen,
        float(wording.denies(c)),
    )


def _cosines(question: str, kept: Sequence[Candidate], embedder: Embedder) -> NDArray[np.float32]:
    if not kept:
        return np.zeros(0, np.float32)
    query = embedder.embed_queries([question])[0]
    vectors = embedder.embed_documents([candidate.embedded_text for candidate in kept])
    return np.asarray(vectors @ query, np.float32)


def _signals(
    asked: Asked,
    candidate: Candidate,
    cosine: float,
    shares: _Shares,
    lang: str,
    rank: float,
) -> Signals:
    passage, text = candidate.passage, candidate.text
    where = " ".join((passage.title, *passage.heading))
    facts_here = facts(text, spelled=True)
    units = {fact.unit for fact in facts_here}
    named_days = {day for fact in facts_here if fact.kind == "date" for day in fact.days if day[2]}
    same_day = any(_same_day(a, b) for a in asked.days for b in named_days)
    has_unit = bool(asked.units & units) or (bool(facts_here) and _in_words(asked.units, text))
    wanted = [holds(kind, text) for kind in asked.kinds]
    here_codes, all_codes = codes(text), codes(f"{text} {where}")
    return Signals(
        cosine=cosine,
        covered=shares.covered,
        in_context=shares.in_context,
        rank=rank,
        holds_kind=sum(wanted) / len(wanted) if wanted else 1.0,
        other_year=float(_is_other(asked.years, years(text), years(where))),
        other_code=float(_is_other(asked.codes, here_codes, codes(where))),
        has_code=float(bool(asked.codes & all_codes)),
        superseded=float(passage.superseded),
        short=max(0.0, 1.0 - len(candidate.words) / 6),
        under_heading=shares.under_heading,
        same_day=float(same_day),
        other_day=float(bool(asked.days and named_days) and not same_day),
        has_unit=float(has_unit),
        lacks_unit=float(bool(asked.units) and not has_unit),
        other_lang=float(passage.lang != lang),
        names_missing=shares.names_missing,
        unseen=shares.unseen,
        denied=shares.denied,
    )


def _same_day(one: Day, other: Day) -> bool:
    return one[1:] == other[1:] and (one[0] is None or other[0] is None or one[0] == other[0])


def _in_words(units: frozenset[str], text: str) -> bool:
    """Tell whether a row's header names one of the units: `Torque (N·m): 62`."""
    folded = fold(text)
    return any(
        f"({name})" in folded or f" {name}:" in folded
        for name, unit in UNITS.items()
        if unit in units
    )


def _is_other(asked: frozenset[str], here: frozenset[str], where: frozenset[str]) -> bool:
    """Tell whether a text, or else its title and headings, names others than the question."""
    if not asked:
        return False
    named = here or where
    return bool(named) and not asked & (here | where)
