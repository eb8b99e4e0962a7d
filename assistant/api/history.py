"""A conversation as its owner may see it now: every citation is checked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from assistant.access.acl import readable_document
from assistant.answering.transcript import still_permitted
from assistant.domain import Caller, DocumentId, Turn
from assistant.store.conversations import Message, list_messages
from assistant.store.passages import versions_since_there

Json = dict[str, Any]

N_TURNS = 6


def messages(
    conn: Connection,
    caller: Caller,
    conversation_id: str,
    max_age_s: float,
    newest: int | None = None,
) -> list[Message]:
    """Return a conversation's messages without what the caller may no longer read.

    Raises `NotFound` for a foreign conversation and a missing one alike.
    """
    found = list_messages(conn, caller.person_id, conversation_id, newest)
    versions = _versions(conn, caller, _documents(found), max_age_s)
    return [Message(m.id, m.role, _shown(m, versions), m.receipt, m.created_at) for m in found]


def turns(
    conn: Connection, caller: Caller, conversation_id: str, max_age_s: float
) -> tuple[Turn, ...]:
    """Return the last turns of a conversation, oldest first; raises `NotFound`."""
    found = messages(conn, caller, conversation_id, max_age_s, newest=2 * N_TURNS)
    asked = ""
    pairs: list[Turn] = []
    for message in found:
        if message.role == "user":
            asked = str(message.body.get("question", ""))
        elif asked:
            pairs.append(Turn(asked, str(message.body.get("answer", ""))))
            asked = ""
    return tuple(pairs[-N_TURNS:])


def _shown(message: Message, versions: Mapping[DocumentId, frozenset[int]]) -> Json:
    return still_permitted(message.body, versions) if message.role == "assistant" else message.body


def _documents(found: Sequence[Message]) -> set[str]:
    bodies: list[Json] = [message.body for message in found if message.role == "assistant"]
    return {
        place["document_id"] for body in bodies for place in (*body["citations"], *body["closest"])
    }


def _versions(
    conn: Connection, caller: Caller, document_ids: Iterable[str], max_age_s: float
) -> dict[DocumentId, frozenset[int]]:
    """Return the documents that the caller may read now, with the versions they had and have."""
    rows = (
        readable_document(conn, caller, DocumentId(document_id), max_age_s)
        for document_id in sorted(document_ids)
    )
    return versions_since_there(conn, [row.id for row in rows if row is not None])
