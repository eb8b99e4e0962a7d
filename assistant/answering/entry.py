"""A question in the audit log: begun once, and ended once, whenever the asker leaves."""

from __future__ import annotations

import asyncio

from assistant.answering.record import Record
from assistant.domain import Answer, Question
from assistant.errors import AssistantError
from assistant.ports import Prompt
from assistant.retrieval.retriever import Retrieved

LEFT = "client left"
UNEXPECTED = "internal-error"


class Entry:
    """Writes what becomes of a question; what is being written is never interrupted.

    An asker may leave at the very moment in which a thread commits that their question began or
    was answered. That commit is waited for, so that the one isn't left open and the other isn't
    ended twice.
    """

    def __init__(self, record: Record, question: Question) -> None:
        self._record = record
        self._question = question
        self._begun: asyncio.Task[str]
        self._finished: asyncio.Task[Answer] | None = None

    async def begin(self, prompt: Prompt, retrieved: Retrieved, generator: str) -> None:
        """Commit what the generator will be given; raises `AuditUnavailable`."""
        self._begun = asyncio.create_task(
            asyncio.to_thread(self._record.prompted, self._question, prompt, retrieved, generator)
        )
        try:
            await asyncio.shield(self._begun)
        except asyncio.CancelledError:
            await asyncio.shield(self.abort(LEFT))
            raise

    async def finish(self, answer: Answer) -> Answer:
        """Commit the answer; return it with the id of its receipt."""
        query_id = await self._begun
        self._finished = asyncio.create_task(
            asyncio.to_thread(self._record.finished, query_id, self._question, answer)
        )
        return await asyncio.shield(self._finished)

    async def abort(self, reason: str) -> None:
        """Record that there will be no answer, unless the answer was committed or nothing begun."""
        if self._finished is not None:
            await asyncio.wait({self._finished})
            if self._finished.exception() is None:
                return
        try:
            query_id = await self._begun
        except AssistantError:
            return
        await asyncio.to_thread(self._record.aborted, query_id, self._question, reason)
