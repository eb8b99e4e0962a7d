"""An answer in the making: the generator's sentences, each verified before it counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cached_property

from assistant.answering import prompt as prompts
from assistant.answering import transcript
from assistant.answering.citations import RawSentence, SentenceStream
from assistant.answering.disagreement import disagreement
from assistant.answering.fitting import fits
from assistant.answering.orders import gives_orders, tells_instructions
from assistant.answering.stops import stopped
from assistant.answering.verify import Similarity, verify
from assistant.domain import (
    Answer,
    ChunkId,
    Citation,
    Delta,
    Disagreement,
    Passage,
    Sentence,
    Usage,
    Withheld,
    Writing,
)
from assistant.ports import Generator, Prompt, Token
from assistant.text.inert import inert, visible
from assistant.text.words import words

Permitted = Callable[[Collection[ChunkId]], Collection[ChunkId]]
"""Tells which of some chunks the asker may still read."""

N_CLOSEST = 3
BEAT_S = 0.15


@dataclass
class Draft:
    """Sentences with citations numbered in the order of their first use."""

    prompt: Prompt
    sentences: list[Sentence] = field(default_factory=list)
    withheld: list[Sentence] = field(default_factory=list)
    first_token_s: float | None = None
    last_token: Token = field(default_factory=lambda: Token(""))
    _numbers: dict[tuple[int, int, int], int] = field(default_factory=dict)

    async def write(
        self, generator: Generator, similarity: Similarity, permitted: Permitted
    ) -> AsyncIterator[Writing | Delta | Withheld]:
        """Stream the generator's sentences, each verified; with no passages there are none.

        While one is being written, `Writing` says several times a second that it is.
        """
        if not self.prompt.passages:
            return
        started = told = time.perf_counter()
        n_characters, stream = 0, SentenceStream()
        written = stopped(generator.generate(self.prompt))
        async with aclosing(written) as tokens:  # type: ignore[type-var]
            async for token in tokens:
                if token.text and self.first_token_s is None:
                    self.first_token_s = time.perf_counter() - started
                self.last_token = token
                n_characters += len(token.text)
                for raw in stream.feed(visible(token.text)):
                    if event := await asyncio.to_thread(self._add, raw, similarity, permitted):
                        told = time.perf_counter()
                        yield event
                if time.perf_counter() - told > BEAT_S:
                    told = time.perf_counter()
                    yield Writing(n_characters)
        for raw in stream.close():
            if event := await asyncio.to_thread(self._add, raw, similarity, permitted):
                yield event

    def usage(self, generator: Generator) -> Usage:
        """Return what the generator used."""
        return Usage(
            generator.name,
            self.last_token.n_prompt_tokens,
            self.last_token.n_completion_tokens,
            self.first_token_s,
        )

    def answer(self, seconds: float, permitted: Permitted) -> Answer:
        """Put the answer together; with no sentence left, abstain, naming what may be read now."""
        abstained = not self.sentences
        lang = self.prompt.lang
        closest: tuple[Passage, ...] = self.prompt.passages[:N_CLOSEST] if abstained else ()
        allowed = permitted([p.chunk_id for p in closest]) if closest else ()
        closest = tuple(p for p in closest if p.chunk_id in allowed)
        disputed = () if abstained else self._disagreements(permitted)
        text = prompts.abstention(lang)
        written = [
            {"text": s.text, "citations": [c.n for c in s.citations], "row": transcript.is_row(s)}
            for s in self.sentences
        ]
        said = [{"citations": [c.n for c in one.citations]} for one in disputed]
        return Answer(
            text=text if abstained else transcript.joined(written, said, lang),
            lang=lang,
            abstained=abstained,
            sentences=tuple(self.sentences),
            withheld=tuple(self.withheld),
            closest=closest,
            standalone_question=self.prompt.question,
            seconds=seconds,
            disagreements=disputed,
        )

    def _disagreements(self, permitted: Permitted) -> tuple[Disagreement, ...]:
        """Return where documents contradict what the answer rests on, of what may be read now."""
        allowed = permitted([p.chunk_id for p in self.prompt.passages])
        passages = [p for p in self.prompt.passages if p.chunk_id in allowed]
        found = disagreement(self.prompt.question, self.prompt.lang, passages)
        rests_on = {c.passage.document_id for s in self.sentences for c in s.citations}
        if found is None or rests_on.isdisjoint(c.passage.document_id for c in found.citations):
            return ()
        return (Disagreement(tuple(map(self._numbered, found.citations))),)

    def _add(
        self, raw: RawSentence, similarity: Similarity, permitted: Permitted
    ) -> Delta | Withheld | None:
        """Verify one sentence against the cited passages that may still be read.

        What is shown of it is inert. A sentence that was shown before is not shown again.
        """
        given = [p.chunk_id for p in self.prompt.passages]
        allowed = permitted(given)
        cited = [p for p in self.prompt.passages if p.n in raw.cited]
        passages = {p.n: p for p in cited if p.chunk_id in allowed}
        sentence = verify(raw, passages, self.prompt.question, similarity, exact=self._exact)
        if tells_instructions(raw.text, self.prompt):
            sentence = Sentence("", (), "unsupported", "It repeats the assistant's instructions.")
        sentence = replace(sentence, text=inert(sentence.text), reason=inert(sentence.reason))
        if sentence.verdict == "verified" and not fits(sentence.text, self.prompt.question):
            sentence = replace(
                sentence, verdict="unsupported", reason="It is not what the question asks for."
            )
        if sentence.verdict != "verified":
            if len(allowed) < len(given):
                # It may repeat a passage that was revoked in the meantime, cited or not.
                sentence = replace(sentence, text="")
            elif not self._words.issuperset(words(raw.text)):
                # Whatever it is, the asker's passages don't have it: another one's might.
                sentence = replace(sentence, text="", reason="None of your passages says this.")
            self.withheld.append(sentence)
            return Withheld(sentence)
        if any(sentence.text == shown.text for shown in self.sentences):
            return None
        numbered = replace(sentence, citations=tuple(map(self._numbered, sentence.citations)))
        self.sentences.append(numbered)
        return Delta(numbered)

    @cached_property
    def _exact(self) -> bool:
        """Whether only the documents' own words count: one of them gives orders."""
        return gives_orders(self.prompt.passages)

    @cached_property
    def _words(self) -> frozenset[str]:
        """The words that were given: those of the question and of the passages."""
        return frozenset(words(self.prompt.user))

    def _numbered(self, citation: Citation) -> Citation:
        key = (citation.passage.chunk_id, citation.start, citation.end)
        return replace(citation, n=self._numbers.setdefault(key, len(self._numbers) + 1))
