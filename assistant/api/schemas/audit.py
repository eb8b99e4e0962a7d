"""What auditors are shown of the log."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from assistant.store.ledger import Wanted


class EventFilter(BaseModel):
    """What events to find: those that have all that is given."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("", max_length=64, description="`query.finished`, or just `query`")
    person: str = Field("", max_length=200, description="who did it")
    query: str = Field("", max_length=64, description="a question's id")
    about: str = Field("", max_length=500, description="a document, source or conversation")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    before: int | None = Field(None, ge=0, lt=2**62, description="only events before this one")
    limit: int = Field(50, ge=1, le=500)

    def as_wanted(self) -> Wanted:
        """Return the filter as the log takes it."""
        return Wanted(
            type=self.type,
            person_id=self.person,
            query_id=self.query,
            subject=self.about,
            since=self.since,
            until=self.until,
            before_seq=self.before,
        )


class EventList(BaseModel):
    """Events as they were hashed, the newest first; `next_before` continues the list."""

    events: list[dict[str, Any]]
    next_before: int | None


class Head(BaseModel):
    """A signed root over the first `size` events; `signature` is base64."""

    size: int
    root: str
    sealed_at: str
    key_id: str
    signature: str


class Heads(BaseModel):
    """All signed heads, the smallest first, and the public key in PEM that signed them."""

    public_key: str
    heads: list[Head]


class ReplayedChunkBody(BaseModel):
    """A passage of the prompt: what allowed it then, where it comes now, what holds now."""

    chunk_id: int
    document_id: str
    rule_then: str
    place: int | None
    text: str
    allowed_now: bool
    rule_now: str


class ReplayBody(BaseModel):
    """A question's retrieval, repeated; `n_lost` documents of then could not be searched again."""

    query_id: str
    question: str
    person_id: str
    asked_at: str
    generation: int
    policy_epoch: int
    same: bool
    identical: bool
    chunks: list[ReplayedChunkBody]
    new: list[int]
    n_lost: int
    changed: list[str]
