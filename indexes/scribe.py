"""The one writer of a word index, which keeps what it was given until that is on the disk.

When tantivy can't write, it drops what was not committed, and takes no more from then on without
saying so. So its writer is replaced then, and is given everything once more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import tantivy

from indexes.model import SearchIndexError, primary_lang
from indexes.periods import periods
from indexes.words import analyser, clean

_HEAP_BYTES = 64_000_000
_BULK_HEAP_BYTES = 512_000_000
_N_BULK_THREADS = 2
_N_KEPT = 5000
_RESTS_S = 5.0


@dataclass(frozen=True, slots=True)
class Text:
    """A chunk's text as BM25 sees it; `serial`, `cell` and `day` are those of its row.

    `title` is what its document and the headings above it are called.
    """

    serial: int
    cell: int
    day: int
    lang: str
    text: str
    title: str = ""


def schema() -> tantivy.Schema:
    """Return the fields of a chunk."""
    fields = tantivy.SchemaBuilder()
    fields.add_integer_field("serial", stored=True, indexed=True, fast=True)
    fields.add_integer_field("cell", indexed=True)
    fields.add_integer_field("day", stored=True, indexed=True, fast=True)
    fields.add_text_field("lang", stored=True, tokenizer_name="raw", index_option="basic")
    fields.add_text_field("text", stored=True, tokenizer_name="raw", index_option="freq")
    fields.add_text_field("title", stored=True, tokenizer_name="raw", index_option="basic")
    fields.add_text_field("period", tokenizer_name="raw", index_option="basic")
    return fields.build()


class Scribe:
    """Writes chunks; needs exclusive use.

    Where it can't, nothing is lost: the next `commit` tries again. Until then it `is_resting` for
    some seconds, since each try gives a new writer all that is kept.
    """

    def __init__(self, index: tantivy.Index) -> None:
        """Raises `OSError` or `ValueError` if another one writes, or the folder can't be used."""
        self._index = index
        self._schema = index.schema
        self._writer: tantivy.IndexWriter | None = index.writer(_HEAP_BYTES, 1)
        self._kept: list[Text] = []
        self._keeps = True
        self._failed_at = -math.inf
        self.trouble = ""
        """Why what was added since the last commit is not on disk; empty if it could be."""

    @property
    def is_laden(self) -> bool:
        """Whether so much is kept that it should be committed."""
        return len(self._kept) >= _N_KEPT and not self.is_resting

    @property
    def is_resting(self) -> bool:
        """Whether writing failed just now."""
        return time.monotonic() - self._failed_at < _RESTS_S

    def add(self, text: Text) -> Mapping[str, Iterable[str]]:
        """Take a chunk; returns the terms that it can be found by, by field.

        Raises `SearchIndexError` only `in_bulk`.
        """
        cut = _Cut.of(text)
        if self._keeps:
            self._kept.append(text)
        document = _document(text, cut)
        if self._writer is not None:
            with self._trying(quietly=self._keeps):
                self._writer.add_document(document)
        return {"text": _own(cut.text), "title": _own(cut.title), "period": cut.periods}

    def commit(self, gone: Iterable[int] = ()) -> None:
        """Put on disk what was added, without the chunks of these serials.

        Raises `SearchIndexError` if that can't be; all is still to be done then.
        """
        with self._trying():
            writer = self._renewed()
            if serials := list(gone):
                writer.delete_documents_by_query(self._of(serials))
            writer.commit()
        self._kept.clear()
        self.trouble = ""
        self._index.reload()

    def rewrite(self, texts: Sequence[Text]) -> None:
        """Put these in place of what has their serials, right after a commit.

        Raises as `commit` does; what was there is there still.
        """
        with self._trying():
            writer = self._renewed()
            self._give(writer, texts)
            writer.commit()
        self._index.reload()

    def clear(self) -> None:
        """Drop all chunks; raises as `commit` does."""
        self._kept.clear()
        with self._trying():
            self._renewed().delete_all_documents()
        self.commit()

    @contextmanager
    def in_bulk(self) -> Iterator[None]:
        """Take many chunks, committed before the end, by two threads with more memory.

        They are not kept: what can't be written raises `SearchIndexError` and is lost.
        """
        self.close()
        self._keeps = False
        try:
            with self._trying():
                self._writer = self._index.writer(_BULK_HEAP_BYTES, _N_BULK_THREADS)
            yield
        finally:
            self._keeps = True
            self.close()
            with suppress(SearchIndexError), self._trying():
                self._renewed()

    def close(self) -> None:
        """Let go of the folder."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError, ValueError):
                writer.wait_merging_threads()

    @contextmanager
    def _trying(self, *, quietly: bool = False) -> Iterator[None]:
        """Give the writer up where it can't write."""
        try:
            yield
        except (OSError, ValueError) as error:
            self._failed_at = time.monotonic()
            self.trouble = (
                f"The word index can't be written: {error}. Free some space; until then newer "
                "documents are hardly found by their words."
            )
            self.close()
            if not quietly:
                raise SearchIndexError(self.trouble) from error

    def _renewed(self) -> tantivy.IndexWriter:
        """Return the writer, after a failure a new one that was given all that is kept."""
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, 1)
            # Some may be on disk in spite of the failure: they are put in their own place.
            self._give(self._writer, self._kept)
        return self._writer

    def _give(self, writer: tantivy.IndexWriter, texts: Sequence[Text]) -> None:
        if texts:
            writer.delete_documents_by_query(self._of([text.serial for text in texts]))
        for text in texts:
            writer.add_document(_document(text, _Cut.of(text)))

    def _of(self, serials: list[int]) -> tantivy.Query:
        return tantivy.Query.term_set_query(self._schema, "serial", serials)


class _Cut(NamedTuple):
    """What a chunk is found by."""

    text: tantivy.PreTokenizedString
    title: tantivy.PreTokenizedString
    periods: list[str]

    @classmethod
    def of(cls, text: Text) -> _Cut:
        cut = analyser(primary_lang(text.lang), None).pre_tokenize
        return cls(cut(clean(text.text)), cut(clean(text.title)), periods(text.title))


def _document(text: Text, cut: _Cut) -> tantivy.Document:
    document = tantivy.Document()
    document.add_integer("serial", text.serial)
    document.add_integer("cell", text.cell)
    document.add_integer("day", text.day)
    document.add_text("lang", text.lang)
    document.add_pre_tokenized_text("text", cut.text)
    document.add_pre_tokenized_text("title", cut.title)
    for period in cut.periods:
        document.add_text("period", period)
    return document


def _own(terms: tantivy.PreTokenizedString) -> Iterator[str]:
    return (token.text for token in terms.tokens)
