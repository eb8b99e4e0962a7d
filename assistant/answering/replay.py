"""Replay: a question's retrieval once more from its record, and who may read the passages now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from assistant.access import acl
from assistant.access.principals import principals_of
from assistant.answering.record import metadata_of
from assistant.audit.event import QueryPrompted
from assistant.audit.log import AuditLog
from assistant.domain import ChunkId, Principal
from assistant.errors import AssistantError, Conflict, NotFound
from assistant.retrieval.retriever import PastRetrieved, Retriever
from assistant.store import history
from assistant.store.database import Database
from assistant.store.ledger import Wanted
from assistant.store.passages import passages
from assistant.store.people import person_by_id
from indexes.model import MetadataFilter


class ReplayDiffers(AssistantError):
    """The search brings other passages than the record names; see what was lost or changed."""

    slug = "replay-differs"


@dataclass(frozen=True, slots=True)
class ReplayedChunk:
    """A passage of the prompt: the rule that allowed it then, its place now, and what holds now.

    `place` counts from 1 in the replayed order, None where it was not found again. `text` is
    `same`, or `gone` where the document was deleted or replaced since. `now` says what the same
    person may do today.
    """

    chunk_id: int
    document_id: str
    rule_then: str
    place: int | None
    text: str
    allowed_now: bool
    rule_now: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found.

    `same`: the same passages came, `identical`: in the same order as well. `new` are chunks that
    come instead; `n_lost` documents of then could not be searched again. Without those, the order
    may still differ between near equals: an index that lives counts words a little differently
    while chunks are new, or deleted and not yet dropped. `changed` names what else differs now.
    """

    query_id: str
    question: str
    person_id: str
    asked_at: str
    generation: int
    policy_epoch: int
    same: bool
    identical: bool
    chunks: tuple[ReplayedChunk, ...]
    new: tuple[int, ...]
    n_lost: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The event `query.prompted`, as a replay needs it."""

    event: Mapping[str, Any]
    principals: frozenset[Principal]
    metadata: MetadataFilter

    @property
    def data(self) -> Mapping[str, Any]:
        return self.event["data"]  # type: ignore[no-any-return]


def replay(
    query_id: str, *, audit: AuditLog, database: Database, retriever: Retriever, embedder: str
) -> Replay:
    """Search as the question's asker did, as of its generation and ACLs, and compare.

    Nothing is generated. Raises `NotFound` for an unknown question, and `Conflict` for one that
    was recorded before replays were kept for.
    """
    asked = _asked(query_id, audit, database)
    data = asked.data
    again = retriever.retrieve_as_of(
        data["standalone_question"],
        asked.principals,
        int(data["index_generation"]),
        k=len(data["chunks"]),
        lang=data["lang"],
        metadata=asked.metadata,
        policy_epoch=data["policy_epoch"],
    )
    then = [int(chunk["chunk_id"]) for chunk in data["chunks"]]
    found = [passage.chunk_id for passage in again.passages]
    with database.reading() as conn:
        chunks = _chunks(conn, asked, again)
    other_model = data["embedder"] != embedder
    return Replay(
        query_id=query_id,
        question=data["standalone_question"],
        person_id=asked.event["actor"]["person_id"],
        asked_at=asked.event["at"],
        generation=int(data["index_generation"]),
        policy_epoch=data["policy_epoch"],
        same=set(then) == set(found),
        identical=then == found,
        chunks=chunks,
        new=tuple(chunk_id for chunk_id in found if chunk_id not in then),
        n_lost=len(again.lost),
        changed=(f"embedder: {data['embedder']} → {embedder}",) if other_model else (),
    )


def _asked(query_id: str, audit: AuditLog, database: Database) -> _Asked:
    found = audit.find(Wanted(type=QueryPrompted.type, query_id=query_id), 1)
    if not query_id or not found:
        raise NotFound(f"The audit log has no question {query_id!r}.")
    event = json.loads(found[0])
    with database.reading() as conn:
        principals = history.principals_named(conn, event["actor"]["principals_sha256"])
    if principals is None or "embedder" not in event["data"]:
        raise Conflict("This question was recorded by a version that kept nothing for replays.")
    return _Asked(event, principals, metadata_of(event["data"]["filters"]))


def _chunks(conn: Connection, asked: _Asked, again: PastRetrieved) -> tuple[ReplayedChunk, ...]:
    prompted: Sequence[Mapping[str, Any]] = asked.data["chunks"]
    places = {passage.chunk_id: n for n, passage in enumerate(again.passages, 1)}
    rows = passages(conn, [ChunkId(chunk["chunk_id"]) for chunk in prompted])
    person = person_by_id(conn, asked.event["actor"]["person_id"])
    holds = principals_of(conn, person) if person is not None else frozenset()
    decided = acl.decisions_on(conn, [row.document for row in rows.values()], holds)
    chunks = []
    for chunk in prompted:
        row = rows.get(ChunkId(chunk["chunk_id"]))
        now = decided[row.document.id] if row else acl.Decision(False, "gone")
        chunks.append(
            ReplayedChunk(
                chunk_id=chunk["chunk_id"],
                document_id=chunk["document_id"],
                rule_then=chunk["rule"],
                place=places.get(chunk["chunk_id"]),
                text="same" if row and row.sha256 == chunk["sha256"] else "gone",
                allowed_now=now.allowed,
                rule_now=now.rule,
            )
        )
    return tuple(chunks)
