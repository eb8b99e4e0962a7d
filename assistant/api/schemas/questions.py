"""A question with its filters, and what comes back: citations, the answer, hits of a search."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from assistant.domain import Lang, Verdict
from assistant.text.inert import visible
from indexes.model import MetadataFilter

MAX_QUESTION = 4000


def _shown(text: object) -> object:
    """Take out what can't be seen; text that can't be stored stays as it is, and is refused."""
    return visible(text) if isinstance(text, str) and "\x00" not in text else text


QuestionText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION),
    BeforeValidator(_shown),
]
Value = Annotated[str, StringConstraints(max_length=200)]
Values = Annotated[list[Value], Field(max_length=50)]


class Request(BaseModel):
    """A request body that refuses unknown names."""

    model_config = ConfigDict(extra="forbid")


class Filters(Request):
    """Restricts a search; an empty list restricts nothing, dates are inclusive."""

    collections: Values = []
    industries: Values = []
    langs: Values = []
    media_types: Values = []
    since: date | None = None
    until: date | None = None

    def as_metadata(self) -> MetadataFilter:
        """Return the filter as the index takes it."""
        return MetadataFilter(
            collections=frozenset(self.collections),
            industries=frozenset(self.industries),
            langs=frozenset(self.langs),
            media_types=frozenset(self.media_types),
            since=self.since,
            until=self.until,
        )


class Ask(Request):
    """A question, perhaps within a conversation; without one, a new conversation begins."""

    question: QuestionText
    conversation_id: str | None = Field(None, max_length=64)
    lang: Lang | None = Field(None, description="forces the answer's language")
    filters: Filters = Filters()


class Search(Request):
    """Words or a question to search for."""

    query: QuestionText
    k: int = Field(10, ge=1, le=100)
    lang: Lang | None = None
    filters: Filters = Filters()


class CitationBody(BaseModel):
    """A quote that supports a sentence, and where it stands.

    `boxes` are `[page, x0, y0, x1, y1]` in points from the page's top left corner; `start` and
    `end` count characters of the chunk's text; `outdated`: the document has a newer version.
    """

    n: int
    document_id: str
    chunk_id: int
    document: str = Field(description="the document's title")
    uri: str
    version: int
    page: int | None
    heading: list[str]
    quote: str
    start: int
    end: int
    boxes: list[tuple[int, float, float, float, float]]
    lang: str
    collection: str
    media_type: str
    modified_at: str | None
    superseded: bool
    verdict: Verdict
    outdated: bool = False


class SentenceBody(BaseModel):
    """A sentence of an answer; `row`: a table row or list item, on a line of its own."""

    text: str
    citations: list[int]
    row: bool = False


class WithheldBody(BaseModel):
    """A sentence that was not shown, and why."""

    text: str
    verdict: Verdict
    reason: str


class HitBody(BaseModel):
    """A passage that was found."""

    document_id: str
    chunk_id: int
    document: str = Field(description="the document's title")
    uri: str
    version: int
    page: int | None
    heading: list[str]
    text: str
    lang: str
    collection: str
    media_type: str
    modified_at: str | None
    superseded: bool
    score: float


class DisagreementBody(BaseModel):
    """Citations of different documents that give different answers; none is preferred."""

    citations: list[int]


class AnswerBody(BaseModel):
    """An answer; `id` is its message in the conversation, `receipt` its event in the audit log."""

    id: int | None
    conversation_id: str | None
    question: str
    standalone_question: str
    answer: str
    lang: Lang
    abstained: bool
    sentences: list[SentenceBody]
    citations: list[CitationBody]
    withheld: list[WithheldBody]
    closest: list[HitBody]
    disagreements: list[DisagreementBody] = []
    receipt: str
    seconds: float


class Hits(BaseModel):
    """What a search found, best first."""

    hits: list[HitBody]
    seconds: float
