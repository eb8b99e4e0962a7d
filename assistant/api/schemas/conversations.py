"""Conversations with their questions and answers, and what people think of these."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from assistant.api.schemas.questions import AnswerBody, Request

Reason = Literal["wrong", "wrong_source", "out_of_date", "incomplete", "should_not_see", "good"]


class ConversationHead(BaseModel):
    """A conversation in a list."""

    id: str
    title: str
    updated_at: datetime


class ConversationList(BaseModel):
    """The person's conversations, the latest used first."""

    conversations: list[ConversationHead]


class MessageBody(BaseModel):
    """A question (`role` user) or an answer (`role` assistant), re-checked at this moment."""

    id: int
    role: Literal["user", "assistant"]
    question: str | None = None
    answer: AnswerBody | None = None
    created_at: datetime


class ConversationBody(BaseModel):
    """A conversation with all its messages, oldest first."""

    id: str
    title: str
    messages: list[MessageBody]


class Feedback(Request):
    """A judgement of an answer; a newer one replaces it."""

    reason: Reason
    comment: str = Field("", max_length=2000)
