"""Conversations, each its owner's alone: a foreign id and a missing one look the same.

Titles, messages and remarks are sealed with their owner's key of the month.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.errors import NotFound
from assistant.store import subject_keys
from assistant.store.tables import conversations, feedback, messages

Author = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread of questions and answers."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A question or an answer; `body` is structured, its citations are re-checked when shown."""

    id: int
    role: Author
    body: dict[str, JsonValue]
    receipt: str
    created_at: datetime


def start_conversation(conn: Connection, person_id: str, title: str) -> str:
    """Begin a conversation and return its id."""
    conversation_id = str(uuid4())
    sealed = subject_keys.seal_text(conn, person_id, title)
    conn.execute(
        sa.insert(conversations).values(id=conversation_id, person_id=person_id, title=sealed)
    )
    return conversation_id


def list_conversations(conn: Connection, person_id: str, limit: int = 50) -> list[Conversation]:
    """Return a person's conversations, the latest used first."""
    rows = conn.execute(
        sa.select(conversations)
        .where(conversations.c.person_id == person_id, conversations.c.deleted_at.is_(None))
        .order_by(conversations.c.updated_at.desc(), conversations.c.id)
        .limit(limit)
    ).all()
    titles = subject_keys.unseal(conn, [_parsed(row.title) for row in rows])
    return [_conversation(row, str(title)) for row, title in zip(rows, _items(titles), strict=True)]


def conversation(conn: Connection, person_id: str, conversation_id: str) -> Conversation:
    """Return a conversation of this person; raises `NotFound`."""
    row = conn.execute(
        sa.select(conversations).where(*_own(person_id, conversation_id))
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _conversation(row, str(subject_keys.unseal(conn, _parsed(row.title))))


def rename_conversation(conn: Connection, person_id: str, conversation_id: str, title: str) -> None:
    """Give a conversation another title; raises `NotFound`."""
    sealed = subject_keys.seal_text(conn, person_id, title)
    _update(conn, person_id, conversation_id, title=sealed)


def delete_conversation(conn: Connection, person_id: str, conversation_id: str) -> None:
    """Delete a conversation with its messages and feedback; raises `NotFound`."""
    _update(conn, person_id, conversation_id, deleted_at=sa.func.now(), title="")
    own = messages.c.conversation_id == _canonical(conversation_id)
    conn.execute(sa.delete(messages).where(own))


def add_message(
    conn: Connection,
    person_id: str,
    conversation_id: str,
    role: Author,
    body: dict[str, JsonValue],
    receipt: str = "",
) -> int:
    """Append to a conversation of this person; returns the message's id; raises `NotFound`."""
    _update(conn, person_id, conversation_id, updated_at=sa.func.clock_timestamp())
    sealed = subject_keys.seal_now(conn, person_id, cast("JsonValue", body))
    message_id: int = conn.execute(
        sa.insert(messages)
        .values(
            conversation_id=_canonical(conversation_id), role=role, body=sealed, receipt=receipt
        )
        .returning(messages.c.id)
    ).scalar_one()
    return message_id


def list_messages(
    conn: Connection, person_id: str, conversation_id: str, newest: int | None = None
) -> list[Message]:
    """Return a conversation's messages, oldest first, or its `newest` ones; raises `NotFound`."""
    conversation(conn, person_id, conversation_id)
    rows = conn.execute(
        sa.select(messages)
        .where(messages.c.conversation_id == _canonical(conversation_id))
        .order_by(messages.c.id.desc())
        .limit(newest)
    ).all()
    bodies = _items(subject_keys.unseal(conn, [row.body for row in rows]))
    return [
        Message(
            id=row.id,
            role=row.role,
            body=body,
            receipt=row.receipt,
            created_at=row.created_at,
        )
        for row, body in reversed(list(zip(rows, bodies, strict=True)))
        if isinstance(body, dict)  # else its key is gone, and nobody can read it
    ]


def give_feedback(
    conn: Connection, person_id: str, message_id: int, reason: str, comment: str = ""
) -> None:
    """Keep a person's newest judgement of an answer given to them; raises `NotFound`."""
    found = conn.scalar(
        sa.select(messages.c.id)
        .join(conversations, messages.c.conversation_id == conversations.c.id)
        .where(
            messages.c.id == message_id,
            messages.c.role == "assistant",
            conversations.c.person_id == person_id,
            conversations.c.deleted_at.is_(None),
        )
    )
    if found is None:
        raise NotFound()
    sealed = subject_keys.seal_text(conn, person_id, comment)
    values = {"reason": reason, "comment": sealed}
    conn.execute(
        insert(feedback)
        .values(message_id=message_id, person_id=person_id, **values)
        .on_conflict_do_update(
            index_elements=["message_id", "person_id"], set_={**values, "created_at": sa.func.now()}
        )
    )


def _own(person_id: str, conversation_id: str) -> list[sa.ColumnElement[bool]]:
    return [
        conversations.c.id == _canonical(conversation_id),
        conversations.c.person_id == person_id,
        conversations.c.deleted_at.is_(None),
    ]


def _canonical(conversation_id: str) -> str:
    """Return the id as stored; what is no UUID (or holds a NUL) can't reach the database."""
    try:
        return str(UUID(conversation_id))
    except ValueError as error:
        raise NotFound() from error


def _update(conn: Connection, person_id: str, conversation_id: str, **values: object) -> None:
    changed = conn.execute(
        sa.update(conversations).where(*_own(person_id, conversation_id)).values(values)
    )
    if changed.rowcount == 0:
        raise NotFound()


def _conversation(row: sa.Row[*tuple[Any, ...]], title: str) -> Conversation:
    return Conversation(
        id=row.id, title=title, created_at=row.created_at, updated_at=row.updated_at
    )


def _parsed(title: str) -> JsonValue:
    parsed: JsonValue = json.loads(title) if title else ""
    return parsed


def _items(value: JsonValue) -> list[JsonValue]:
    return cast("list[JsonValue]", value)
