"""The words of a question: the terms they may stand for, how rare they are, and what they name.

A word is a name where most chunks that hold it have it in their title: the product, company,
device or asset that documents are about. So names are learnt from the titles that there are.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import tantivy

from indexes.model import primary_lang
from indexes.stopwords import STOPWORDS

_STEMMERS = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "sv": "swedish",
}
_PT_ENDINGS = {
    "cao": "ção",
    "coes": "ções",
    "avel": "ável",
    "ivel": "ível",
    "ancia": "ância",
    "encia": "ência",
}
_N_MAX_QUESTION_CHARS = 10_000
_N_MAX_TERM_BYTES = 100
_N_MAX_CLUES = 32
_NAMING = 0.5
_N_DOUBT = 1.0
"""Names that nearly every title holds tell little: what they weigh is shared with this."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the terms it may stand for, with how many chunks hold each, or their titles."""

    texts: dict[str, int]
    titles: dict[str, int]

    @property
    def is_name(self) -> bool:
        """Whether half of the chunks that hold it have it in their title."""
        return any(n > 0 and n >= _NAMING * self.texts[term] for term, n in self.titles.items())


@dataclass(frozen=True, slots=True)
class Clue:
    """What a chunk gains by holding a term in a field."""

    field: str
    term: str
    gain: float


def readings(text: str, lang: str, langs: Collection[str]) -> list[tuple[str, ...]]:
    """Return each word of a question once, as its term in each language of the corpus."""
    cleaned = clean(text)[:_N_MAX_QUESTION_CHARS]
    stop: str | None = primary_lang(lang)
    if not analyser("", stop).analyze(cleaned):
        stop = None
    read = [analyser(tag, stop).analyze(cleaned) for tag in sorted(langs)]
    if "pt" in langs:
        read.append(analyser("pt", stop).analyze(_accented(cleaned)))
    return list(dict.fromkeys(zip(*read, strict=True)))


def rarest(words: Sequence[Word], n: int) -> list[str]:
    """Return at most `n` of the terms that there are, those of fewest chunks."""
    known = {term: n for word in words for term, n in word.texts.items() if n}
    return sorted(known, key=lambda term: known[term])[:n]


def coverage(words: Sequence[Word], n_chunks: int) -> list[Clue]:
    """Return what the rarest words are worth, each as its share of the whole question."""
    unknown = math.log1p(2 * n_chunks)
    worth = [_rarity(word.texts, n_chunks) or unknown for word in words]
    total = sum(worth) or 1.0
    best = sorted(zip(worth, words, strict=True), key=lambda pair: -pair[0])
    clues = [Clue("text", term, x / total) for x, word in best for term in _known(word.texts)]
    return clues[:_N_MAX_CLUES]


def naming(words: Sequence[Word], periods: dict[str, int], n_chunks: int) -> list[Clue]:
    """Return what each name and period of the question is worth in a title."""
    names = [("title", _known(w.titles), _rarity(w.titles, n_chunks)) for w in words if w.is_name]
    names += [("period", (p,), _rarity({p: n}, n_chunks)) for p, n in periods.items() if n]
    total = sum(worth for _, _, worth in names) + _N_DOUBT
    return [Clue(field, term, x / total) for field, terms, x in names for term in terms]


def clean(text: str) -> str:
    """Compose letters with their accents, and drop what is not text at all."""
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())


@cache
def analyser(tag: str, stop: str | None) -> tantivy.TextAnalyzer:
    """Return the analyser of a language; `stop` names the language whose stop words it drops."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(_N_MAX_TERM_BYTES))
    builder = builder.filter(tantivy.Filter.lowercase())
    if stop is not None:
        builder = builder.filter(tantivy.Filter.custom_stopword(sorted(_stopwords(stop))))
    if tag in _STEMMERS:
        builder = builder.filter(tantivy.Filter.stemmer(_STEMMERS[tag]))
    return builder.filter(tantivy.Filter.ascii_fold()).build()


def _rarity(counts: dict[str, int], n_chunks: int) -> float:
    """Return the inverse document frequency of the rarest known term, as BM25 has it."""
    n = min((n for n in counts.values() if n), default=0)
    return math.log1p((n_chunks - min(n, n_chunks) + 0.5) / (n + 0.5)) if n else 0.0


def _known(counts: dict[str, int]) -> tuple[str, ...]:
    return tuple(term for term, n in counts.items() if n)


def _accented(text: str) -> str:
    """Give Portuguese endings typed without accents those that the stemmer looks for."""
    for ending, accented in _PT_ENDINGS.items():
        text = re.sub(rf"{ending}\b", accented, text, flags=re.IGNORECASE)
    return text


def _stopwords(lang: str) -> frozenset[str]:
    every: frozenset[str] = frozenset().union(*STOPWORDS.values())
    return STOPWORDS.get(lang, frozenset()) if lang else every
