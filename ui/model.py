"""What the API says, as far as the pages show it; what they don't know is ignored."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ui.text import Lang


class Said(BaseModel):
    """A part of a response."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(Said):
    """Who is signed in."""

    id: str
    login: str
    name: str
    lang: Lang
    company: str = ""
    title: str | None = None
    roles: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the API answers this person's questions."""
        return "employee" in self.roles

    @property
    def operates(self) -> bool:
        """Whether the API lets this person look after the sources."""
        return bool({"admin", "integrator"} & set(self.roles))

    @property
    def administers(self) -> bool:
        """Whether the API lets this person look after people and access."""
        return "admin" in self.roles

    @property
    def audits(self) -> bool:
        """Whether the API lets this person read the audit log."""
        return "auditor" in self.roles


class SignedIn(Said):
    """A session that began."""

    token: str
    expires_at: datetime
    person: Person


class Collection(Said):
    """A collection as far as the person may read it."""

    name: str
    title: str
    industry: str
    n_documents: int


class Source(Said):
    """A source and the state of its newest sync run."""

    name: str
    title: str
    synced_at: datetime | None = None
    state: str


class Readable(Said):
    """What the person may read, counted."""

    n_documents: int
    collections: tuple[Collection, ...] = ()
    newest_sync_at: datetime | None = None
    sources: tuple[Source, ...] = ()
    langs: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()


class Me(Said):
    """The person, what they may read, and questions to begin with."""

    person: Person
    readable: Readable
    suggestions: tuple[str, ...] = ()


class Filters(Said):
    """Restricts what is searched; what is empty restricts nothing."""

    collections: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def n(self) -> int:
        """How many of the five restrict something."""
        return sum(
            bool(part)
            for part in (self.collections, self.langs, self.media_types, self.since, self.until)
        )


class Place(Said):
    """Where a passage stands: a document, its version, a page."""

    document_id: str
    chunk_id: int
    document: str
    version: int = 1
    page: int | None = None
    heading: tuple[str, ...] = ()
    media_type: str = ""
    modified_at: datetime | None = None
    superseded: bool = False
    outdated: bool = False


class Citation(Place):
    """A quote that supports a sentence; `start:end` are its characters in the passage."""

    n: int
    quote: str
    start: int
    end: int


class Near(Place):
    """A passage that is close to a question without answering it."""

    text: str


class Sentence(Said):
    """A verified sentence; `row`: it stands on a line of its own."""

    text: str
    citations: tuple[int, ...] = ()
    row: bool = False


class Withheld(Said):
    """A sentence that failed verification; `text` is empty where it may not be shown."""

    text: str
    verdict: str = ""
    reason: str = ""


class Disagreement(Said):
    """Citations of different documents that give different answers."""

    citations: tuple[int, ...] = ()


class Answer(Said):
    """An answer, checked for what the person may read when it was sent."""

    id: int | None = None
    conversation_id: str | None = None
    question: str
    standalone_question: str = ""
    answer: str
    lang: Lang
    abstained: bool
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    closest: tuple[Near, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    receipt: str = ""
    seconds: float = 0.0


class Status(Said):
    """A step of an answer began."""

    step: Literal["condensed", "searching", "reading", "answering"]
    detail: dict[str, str | int] = {}


class Delta(Said):
    """A verified sentence arrived."""

    text: str
    citations: tuple[int, ...] = ()
    row: bool = False


class Done(Said):
    """The answer is complete."""

    answer: Answer


Event = Status | Citation | Delta | Withheld | Done


class Passage(Said):
    """A stored piece of a document."""

    chunk_id: int
    text: str
    heading: tuple[str, ...] = ()
    page: int | None = None


class Document(Said):
    """A document as it is now; `n_pages` is None for documents without page images."""

    id: str
    title: str
    uri: str = ""
    version: int
    media_type: str
    lang: str = ""
    collection: str
    modified_at: datetime | None = None
    n_pages: int | None = None
    superseded: bool = False
    passages: tuple[Passage, ...] = ()


class Head(Said):
    """A conversation in the list."""

    id: str
    title: str
    updated_at: datetime


class Message(Said):
    """A question or an answer of a conversation."""

    id: int
    role: Literal["user", "assistant"]
    question: str | None = None
    answer: Answer | None = None


class Conversation(Said):
    """A conversation, oldest message first."""

    id: str
    title: str
    messages: tuple[Message, ...] = ()
