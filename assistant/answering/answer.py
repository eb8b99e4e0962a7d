"""The whole story of a question, from the caller's words to the receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from assistant.answering import prompt as prompts
from assistant.answering import transcript
from assistant.answering.citations import RawSentence, SentenceStream
from assistant.answering.record import Record
from assistant.answering.verify import Similarity, verify
from assistant.domain import (
    Answer,
    AnswerEvent,
    Citation,
    Delta,
    Done,
    Lang,
    Question,
    Sentence,
    Status,
    Usage,
    Withheld,
)
from assistant.errors import AssistantError
from assistant.language import question_language
from assistant.ports import Generator, Prompt, Token
from assistant.retrieval.query import condense
from assistant.retrieval.retriever import Retrieved, Retriever

N_CLOSEST = 3


@dataclass(slots=True)
class Draft:
    """An answer in the making: sentences with citations numbered in the order of their use."""

    sentences: list[Sentence] = field(default_factory=list)
    withheld: list[Sentence] = field(default_factory=list)
    first_token_s: float | None = None
    last_token: Token = field(default_factory=lambda: Token(""))
    _numbers: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def add(self, sentence: Sentence) -> Sentence:
        """Keep a verified sentence, its citations numbered from 1 across the answer."""
        numbered = replace(sentence, citations=tuple(map(self._numbered, sentence.citations)))
        self.sentences.append(numbered)
        return numbered

    def _numbered(self, citation: Citation) -> Citation:
        key = (citation.passage.chunk_id, citation.start, citation.end)
        return replace(citation, n=self._numbers.setdefault(key, len(self._numbers) + 1))


class Answerer:
    """Answers questions; each sentence is verified before anybody sees it."""

    def __init__(
        self,
        retriever: Retriever,
        generator: Generator,
        record: Record,
        similarity: Similarity,
        n_passages: int,
    ) -> None:
        self._retriever = retriever
        self._generator = generator
        self._record = record
        self._similarity = similarity
        self._n_passages = n_passages

    async def answer(self, question: Question) -> AsyncIterator[AnswerEvent]:
        """Yield what happens to a question, up to `Done`.

        Raises `AssistantError` when nothing can be answered now. Nothing goes to the generator
        before the audit log holds what it will be given; closing the iterator stops the
        generator and records that.
        """
        started = time.perf_counter()
        lang = question.lang or question_language(question.text)
        standalone = condense(question.text, question.history, lang)
        if standalone != question.text:
            yield Status("condensed", {"question": standalone})
        yield Status("searching")
        retrieved = await asyncio.to_thread(self._retrieve, question, standalone, lang)
        yield Status("reading", {"found": retrieved.n_found, "used": len(retrieved.passages)})
        prompt = prompts.build(
            standalone, lang, retrieved.passages, retrieved.access.principals_sha256
        )
        query_id = await asyncio.to_thread(
            self._record.prompted, question, prompt, retrieved, self._generator.name
        )
        yield Status("answering")
        draft = Draft()
        try:
            async with aclosing(self._write(question, prompt, draft, started)) as events:
                async for event in events:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            await asyncio.shield(asyncio.to_thread(self._record.aborted, query_id, question, "client left"))
            raise
        except AssistantError as error:
            await asyncio.to_thread(self._record.aborted, query_id, question, error.slug)
            raise
        yield Usage(
            self._generator.name,
            draft.last_token.n_prompt_tokens,
            draft.last_token.n_completion_tokens,
            draft.first_token_s,
        )
        seconds = time.perf_counter() - started
        answer = _composed(draft, lang, standalone, retrieved, seconds)
        yield Done(await asyncio.to_thread(self._record.finished, query_id, question, answer))

    def _retrieve(self, question: Question, standalone: str, lang: Lang) -> Retrieved:
        return self._retriever.retrieve(
            standalone,
            question.caller,
            k=self._n_passages,
            lang=lang,
            metadata=question.metadata,
        )

    async def _write(
        self, question: Question, prompt: Prompt, draft: Draft, started: float
    ) -> AsyncIterator[AnswerEvent]:
        """Stream the generator's sentences, each verified before it is passed on."""
        if not prompt.passages:
            return
        stream = SentenceStream()
        async with aclosing(self._generator.generate(prompt)) as tokens:  # type: ignore[type-var]
            async for token in tokens:
                if token.text and draft.first_token_s is None:
                    draft.first_token_s = time.perf_counter() - started
                draft.last_token = token
                for raw in stream.feed(token.text):
                    yield await asyncio.to_thread(self._checked, question, prompt, draft, raw)
        for raw in stream.close():
            yield await asyncio.to_thread(self._checked, question, prompt, draft, raw)

    def _checked(
        self, question: Question, prompt: Prompt, draft: Draft, raw: RawSentence
    ) -> AnswerEvent:
        """Verify one sentence against the passages that the caller may still read."""
        cited = [p for p in prompt.passages if p.n in raw.cited]
        permitted = self._retriever.still_permitted(question.caller, [p.chunk_id for p in cited])
        passages = {p.n: p for p in cited if p.chunk_id in permitted}
        sentence = verify(raw, passages, prompt.question, self._similarity)
        if sentence.verdict == "verified":
            return Delta(draft.add(sentence))
        draft.withheld.append(sentence)
        return Withheld(sentence)


def _composed(
    draft: Draft, lang: Lang, standalone: str, retrieved: Retrieved, seconds: float
) -> Answer:
    """Put the answer together; with no sentence left, abstain."""
    abstained = not draft.sentences
    written = [
        {"text": s.text, "citations": [c.n for c in s.citations], "row": transcript.is_row(s)}
        for s in draft.sentences
    ]
    return Answer(
        text=prompts.abstention(lang) if abstained else transcript.joined(written),
        lang=lang,
        abstained=abstained,
        sentences=tuple(draft.sentences),
        withheld=tuple(draft.withheld),
        closest=retrieved.passages[:N_CLOSEST] if abstained else (),
        standalone_question=standalone,
        seconds=seconds,
    )
