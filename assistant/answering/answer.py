"""The whole story of a question, from the caller's words to the receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial

from assistant.answering import prompt as prompts
from assistant.answering.draft import Draft
from assistant.answering.entry import LEFT, UNEXPECTED, Entry
from assistant.answering.record import Record
from assistant.answering.verify import Similarity
from assistant.answering.watched import Watched
from assistant.domain import Answer, AnswerEvent, Caller, Done, Lang, Passage, Question, Status
from assistant.errors import AssistantError, Stopping
from assistant.ports import Generator
from assistant.retrieval.query import condense
from assistant.retrieval.retriever import Retrieved, Retriever
from assistant.text.language import question_language


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
        self._is_stopping = False

    def stop(self) -> None:
        """Answer nothing more, and end within half a second what is being written."""
        self._is_stopping = True

    async def answer(self, question: Question) -> AsyncIterator[AnswerEvent]:
        """Yield what happens to a question, up to `Done`.

        Raises `AssistantError` when nothing can be answered now, `Stopping` from a `stop` on.
        Nothing goes to the generator before the audit log holds what it will be given; closing the
        iterator stops the generator and records that.
        """
        if self._is_stopping:
            raise Stopping()
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
        entry = Entry(self._record, question)
        await entry.begin(prompt, retrieved, self._generator.name)
        draft = Draft(prompt)
        ended = UNEXPECTED
        try:
            yield Status("answering")
            permitted = self._retriever.recheck(question.caller)
            welcome = partial(self._check_welcome, question.caller)
            writer = Watched(self._generator, welcome)
            async with aclosing(
                draft.write(writer, self._similarity, permitted)  # type: ignore[type-var]
            ) as events:
                async for event in events:
                    yield event
            yield draft.usage(self._generator)
            answer = await asyncio.to_thread(draft.answer, time.perf_counter() - started, permitted)
            finished = await entry.finish(answer)
            ended = ""
        except (GeneratorExit, asyncio.CancelledError):
            ended = LEFT
            raise
        except AssistantError as error:
            ended = error.slug
            raise
        finally:
            if ended:
                await asyncio.shield(entry.abort(ended))
        yield Done(finished)

    def _check_welcome(self, caller: Caller) -> None:
        if self._is_stopping:
            raise Stopping()
        self._retriever.check_welcome(caller)

    def _retrieve(self, question: Question, standalone: str, lang: Lang) -> Retrieved:
        return self._retriever.retrieve(
            standalone,
            question.caller,
            k=self._n_passages,
            lang=lang,
            metadata=question.metadata,
        )


async def answer_from(
    passages: tuple[Passage, ...],
    question: str,
    lang: Lang,
    generator: Generator,
    similarity: Similarity,
) -> Answer:
    """Answer from given passages, outside access control and audit: for evaluation only."""
    started = time.perf_counter()
    draft = Draft(prompts.build(question, lang, passages, ""))
    async for _ in draft.write(generator, similarity, permitted=lambda chunk_ids: chunk_ids):
        pass
    return draft.answer(time.perf_counter() - started, lambda chunk_ids: chunk_ids)
