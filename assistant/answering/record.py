"""What the audit log and the conversation keep of a question: before, after, or cut short."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import uuid4

from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.answering.transcript import answer_json
from assistant.audit.event import (
    CitedQuote,
    Event,
    PromptedChunk,
    QueryAborted,
    QueryAccepted,
    QueryFinished,
    QueryPrompted,
    actor_of,
)
from assistant.audit.log import AuditLog
from assistant.audit.uses import mark_uses
from assistant.domain import Answer, Question
from assistant.errors import AuditUnavailable, DependencyError
from assistant.ports import Prompt
from assistant.retrieval.retriever import Retrieved
from assistant.store import conversations, history
from assistant.store.database import Database
from indexes.model import MetadataFilter


class Record:
    """Writes the three moments of a question; raises `AuditUnavailable` when it can't."""

    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._audit = audit

    def prompted(
        self, question: Question, prompt: Prompt, retrieved: Retrieved, generator: str
    ) -> str:
        """Commit who asked what and every passage that enters the prompt; return the query's id."""
        query_id = uuid4().hex
        actor = actor_of(question.caller)
        chunks = tuple(
            PromptedChunk(p.chunk_id, p.document_id, p.version, p.sha256, True, p.rule)
            for p in prompt.passages
        )
        accepted = QueryAccepted(query_id, question.text, question.conversation_id)
        prompted = QueryPrompted(
            query_id=query_id,
            standalone_question=prompt.question,
            chunks=chunks,
            policy_epoch=retrieved.access.epoch,
            index_generation=str(retrieved.generation),
            prompt_sha256=prompt.sha256,
            generator=generator,
            n_found=retrieved.n_found,
            lang=prompt.lang,
            embedder=retrieved.embedder,
            filters=_filters(question.metadata),
        )
        try:
            with self._database.begin() as conn:
                history.keep_principals(conn, actor.principals_sha256, question.caller.principals)
                self._audit.append(conn, Event(actor, accepted))
                self._audit.append(conn, Event(actor, prompted))
                read = [passage.document_id for passage in prompt.passages]
                mark_uses(self._audit, conn, question.caller, read, query_id)
        except DependencyError as error:
            raise AuditUnavailable() from error
        return query_id

    def aborted(self, query_id: str, question: Question, reason: str) -> None:
        """Note that an answer was stopped before its end."""
        self._audit.record(Event(actor_of(question.caller), QueryAborted(query_id, reason)))

    def finished(self, query_id: str, question: Question, answer: Answer) -> Answer:
        """Commit the exchange with its audit event; return the answer with its receipt's id."""
        event = Event(actor_of(question.caller), _finished(query_id, answer))
        try:
            with self._database.begin() as conn:
                finished = replace(answer, receipt=str(self._audit.append(conn, event)))
                return _kept(conn, question, finished)
        except DependencyError as error:
            raise AuditUnavailable() from error


def _filters(metadata: MetadataFilter) -> dict[str, tuple[str, ...]]:
    """Return what a filter restricts; dates as texts."""
    found = {
        name: tuple(sorted(getattr(metadata, name)))
        for name in ("collections", "industries", "langs", "media_types")
    }
    for name in ("since", "until"):
        day = getattr(metadata, name)
        found[name] = (day.isoformat(),) if day else ()
    return {name: values for name, values in found.items() if values}


def metadata_of(filters: Mapping[str, Sequence[str]]) -> MetadataFilter:
    """Return the filter that an event of a question tells of."""
    days = {
        name: date.fromisoformat(filters[name][0]) for name in ("since", "until") if name in filters
    }
    sets = {name: frozenset(values) for name, values in filters.items() if name not in days}
    return MetadataFilter(**sets, **days)  # type: ignore[arg-type]


def _finished(query_id: str, answer: Answer) -> QueryFinished:
    return QueryFinished(
        query_id=query_id,
        answer_sha256=hashlib.sha256(answer.text.encode()).hexdigest(),
        abstained=answer.abstained,
        citations=tuple(
            CitedQuote(c.passage.chunk_id, c.start, c.end, c.verdict) for c in answer.citations
        ),
        n_withheld=len(answer.withheld),
        seconds=Decimal(f"{answer.seconds:.3f}"),
        disagreements=tuple(
            tuple(answer.citations.index(c) for c in one.citations) for one in answer.disagreements
        ),
    )


def _kept(conn: Connection, question: Question, answer: Answer) -> Answer:
    """Append the exchange to its conversation, if it has one."""
    if question.conversation_id is None:
        return answer
    person_id, conversation_id = question.caller.person_id, question.conversation_id
    asked: dict[str, JsonValue] = {"question": question.text}
    conversations.add_message(conn, person_id, conversation_id, "user", asked)
    body = answer_json(answer, question.text)
    message_id = conversations.add_message(
        conn, person_id, conversation_id, "assistant", body, answer.receipt
    )
    return replace(answer, message_id=message_id)
