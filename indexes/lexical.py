"""BM25 over chunks in several languages, by tantivy, in this process.

All languages share one field, so that lengths and document frequencies are those of the whole
corpus: each chunk is cut into terms by the analyser of its own language, a question by those of
all languages present. Accents are folded after stemming, because Snowball needs them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from indexes import segments
from indexes.fresh import Corpus, Fresh
from indexes.model import SearchIndexError, primary_lang
from indexes.periods import periods
from indexes.scribe import Scribe, Text, schema
from indexes.selection import UNDATED, Selection
from indexes.words import Clue, Word, analyser, coverage, naming, rarest, readings

_N_MAX_TERMS = 256
_N_STEPS = 1000
_N_PENDING = 500
_N_FRESH = 1000
_FRESH_SHARE = 0.01
"""Only so few new chunks hardly change how rare a word is."""
_MEAN_LENGTH = re.compile(r'"value": ([\d.e+]+),\s+"description": "avgdl')


@dataclass(frozen=True, slots=True)
class Matches:
    """Found rows by serial number, best first, with their BM25 scores.

    `words` are the question's, each once and without stop words.
    """

    serials: NDArray[np.int64]
    scores: NDArray[np.float32]
    words: tuple[Word, ...]


class Lexical:
    """An inverted index whose additions count at once while they are few, else from a `commit` on.

    Deletions and moves must be seen to by the caller, who passes over what isn't admitted: until
    a commit, `search` returns them in addition to the `k` best. Readers may run together;
    writers, `commit` among them, need exclusive use. With a `folder` the index is memory-mapped
    there instead of held in memory; what it held before is dropped, unless `langs` says in which
    languages that is.
    """

    def __init__(self, folder: Path | None = None, langs: Collection[str] | None = None) -> None:
        self._schema = schema()
        try:
            self._index = self._open(folder)
            self._scribe = Scribe(self._index)
        except (OSError, ValueError) as error:
            raise SearchIndexError(
                f"The word index can't be opened in {folder}: {error}. Stop the process that uses "
                "it, or empty the folder."
            ) from error
        if langs is None:
            self._scribe.clear()
        self._index.reload()
        self._moved: dict[int, int] = {}
        self._gone: set[int] = set()
        self._committed: Corpus | None = None
        self._fresh: Fresh | None = None
        self._begin_anew()
        self._langs: set[str] = set(langs or ())
        self._folder = folder

    @property
    def langs(self) -> frozenset[str]:
        """The languages that chunks were added in, as primary tags."""
        return frozenset(self._langs)

    def __len__(self) -> int:
        """Return how many chunks were searchable at the last commit."""
        return int(self._index.searcher().num_docs)

    def n_held(self, serials: Collection[int]) -> int:
        """Return how many of these chunks were searchable at the last commit."""
        query, limit = self._any_of("serial", list(serials)), max(1, len(serials))
        return len(self._index.searcher().search(query, limit=limit, count=False).hits)

    @property
    def n_pending(self) -> int:
        """How many changes await a commit."""
        return self._n_added + len(self._gone) + len(self._moved)

    @property
    def trouble(self) -> str:
        """Why additions can't be committed; empty if they can."""
        return self._scribe.trouble

    @property
    def must_commit(self) -> bool:
        """Whether searches need a commit: many chunks were added, or changes slow them down.

        Where writing has just failed they do without.
        """
        is_fresh_lost = self._n_added > 0 and self._fresh is None
        is_slow = len(self._gone) + len(self._moved) > _N_PENDING
        return (is_fresh_lost or is_slow) and not self._scribe.is_resting

    def add(self, texts: Iterable[Text]) -> None:
        """Index chunks."""
        for text in texts:
            self._n_added += 1
            self._langs.add(primary_lang(text.lang))
            self._keep(text.serial, self._scribe.add(text))
        if self._scribe.is_laden:
            with suppress(SearchIndexError):
                self.commit()

    @contextmanager
    def in_bulk(self) -> Iterator[None]:
        """Index many chunks quickly, all committed at the end; raises as `commit` does."""
        with self._scribe.in_bulk():
            yield
            self.commit()

    def clear(self) -> None:
        """Drop all chunks; raises as `commit` does."""
        self._scribe.clear()
        self._langs = set()
        self._begin_anew()

    def delete(self, serials: Iterable[int]) -> None:
        """Drop chunks."""
        self._gone.update(serials)

    def move(self, serials: Iterable[int], cells: Iterable[int]) -> None:
        """Put chunks into other cells."""
        self._moved.update(zip(serials, cells, strict=True))

    def commit(self) -> None:
        """Make all changes visible to searches: some milliseconds, more if many chunks moved.

        Raises `SearchIndexError` if the folder can't be written; nothing is lost, so that a later
        commit makes up for it.
        """
        self._scribe.commit(self._gone)
        left = {s: cell for s, cell in self._moved.items() if s not in self._gone}
        self._begin_anew()
        if left:
            self._moved = left
            self._scribe.rewrite(self._moved_texts())
            self._begin_anew()

    def search(self, text: str, lang: str, selection: Selection, k: int) -> Matches:
        """Return the `k` best chunks that hold a term of the question and pass the selection.

        Chunks that were deleted or moved since the last commit are among them, and not counted.
        """
        k = min(k, len(selection))
        limit = k + len(self._gone) + len(self._moved) if k > 0 else 0
        return self._search(text, lang, limit, self._filters(selection))

    def search_all(self, text: str, lang: str, limit: int) -> Matches:
        """Return at most `limit` of the best chunks, whoever may read them: only for a sieve.

        Without a filter tantivy skips most chunks: a hundred times faster than with one that
        nearly every chunk passes.
        """
        return self._search(text, lang, limit, [])

    def _keep(self, serial: int, terms: Mapping[str, Iterable[str]]) -> None:
        """Keep a new chunk's terms as well, by field, as long as few are new."""
        if self._n_added > min(_N_FRESH, _FRESH_SHARE * self._n_committed):
            self._fresh = None
        if self._fresh is not None:
            self._fresh.add(serial, terms)

    def _search(self, text: str, lang: str, limit: int, filters: list[tantivy.Query]) -> Matches:
        searcher = self._index.searcher()
        words = self._words(searcher, text, lang)
        serials, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        terms = rarest(words, _N_MAX_TERMS) if limit > 0 else []
        if terms:
            query = tantivy.Query.boolean_query(
                [(tantivy.Occur.Should, self._holding("text", term)) for term in terms]
            )
            if filters:
                parts = [query, *filters]
                query = tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])
            hits = searcher.search(query, limit=limit, count=False).hits
            found = searcher.fast_field_values("serial", [address for _, address in hits])
            serials = np.array(found, np.int64)
            scores = np.array([score for score, _ in hits], np.float32)
        if self._fresh and limit > 0:
            frequencies = {term: n for word in words for term, n in word.texts.items()}
            more, own = self._fresh.scores(frequencies, self._corpus(searcher))
            order = np.argsort(-np.concatenate([scores, own]), kind="stable")
            serials = np.concatenate([serials, more])[order]
            scores = np.concatenate([scores, own])[order]
        return Matches(serials, scores, words)

    def _holding(self, field: str, term: str) -> tantivy.Query:
        option = "freq" if field == "text" else "basic"
        return tantivy.Query.term_query(self._schema, field, term, option)

    def _corpus(self, searcher: tantivy.Searcher) -> Corpus:
        """Return what is committed; tantivy tells the mean length only in explanations."""
        if self._committed is None:
            (hit,) = searcher.search(tantivy.Query.all_query(), limit=1, count=False).hits
            stored = searcher.doc(hit[1])
            terms = analyser(primary_lang(stored["lang"][0]), None).analyze(stored["text"][0])
            length = 1.0
            if terms:
                told = self._holding("text", terms[0]).explain(searcher, hit[1]).to_json()
                length = float(_MEAN_LENGTH.findall(told)[0])
            self._committed = Corpus(self._n_committed, length)
        return self._committed

    def shares(
        self, text: str, words: Sequence[Word], serials: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how much of a question each of these chunks holds, and of its names in its title.

        Both go from 0 to 1 and count rare words most. Rarity is that in the whole index, whoever
        may read it. `words` are those that a search for the text returned.
        """
        searcher = self._index.searcher()
        n = len(self)
        dated = {p: self._n_holding(searcher, "period", p) for p in periods(text)}
        held = [Clue(c.field, c.term, float(round(_N_STEPS * c.gain))) for c in coverage(words, n)]
        # One search for both: names are the fraction of a score, the rest of the question whole.
        clues = [*held, *naming(words, dated, n)]
        gains = self._gains(searcher, clues, serials)
        if self._fresh:
            gains += self._fresh.gains(clues, serials)
        named, steps = np.modf(gains)
        return np.asarray(steps / _N_STEPS, np.float32), np.asarray(named, np.float32)

    def link(self, folder: Path) -> None:
        """Put hard links to the files of the last commit into an empty folder, in milliseconds.

        Raises `SearchIndexError` without a folder.
        """
        if self._folder is None:
            raise SearchIndexError("A word index in memory can't be saved: give it a folder.")
        segments.link(self._folder, folder)

    def close(self) -> None:
        """Let go of the folder; the index can't be used any more."""
        self._scribe.close()

    def _open(self, folder: Path | None) -> tantivy.Index:
        if folder is None:
            return tantivy.Index(self._schema)
        folder.mkdir(parents=True, exist_ok=True)
        return tantivy.Index(self._schema, path=str(folder))

    def _any_of(self, field: str, values: list[int]) -> tantivy.Query:
        return tantivy.Query.term_set_query(self._schema, field, values)

    def _begin_anew(self) -> None:
        """Note that nothing is pending."""
        self._n_added, self._gone, self._moved = 0, set(), {}
        self._n_committed, self._committed, self._fresh = len(self), None, Fresh()

    def _moved_texts(self) -> list[Text]:
        """Return the chunks that moved, in their new cells."""
        searcher, cells = self._index.searcher(), self._moved
        query = self._any_of("serial", list(cells))
        texts = []
        for _, address in searcher.search(query, limit=len(cells), count=False).hits:
            stored = searcher.doc(address)
            serial = stored["serial"][0]
            day, lang, text, title = (stored[name][0] for name in ("day", "lang", "text", "title"))
            texts.append(Text(serial, cells[serial], day, lang, text, title))
        return texts

    def _words(self, searcher: tantivy.Searcher, text: str, lang: str) -> tuple[Word, ...]:
        return tuple(
            Word(
                {term: self._n_holding(searcher, "text", term) for term in terms},
                {term: self._n_holding(searcher, "title", term) for term in terms},
            )
            for terms in readings(text, lang, self._langs)
        )

    def _n_holding(self, searcher: tantivy.Searcher, field: str, term: str) -> int:
        n = searcher.doc_freq(field, term)
        return n + self._fresh.n_holding(field, term) if self._fresh else n

    def _gains(
        self, searcher: tantivy.Searcher, clues: Sequence[Clue], serials: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the sum of what each chunk gains by the clues that it holds."""
        gains = np.zeros(len(serials), np.float32)
        if not clues or not len(serials):
            return gains
        # A set of many numbers would be looked up in the whole dictionary.
        each = (tantivy.Query.term_query(self._schema, "serial", s) for s in serials.tolist())
        among = tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in each])
        query = tantivy.Query.const_score_query(among, 0.0)
        for clue in clues:
            term = self._holding(clue.field, clue.term)
            gain = tantivy.Query.const_score_query(term, clue.gain)
            # One optional clause a level is looked up in these chunks only; several in a row
            # would be united first, over all chunks.
            query = tantivy.Query.boolean_query(
                [(tantivy.Occur.Must, query), (tantivy.Occur.Should, gain)]
            )
        hits = searcher.search(query, limit=len(serials), count=False).hits
        found = searcher.fast_field_values("serial", [address for _, address in hits])
        order = np.argsort(serials)
        at = order[np.searchsorted(serials, np.array(found, np.int64), sorter=order)]
        gains[at] = [score for score, _ in hits]
        return gains

    def _filters(self, selection: Selection) -> list[tantivy.Query]:
        filters = [self._any_of("cell", selection.cells.tolist())]
        if self._moved:
            either = [filters[0], self._any_of("serial", list(self._moved))]
            filters = [tantivy.Query.boolean_query([(tantivy.Occur.Should, q) for q in either])]
        if selection.since is not None or selection.until is not None:
            since = max(selection.since or 0, UNDATED + 1)
            filters.append(
                tantivy.Query.range_query(
                    self._schema, "day", tantivy.FieldType.Integer, since, selection.until
                )
            )
        return [tantivy.Query.const_score_query(part, 0.0) for part in filters]
