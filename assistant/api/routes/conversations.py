"""The caller's own conversations."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from assistant.api import history
from assistant.api.deps import AssistantOf, Owner
from assistant.api.export import conversation_csv
from assistant.api.schemas.conversations import (
    ConversationBody,
    ConversationHead,
    ConversationList,
    Feedback,
)
from assistant.errors import NotFound
from assistant.store import conversations
from assistant.store.conversations import Message

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


@router.get("")
def list_own(assistant: AssistantOf, caller: Owner) -> ConversationList:
    """List the caller's conversations, the latest used first."""
    with assistant.database.begin() as conn:
        found = conversations.list_conversations(conn, caller.person_id)
    return ConversationList(
        conversations=[
            ConversationHead(id=one.id, title=one.title, updated_at=one.updated_at) for one in found
        ]
    )


@router.get("/{conversation_id}", response_model=ConversationBody)
def show(assistant: AssistantOf, caller: Owner, conversation_id: str) -> dict[str, Any]:
    """Show a conversation without what the caller may no longer read."""
    max_age_s = assistant.settings.sync.acl_max_age_s
    with assistant.database.begin() as conn:
        found = conversations.conversation(conn, caller.person_id, conversation_id)
        messages = history.messages(conn, caller, conversation_id, max_age_s)
    return {
        "id": found.id,
        "title": found.title,
        "messages": [_message(message, found.id) for message in messages],
    }


@router.get(
    "/{conversation_id}/export",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export(assistant: AssistantOf, caller: Owner, conversation_id: str) -> Response:
    """Export a conversation as CSV, without what the caller may no longer read."""
    max_age_s = assistant.settings.sync.acl_max_age_s
    with assistant.database.begin() as conn:
        conversations.conversation(conn, caller.person_id, conversation_id)
        messages = history.messages(conn, caller, conversation_id, max_age_s)
    headers = {"Content-Disposition": 'attachment; filename="conversation.csv"'}
    return Response(conversation_csv(messages), media_type="text/csv", headers=headers)


@router.delete("/{conversation_id}", status_code=204)
def delete(assistant: AssistantOf, caller: Owner, conversation_id: str) -> None:
    """Delete a conversation with its messages."""
    with assistant.database.begin() as conn:
        conversations.delete_conversation(conn, caller.person_id, conversation_id)


@router.post("/{conversation_id}/messages/{message_id}/feedback", status_code=204)
def judge(
    assistant: AssistantOf,
    caller: Owner,
    conversation_id: str,
    message_id: int,
    feedback: Feedback,
) -> None:
    """Keep what the caller thinks of an answer."""
    with assistant.database.begin() as conn:
        found = conversations.list_messages(conn, caller.person_id, conversation_id)
        if message_id not in {message.id for message in found}:
            raise NotFound()
        conversations.give_feedback(
            conn, caller.person_id, message_id, feedback.reason, feedback.comment
        )


def _message(message: Message, conversation_id: str) -> dict[str, Any]:
    head = {"id": message.id, "role": message.role, "created_at": message.created_at}
    if message.role == "user":
        return {**head, "question": message.body.get("question", "")}
    ids = {"id": message.id, "conversation_id": conversation_id}
    return {**head, "answer": {**message.body, **ids}}
