"""What a passage says about a question: the sentences that speak of it, and what they give.

Nothing here understands a text. A passage speaks of what is asked when a few neighbouring
sentences have nearly all words of the question, its names, codes and years; what they give for it
are the figures, names or other words that the question doesn't have itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from assistant.answering.choice import chosen, offered
from assistant.answering.orders import is_order
from assistant.domain import Lang, Passage
from assistant.models.asked import Asked, asked, codes
from assistant.text.bilingual import concepts, concepts_of
from assistant.text.numbers import Fact, facts
from assistant.text.sentences import Span, sentences
from assistant.text.units import MONTHS
from assistant.text.words import content_words, fold, is_function_word, negated, stem, words

_LEAST_SHARE = 0.4
_LEAST_ITSELF = 1 / 3
_LEAST_OF_NAMES = 0.5
_LEAST_DIGITS = 3
_LEAST_MONTH = 4
_MOST_SENTENCES = 3
_PER_SENTENCE = 0.1
_AFFIRMS = 0.8
_OPEN_KINDS = frozenset({"list", "steps", "reason"})
_QUANTITIES = frozenset({"number", "money", "duration", "date", "time"})
_ASKING = re.compile(
    r"\b(?:who|whom|whose|what|which|where|when|why|how|quem|que|qual|quais|quando|onde|como"
    r"|quant[oa]s?)\b"
)
_CAPITALISED = re.compile(r"[^\W\d_a-zß-öø-ÿ][\w'’-]*")
_VERDICT = re.compile(r"(?:^|[:,;]\s*|\b(?:is|e)\s+)(yes|no|sim|nao)\b(?=\s*(?:[.,;:!]|$))")
_YES = frozenset({"yes", "sim"})
_IS_IT = re.compile(
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|may|might|must|shall|should|will"
    r"|would)\b"
)
_SORT = re.compile(r"\b(?:which|what|qual|que) (\w+)")
_DIGITS = re.compile(r"\d+")
_TURNS = re.compile(
    r"\b(?:not|no|never|neither|nor|n['’]t|however|but|although|though|unlike|instead|rather"
    r"|nao|nunca|nem|sem|mas|porem|embora|apesar|contudo)\b|n['’]t\b"
)

Values = frozenset[str]


@dataclass(frozen=True)
class Matter:
    """A question as passages are held against it."""

    text: str
    lang: Lang

    @cached_property
    def asked(self) -> Asked:
        """Return the kinds of answer wanted, with the years and codes that are named."""
        return asked(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return the stems that a passage must have most of."""
        return tuple(dict.fromkeys(content_words(self.text)))

    @cached_property
    def names(self) -> Values:
        """Return the stems of the names in it."""
        return _names(self.text)

    @property
    def has_one_answer(self) -> bool:
        """Say whether two different answers can't both be right: no list, steps or reasons."""
        return bool(self.words) and not self.asked.kinds & _OPEN_KINDS

    @cached_property
    def options(self) -> tuple[Values, ...]:
        """Return the two things to choose from, each as the stems that only it has, if any."""
        return offered(self.text)

    @cached_property
    def predicate(self) -> Values:
        """Return the stems of what is asked of the options: not of what they are."""
        sort = _SORT.search(fold(self.text))
        return frozenset(self.words) - frozenset(content_words(sort.group(1)) if sort else ())

    @cached_property
    def digits(self) -> frozenset[str]:
        """Return the runs of digits in it."""
        return frozenset(_DIGITS.findall(self.text))

    @property
    def numbers(self) -> frozenset[str]:
        """Return those that a passage must have."""
        return frozenset(run for run in self.digits if len(run) >= _LEAST_DIGITS)

    @cached_property
    def wants_yes_or_no(self) -> bool:
        """Say whether it can be answered by yes or no."""
        folded = fold(self.text).strip()
        asks = _ASKING.search(folded) is None and (self.lang != "en" or _IS_IT.match(folded))
        return not self.options and bool(asks)


@dataclass(frozen=True, slots=True)
class Given:
    """What a text has that a question lacks: figures that may be meant, names, and all words.

    Where a quantity is asked for, only the figures.
    """

    figures: tuple[Fact, ...] = ()
    names: Values = frozenset()
    words: Values = frozenset()


_NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Statement:
    """What a passage gives for what is asked, at `start:end` of its text.

    `share` is how much of the question stands there. `verdict` is `yes` or `no` where that is
    asked, the place of the option where there is a choice, empty if unclear, else None. `given` is
    what else it gives, `around` what the whole passage does; `denied` are the stems it negates.
    """

    passage: Passage
    start: int
    end: int
    share: float
    denied: Values
    verdict: str | None = None
    given: Given = _NOTHING
    around: Given = _NOTHING


def statement(matter: Matter, passage: Passage) -> Statement | None:
    """Return what a passage says about a question, or None if it says nothing about it.

    Of several places the one counts that has most of the question in the fewest sentences.
    """
    best: tuple[float, int, Statement] | None = None
    for start, end, n in _windows(passage.text):
        share = _share(matter, passage, passage.text[start:end])
        if share < _LEAST_SHARE or is_order(passage, start, end):
            continue
        found = _stated(matter, passage, (start, end), share)
        rank = share - _PER_SENTENCE * n
        if found is not None and found.verdict:
            rank += _PER_SENTENCE * _MOST_SENTENCES
        if found is not None and (best is None or rank > best[0]):
            best = (rank, start, found)
    return best[2] if best else None


def _windows(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield runs of neighbouring sentences with their number; none ends in a question."""
    spans: list[Span] = sentences(text)
    for n in range(1, _MOST_SENTENCES + 1):
        for i in range(len(spans) - n + 1):
            start, end = spans[i][0], spans[i + n - 1][1]
            if text[end - 1] != "?":
                yield start, end, n


def _share(matter: Matter, passage: Passage, text: str) -> float:
    """Return how much of the question a text has with what it stands under.

    It is 0 if names, years, codes or numbers of the question are missing, or if it is only the
    title that speaks of it.
    """
    whole = " ".join((passage.title, *passage.heading, text))
    wanted = matter.asked
    if wanted.years and not any(year in whole for year in wanted.years):
        return 0.0
    if wanted.codes and not wanted.codes & codes(whole):
        return 0.0
    if not matter.numbers.issubset(_DIGITS.findall(f"{whole} {passage.text}")):
        return 0.0
    has, has_itself = (_knows(matter, passage, one) for one in (whole, text))
    if matter.names and sum(map(has, matter.names)) < _LEAST_OF_NAMES * len(matter.names):
        return 0.0
    if sum(map(has_itself, matter.words)) < _LEAST_ITSELF * len(matter.words):
        return 0.0
    return sum(map(has, matter.words)) / len(matter.words)


def _knows(matter: Matter, passage: Passage, text: str) -> Callable[[str], bool]:
    """Return what tells whether a text has a stem, or its like across languages."""
    known = frozenset(content_words(text))
    if passage.lang == matter.lang:
        return known.__contains__
    keys = concepts(known)
    return lambda word: not concepts_of(word).isdisjoint(keys)


def _stated(matter: Matter, passage: Passage, span: Span, share: float) -> Statement | None:
    """Return what is stated within a span; a question states nothing."""
    whole = passage.text[slice(*span)]
    text = " ".join(whole[a:b] for a, b in sentences(whole) if not whole[a:b].endswith("?"))
    denied = negated(text)
    if matter.wants_yes_or_no:
        return Statement(passage, *span, share, denied, _verdict(matter, text, share))
    if matter.options:
        verdict = chosen(text, matter.options, matter.predicate)
        named = frozenset(content_words(text)) & (matter.options[0] | matter.options[1])
        return Statement(passage, *span, share, denied, verdict, Given(names=named - denied))
    given = _given(matter, text)
    if not (given.figures if matter.asked.kinds & _QUANTITIES else given.words):
        return None
    around = _given(matter, passage.text)
    return Statement(passage, *span, share, denied, None, given, around)


def _given(matter: Matter, text: str) -> Given:
    figures = tuple(_figures(matter, text))
    if matter.asked.kinds & _QUANTITIES:
        return Given(figures)
    not_meant = frozenset(matter.words) | negated(text)
    return Given(
        figures,
        _names(text) - not_meant,
        frozenset(content_words(text)) - not_meant,
    )


def _figures(matter: Matter, text: str) -> Iterator[Fact]:
    """Yield the figures that may be meant: of the unit asked for, not the question's own."""
    units, dated = matter.asked.units, "date" in matter.asked.kinds
    for fact in facts(text, spelled=True):
        digits = _DIGITS.findall(fact.text)
        spelled = not digits and fold(fact.text) in fold(matter.text)
        own = spelled or (bool(digits) and matter.digits.issuperset(digits))
        fits = not fact.unit if dated else not units or fact.unit in units
        if fact.kind != "code" and not own and fits:
            yield fact
    if dated:
        yield from _months(matter, text)


def _months(matter: Matter, text: str) -> Iterator[Fact]:
    """Yield the months that a text names and the question doesn't."""
    for word in set(words(text)) & MONTHS.keys() - set(words(matter.text)):
        if len(word) >= _LEAST_MONTH:
            yield Fact("date", word, 0, 0, days=frozenset({(None, MONTHS[word], None)}))


def _verdict(matter: Matter, text: str, share: float) -> str:
    """Return yes or no as a text says it, or as it denies or plainly affirms what is asked."""
    folded = fold(text)
    if plain := set(_VERDICT.findall(folded)):
        return "yes" if plain <= _YES else "no"
    asked_for = set(matter.words)
    spoken = [text[start:end] for start, end in sentences(text)]
    if any(negated(one) and asked_for & set(content_words(one)) for one in spoken):
        return "no"
    return "yes" if share >= _AFFIRMS and not _TURNS.search(folded) else ""


def _names(text: str) -> Values:
    """Return the stems of names: capitalised words, but for one that only begins a sentence."""
    found: set[str] = set()
    for start, end in sentences(text):
        spoken = list(re.finditer(r"[\w'’-]+", text[start:end]))
        for i, match in enumerate(spoken):
            word = match.group()
            if is_function_word(word) or not _CAPITALISED.fullmatch(word):
                continue
            follows = spoken[i + 1].group() if i + 1 < len(spoken) else ""
            if i > 0 or _CAPITALISED.fullmatch(follows):
                found.update(stem(part) for part in words(word))
    return frozenset(found)
