"""Access for a while, as it is asked for, decided on and given."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from assistant.api.schemas.access import Named
from assistant.api.schemas.questions import Request
from assistant.store.break_glass import BreakGlass
from assistant.store.people import Person

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class NewBreakGlass(Request):
    """What somebody needs for a while, and why: a document by id or name, or a collection.

    `named` is its title, address or path; which document that is, whoever approves will say.
    """

    document_id: Name = ""
    named: Words = ""
    collection: Name = ""
    reason: Words
    hours: Annotated[int, Field(ge=1, le=168)] = 1


class Approval(Request):
    """Which document is meant, where several are called so."""

    document_id: Name = ""


class Refusal(Request):
    """What to say to whoever asked; may be empty."""

    answer: Words = ""


class BreakGlassBody(BaseModel):
    """A request, who asked and who decided, and what became of it.

    `document_id` is empty until somebody approves a request that names a document otherwise.
    """

    id: str
    person_id: str
    login: str
    name: str
    document_id: str
    named: str
    collection: str
    reason: str
    hours: int
    state: Literal["asked", "active", "ended", "lapsed", "refused"]
    asked_at: datetime
    lapses_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    refused_by: str | None
    decided_by: str
    answer: str

    @classmethod
    def of(cls, one: BreakGlass, people: Mapping[str, Person]) -> BreakGlassBody:
        """Describe a request; `people` by id has everybody it names."""
        person = people.get(one.person_id)
        decider = people.get(one.approved_by or one.refused_by or "")
        return cls(
            **{k: v for k, v in dataclasses.asdict(one).items() if k in cls.model_fields},
            login=person.login if person is not None else "",
            name=(person.name or person.login) if person is not None else "",
            decided_by=(decider.name or decider.login) if decider is not None else "",
            lapses_at=one.lapses_at,
        )


class BreakGlassList(BaseModel):
    """Requests, the newest first, and for how many hours one may ask at most."""

    requests: list[BreakGlassBody]
    max_hours: int


class CandidateBody(BaseModel):
    """A document that a request may mean, and by which rule its person reads it now or not."""

    document_id: str
    source: str
    collection: str
    readable: bool
    rule: str


class CandidateList(Named):
    """The documents that a request may mean, with what is known of groups in the rules."""

    documents: list[CandidateBody]
