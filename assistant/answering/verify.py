"""Whether the cited passages really say what a sentence says: outside the model, always on.

A sentence is shown only if one cited passage (or two together) supports it: verbatim, or by
shared words and the embedder's cosine; with the same polarity; and with every number, date and
code in the evidence. See `_supports` for how the thresholds were set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.answering.citations import RawSentence
from assistant.answering.figures import Evidence, missing
from assistant.answering.orders import is_order, stands_in
from assistant.domain import Citation, Passage, Sentence, Verdict
from assistant.ports import Embedder
from assistant.text.bilingual import concepts_of
from assistant.text.language import question_language
from assistant.text.sentences import Span, lines, sentences
from assistant.text.words import WORD, content_words, fold, negated, words

Similarity = Callable[[str, Sequence[str]], Sequence[float]]
"""Cosines between one text and several others, from -1 to 1."""

_N_COMPARED = 4
_WORDS_ALONE = 0.7
_LEAST_WORDS = 0.5
_LEAST_TOGETHER = 2.4
_LEAST_QUOTED = 5


@dataclass(frozen=True, slots=True)
class Support:
    """The span of a passage that supports a sentence best.

    `lexical` is the share of the sentence's content words found there or in the passage's title
    and headings; `cosine` is None where no embedder was asked; `verbatim` means word for word.
    """

    passage: Passage
    start: int
    end: int
    lexical: float
    cosine: float | None = None
    verbatim: bool = False

    @property
    def quote(self) -> str:
        """Return the span's text."""
        return self.passage.text[self.start : self.end]


def similarity_of(embedder: Embedder) -> Similarity:
    """Return the cosine of two statements as the embedder sees them."""

    def similarity(text: str, others: Sequence[str]) -> Sequence[float]:
        vectors = embedder.embed_documents([text, *others])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    return similarity


def verify(
    raw: RawSentence,
    passages: Mapping[int, Passage],
    question: str = "",
    similarity: Similarity | None = None,
    *,
    exact: bool = False,
) -> Sentence:
    """Return the sentence with the quotes that support it, or with the reason it is withheld.

    `passages` are those of the prompt that the caller may still read, by number. Of the passages
    a sentence cites, those that don't support it are dropped from its citations, and those that
    lack a figure of it where another has them all. Without `similarity` only shared words count;
    with `exact` only spans that hold all its words and give no orders.
    """
    if not raw.cited:
        return _withheld(raw, (), "no_citation", "The sentence cites no passage.")
    cited = [passages[n] for n in raw.cited if n in passages]
    if not cited:
        named = ", ".join(f"[{n}]" for n in raw.cited)
        return _withheld(
            raw, (), "not_permitted", f"It cites {named}, which is not among your passages."
        )
    compare = None if exact else similarity
    found = [best_support(raw.text, passage, compare) for passage in cited]
    supporting = [support for support in found if _supports(raw.text, support)]
    if exact:
        supporting = [support for support in supporting if _is_exact(raw.text, support)]
    elif not supporting and len(found) > 1 and _together(raw.text, found):
        supporting = found
    if supporting and (put_in := _foreign(raw.text, supporting, question)):
        reason = f"It puts into the passage what is not there: {', '.join(put_in)}."
        return _withheld(raw, found, "unsupported", reason)
    if not supporting:
        reason = "The cited passage does not say this."
        if exact:
            reason = "A passage gives orders; the cited one does not say this in its own words."
        elif any(not _same_polarity(raw.text, support) for support in found):
            reason = "The cited passage seems to say the opposite, or less than this."
        return _withheld(raw, found, "unsupported", reason)
    alone = [one for one in supporting if _supports(raw.text, one) and _has_figures(raw.text, one)]
    if not alone and (absent := missing(raw.text, _evidence(*supporting))):
        figures = ", ".join(fact.text for fact in absent)
        return _withheld(
            raw, supporting, "number_mismatch", f"The cited passage does not have {figures}."
        )
    shown = alone or supporting
    return Sentence(raw.text, tuple(_citation(support, "verified") for support in shown))


def _has_figures(text: str, support: Support) -> bool:
    return not missing(text, _evidence(support))


def _evidence(*supporting: Support) -> Evidence:
    """Return the facts of the passages, with their titles and headings."""
    return Evidence.of(
        *(
            text
            for support in supporting
            for text in (support.passage.text, support.passage.title, *support.passage.heading)
        )
    )


def best_support(text: str, passage: Passage, similarity: Similarity | None = None) -> Support:
    """Return the sentence, row, or pair of neighbouring sentences that comes closest to a text."""
    if span := _verbatim(text, passage.text):
        return Support(passage, *span, lexical=1.0, verbatim=True)
    keys_of = _comparable(text, passage.lang)
    claim = [keys_of(word) for word in dict.fromkeys(content_words(text))]
    known = _keys(" ".join((passage.title, *passage.heading)), keys_of)
    scored = []
    for start, end in spans(passage.text):
        here = _keys(passage.text[start:end], keys_of)
        overlap = sum(not here.isdisjoint(word) for word in claim)
        found = sum(not here.isdisjoint(word) or not known.isdisjoint(word) for word in claim)
        lexical = found / len(claim) if overlap else 0.0
        scored.append((lexical, overlap / max(len(here), 1), -start, (start, end)))
    if not scored:
        return Support(passage, 0, len(passage.text), lexical=0.0)
    scored.sort(reverse=True)
    near = scored[:_N_COMPARED]
    if similarity is None or near[0][0] < _LEAST_WORDS:
        # Too few words are shared for any cosine to make up for it.
        lexical, _, _, (start, end) = near[0]
        return Support(passage, start, end, lexical)
    cosines = similarity(text, [passage.text[slice(*span)] for *_, span in near])
    supports = [
        Support(passage, *span, lexical, cosine)
        for (lexical, _, _, span), cosine in zip(near, cosines, strict=True)
    ]
    return max(supports, key=lambda s: s.lexical + (s.cosine or 0.0))


def _comparable(text: str, lang: str) -> Callable[[str], frozenset[str]]:
    """Return what makes stems comparable: nothing, or their concepts across languages."""
    if lang and question_language(text) != lang:
        return concepts_of
    return lambda word: frozenset({word})


def _keys(text: str, keys_of: Callable[[str], frozenset[str]]) -> frozenset[str]:
    return frozenset(key for word in content_words(text) for key in keys_of(word))


def spans(text: str) -> list[Span]:
    """Return the sentences, whole rows and pairs of neighbouring sentences of a text."""
    single = sentences(text)
    pairs = [(a[0], b[1]) for a, b in pairwise(single)]
    return sorted({*single, *lines(text), *pairs})


def _verbatim(text: str, passage: str) -> Span | None:
    """Return where a text stands word for word in a passage, or None; short texts don't count."""
    claim = words(text)
    if len(claim) < 3:
        return next(
            (span for span in sentences(passage) if passage[slice(*span)] == text.strip()), None
        )
    found = [(fold(m.group()), m.start(), m.end()) for m in WORD.finditer(passage)]
    said = [word for word, _, _ in found]
    for i in range(len(said) - len(claim) + 1):
        if said[i] == claim[0] and said[i : i + len(claim)] == claim:
            return _grown(passage, found[i][1], found[i + len(claim) - 1][2])
    return None


def _grown(passage: str, start: int, end: int) -> Span:
    """Take in the punctuation that touches a span: a sign, a currency, a bracket, a full stop."""
    while start > 0 and not passage[start - 1].isspace() and not passage[start - 1].isalnum():
        start -= 1
    while end < len(passage) and not passage[end].isspace() and not passage[end].isalnum():
        end += 1
    return start, end


def _supports(text: str, support: Support) -> bool:
    """Tell whether a span is close enough to a text in words and meaning, with its polarity.

    Calibrated on pairs of a claim and a passage with the bundled embedder: 0 % of PubMedQA
    conclusions pass against the abstract nearest to their own, 11 % of FaQuAD question-answer
    statements against the nearest other paragraph; 85 % of the latter pass against their own
    paragraph, but only a quarter of the PubMedQA conclusions, which say more than a sentence of
    the abstract: in doubt a sentence is withheld. 95 % of sentences with an inserted `not` fail.
    A statement that recombines words of one passage wrongly can pass: that takes an entailment
    model. A question says nothing, unless it is quoted.
    """
    if support.verbatim:
        return True
    if text.endswith("?") or not _same_polarity(text, support):
        return False
    if support.cosine is None:
        return support.lexical >= _WORDS_ALONE
    return (
        support.lexical >= _LEAST_WORDS
        and support.lexical + 2.0 * support.cosine >= _LEAST_TOGETHER
    )


def _is_exact(text: str, support: Support) -> bool:
    """Tell whether a span says a text in its own words and is no order to a model."""
    ordered = is_order(support.passage, support.start, support.end)
    return not ordered and (support.verbatim or stands_in(text, support.quote))


def _foreign(text: str, supporting: Sequence[Support], question: str) -> list[str]:
    """Return words that were put into what is otherwise a quote, none if it is no such thing."""
    known = set(words(question))
    for support in supporting:
        passage = support.passage
        known |= set(words(" ".join((passage.text, passage.title, *passage.heading))))
    put_in = [word for word in dict.fromkeys(words(text)) if word not in known]
    rest = " ".join(word for word in words(text) if word in known)
    if not put_in or len(words(rest)) < _LEAST_QUOTED:
        return []
    altered = any(_verbatim(rest, support.passage.text) for support in supporting)
    return put_in if altered else []


def _same_polarity(text: str, support: Support) -> bool:
    """Tell whether what one text negates isn't affirmed by the other."""
    if support.verbatim:
        return True
    denied, said = negated(text), set(content_words(text))
    denied_there, said_there = negated(support.quote), set(content_words(support.quote))
    return not (denied & said_there) - denied_there and not (denied_there & said) - denied


def _together(text: str, found: Sequence[Support]) -> bool:
    """Tell whether the passages support a text only jointly: nearly every word, in one or other."""
    claim = set(content_words(text))
    said = {word for support in found for word in content_words(support.quote)}
    return (
        bool(claim)
        and len(claim & said) / len(claim) >= 0.8
        and all(support.lexical >= 0.3 and _same_polarity(text, support) for support in found)
    )


def _citation(support: Support, verdict: Verdict) -> Citation:
    passage = support.passage
    return Citation(passage.n, passage, support.quote, support.start, support.end, verdict)


def _withheld(
    raw: RawSentence, found: Sequence[Support], verdict: Verdict, reason: str
) -> Sentence:
    return Sentence(raw.text, tuple(_citation(s, verdict) for s in found), verdict, reason)
