"""Access for a while, as it is asked for and given."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from assistant.api.schemas.questions import Request
from assistant.store.break_glass import BreakGlass

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class NewBreakGlass(Request):
    """What somebody needs for a while, and why: either a document or a collection."""

    document_id: Name = ""
    collection: Name = ""
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
    hours: Annotated[int, Field(ge=1, le=168)] = 1


class BreakGlassBody(BaseModel):
    """A request, and what became of it."""

    id: str
    person_id: str
    document_id: str
    collection: str
    reason: str
    hours: int
    state: Literal["asked", "active", "ended", "lapsed"]
    asked_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, one: BreakGlass) -> BreakGlassBody:
        """Describe a request."""
        return cls.model_validate(one, from_attributes=True)


class BreakGlassList(BaseModel):
    """Requests, the newest first."""

    requests: list[BreakGlassBody]
