"""The nouns of a question and its answer, as frozen values.

Ids: a document's id is a random UUID as text; a chunk's id is a positive integer and never
reused. Offsets count characters of the text they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

from indexes.model import MetadataFilter

DocumentId = NewType("DocumentId", str)
ChunkId = NewType("ChunkId", int)
Principal = NewType("Principal", str)

Lang = Literal["en", "pt"]
Role = Literal["employee", "integrator", "admin", "auditor"]

PageBox = tuple[int, float, float, float, float]
"""page (from 1), x0, y0, x1, y1 in points from the page's top left corner."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document as it is stored, never across a heading; offsets in the document.

    `omitted` are the spans of `text` that many documents repeat: they are shown and cited, but
    models are not given them. `instruction` says from 0 to 1 how much it tells a model what to do.
    """

    text: str
    heading: tuple[str, ...]
    kind: str
    lang: str
    start: int
    end: int
    page: int | None = None
    boxes: tuple[PageBox, ...] = ()
    omitted: tuple[tuple[int, int], ...] = ()
    instruction: float = 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk retrieved and numbered (from 1) for one answer, permitted for its reader.

    `sha256` is that of `text` in UTF-8; `version` counts a document's versions from 1.
    """

    n: int
    chunk_id: ChunkId
    document_id: DocumentId
    version: int
    title: str
    uri: str
    text: str
    sha256: str
    score: float
    lang: str
    kind: str = "paragraph"
    heading: tuple[str, ...] = ()
    page: int | None = None
    boxes: tuple[PageBox, ...] = ()
    media_type: str = ""
    collection: str = ""
    industry: str = ""
    modified_at: datetime | None = None
    superseded: bool = False
    instruction: float = 0.0
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person (or service) with roles and the closure of their groups.

    `scopes` are the permissions that an API key leaves of those of the roles; None for no key.
    `credentials` name what proved who it is, without its secret; `via` the service that asks in
    the person's name.
    """

    person_id: str
    name: str
    roles: frozenset[Role]
    principals: frozenset[Principal]
    scopes: frozenset[str] | None = None
    credentials: tuple[str, ...] = ()
    via: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation with the answer that was shown."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks, within a conversation (`history`, oldest first) and filters.

    `lang` forces the answer's language; None detects it from the text.
    """

    text: str
    caller: Caller
    history: tuple[Turn, ...] = ()
    metadata: MetadataFilter = field(default_factory=MetadataFilter)
    conversation_id: str | None = None
    lang: Lang | None = None


Verdict = Literal["verified", "unsupported", "number_mismatch", "no_citation", "not_permitted"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote of one passage that supports a sentence: `quote == passage.text[start:end]`."""

    n: int
    passage: Passage
    quote: str
    start: int
    end: int
    verdict: Verdict = "verified"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with its citations; shown only when `verdict` is verified.

    `text` has no citation markers.
    """

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict = "verified"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Quotes of different documents that give different answers; none is preferred."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is shown, and what the receipt proves.

    `withheld` are the sentences that failed verification; `closest` are the nearest permitted
    passages when the assistant abstains; `disagreements` tell where documents contradict each
    other on what is asked. `message_id` is the answer's place in its conversation.
    """

    text: str
    lang: Lang
    abstained: bool
    sentences: tuple[Sentence, ...] = ()
    withheld: tuple[Sentence, ...] = ()
    closest: tuple[Passage, ...] = ()
    receipt: str = ""
    message_id: int | None = None
    standalone_question: str = ""
    seconds: float = 0.0
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The distinct citations in the order of their first use."""
        seen: dict[tuple[ChunkId, int, int], Citation] = {}
        groups = [sentence.citations for sentence in self.sentences]
        groups += [disagreement.citations for disagreement in self.disagreements]
        for citation in (citation for group in groups for citation in group):
            seen.setdefault((citation.passage.chunk_id, citation.start, citation.end), citation)
        return tuple(seen.values())


@dataclass(frozen=True, slots=True)
class Status:
    """A step began, in words a client can translate: `searching`, `reading`, `answering`."""

    step: Literal["condensed", "searching", "reading", "answering"]
    detail: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """A verified sentence, ready to show, with the citations it carries."""

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Withheld:
    """A sentence that failed verification: never shown as part of the answer."""

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Writing:
    """The generator is at a sentence that nobody may see before it is verified."""

    n_characters: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What the generator used; None where it doesn't say."""

    generator: str
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None
    first_token_s: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is complete, stored and in the audit log."""

    answer: Answer


AnswerEvent = Status | Writing | Delta | Withheld | Usage | Done
