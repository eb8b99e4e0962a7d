"""Signing in, and what the person who did may read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from assistant.api.schemas.questions import Request
from assistant.domain import Lang
from assistant.store.people import Person


class SignIn(Request):
    """The credentials of a local person."""

    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class PersonBody(BaseModel):
    """Who is signed in."""

    id: str
    login: str
    name: str
    roles: list[str]
    lang: Lang
    company: str

    @classmethod
    def of(cls, person: Person) -> PersonBody:
        """Describe a person."""
        return cls(
            id=person.id,
            login=person.login,
            name=person.name or person.login,
            roles=sorted(person.roles),
            lang="pt" if person.lang.startswith("pt") else "en",
            company=person.company,
        )


class SessionBody(BaseModel):
    """A session; send `token` as a bearer token until `expires_at`."""

    token: str
    expires_at: datetime
    person: PersonBody


class CollectionBody(BaseModel):
    """A collection as far as the person may read it."""

    name: str
    title: str
    industry: str
    n_documents: int


class SourceBody(BaseModel):
    """A source that the person may read something of; `state` is its newest run's, or `new`."""

    name: str
    title: str
    synced_at: datetime | None
    state: str


class ReadableBody(BaseModel):
    """What the person may read, counted."""

    n_documents: int
    collections: list[CollectionBody]
    newest_sync_at: datetime | None
    sources: list[SourceBody]
    langs: list[str]
    media_types: list[str]


class Me(BaseModel):
    """The person, what they may read, and questions to begin with."""

    person: PersonBody
    readable: ReadableBody
    suggestions: list[str]
