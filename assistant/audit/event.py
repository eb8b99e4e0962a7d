"""What is written to the audit log: typed events, as canonical JSON.

Canonical JSON is RFC 8785 without floating-point numbers: pass those as `Decimal`, they become
strings. Every event reads `{v, seq, id, at, type, actor, data}`; `data` holds the fields of its
class below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import uuid4

import rfc8785
from pydantic import JsonValue

from assistant.access.principals import principals_sha256
from assistant.audit.break_glass import BreakGlassEvent
from assistant.audit.life_cycle import (
    BackupCreated,
    BackupRestored,
    ErasureDone,
    ErasureReleased,
    ErasureStarted,
    HoldChanged,
    RetentionDone,
)
from assistant.audit.provisioning import GroupPushed, PersonPushed
from assistant.domain import Caller

VERSION = 1


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, by id; `principals_sha256` names the groups they held at that moment.

    `via` is the service that did it in their name; the log leaves it out where it is empty.
    """

    person_id: str
    principals_sha256: str = ""
    roles: tuple[str, ...] = ()
    via: str = ""


SYSTEM = Actor("system")
"""The assistant itself: schedules and commands of an operator."""

ANONYMOUS = Actor("")
"""Somebody who has not signed in."""


def actor_of(caller: Caller) -> Actor:
    """Return a caller as an actor."""
    return Actor(
        caller.person_id,
        principals_sha256(caller.principals),
        tuple(sorted(caller.roles)),
        caller.via,
    )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody proved who they are."""

    type: ClassVar[str] = "auth.signed_in"
    method: str


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """A login was refused; the login is kept as typed, the password never."""

    type: ClassVar[str] = "auth.failed"
    login: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """A session was ended."""

    type: ClassVar[str] = "auth.signed_out"


@dataclass(frozen=True, slots=True)
class QueryAccepted:
    """A question came in; nothing has been searched yet."""

    type: ClassVar[str] = "query.accepted"
    query_id: str
    question: str
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class PromptedChunk:
    """A chunk that entered a prompt, and the rule that let its reader have it."""

    chunk_id: int
    document_id: str
    version: int
    sha256: str
    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class QueryPrompted:
    """What a generator is about to see: committed before any byte goes to it."""

    type: ClassVar[str] = "query.prompted"
    query_id: str
    standalone_question: str
    chunks: tuple[PromptedChunk, ...]
    policy_epoch: int
    index_generation: str
    prompt_sha256: str
    generator: str
    sampling: Mapping[str, str | int | bool | Decimal] = field(default_factory=dict)
    n_found: int = 0
    lang: str = ""
    embedder: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CitedQuote:
    """A quote that the answer shows, as offsets in its chunk."""

    chunk_id: int
    start: int
    end: int
    verdict: str


@dataclass(frozen=True, slots=True)
class QueryFinished:
    """The answer as it was shown; `answer_sha256` is that of its text in UTF-8.

    `disagreements` are places in `citations`, from 0: of quotes that contradict each other.
    """

    type: ClassVar[str] = "query.finished"
    query_id: str
    answer_sha256: str
    abstained: bool
    citations: tuple[CitedQuote, ...]
    n_withheld: int
    seconds: Decimal
    disagreements: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class QueryRefused:
    """A question was not answered, for the reason named by a slug."""

    type: ClassVar[str] = "query.refused"
    query_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class QueryAborted:
    """An answer was stopped before its end: by the reader, a deadline or an error."""

    type: ClassVar[str] = "query.aborted"
    query_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncStarted:
    """A sync run began."""

    type: ClassVar[str] = "sync.started"
    source: str
    run_id: int


@dataclass(frozen=True, slots=True)
class SyncFinished:
    """A sync run ended, with its counts by outcome."""

    type: ClassVar[str] = "sync.finished"
    source: str
    run_id: int
    state: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SyncOrdered:
    """Somebody started, paused, resumed or cancelled a sync run, or told it to retry failures."""

    type: ClassVar[str] = "sync.ordered"
    source: str
    run_id: int
    order: str


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """A source was added, changed, scheduled or removed; `fields` are the settings that changed."""

    type: ClassVar[str] = "connector.changed"
    source: str
    change: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentOpened:
    """A reader opened a document, a passage or a page image."""

    type: ClassVar[str] = "doc.opened"
    document_id: str
    version: int
    part: str


@dataclass(frozen=True, slots=True)
class DocumentDeleted:
    """A document and its chunks were deleted."""

    type: ClassVar[str] = "doc.deleted"
    document_id: str
    source: str


@dataclass(frozen=True, slots=True)
class AclChanged:
    """Who may read documents changed: their ACLs, or a source's groups."""

    type: ClassVar[str] = "acl.changed"
    source: str
    n_documents: int
    groups_changed: bool


@dataclass(frozen=True, slots=True)
class PersonChanged:
    """A person was added, changed or disabled."""

    type: ClassVar[str] = "policy.person_changed"
    person_id: str
    change: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupsProvided:
    """A token of the identity provider told other groups of its person."""

    type: ClassVar[str] = "policy.groups_provided"
    about: str
    n_groups: int


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """An API key was added or revoked."""

    type: ClassVar[str] = "policy.key_changed"
    key_id: str
    owner_id: str
    change: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """A start put another policy over collections in force; the hashes are of the files' text."""

    type: ClassVar[str] = "policy.changed"
    sha256: str
    previous_sha256: str
    n_collections: int


@dataclass(frozen=True, slots=True)
class AccessExamined:
    """Somebody asked who may read what: `explain`, `compare`, `simulate`, or `why` of their own."""

    type: ClassVar[str] = "access.examined"
    purpose: str
    people: tuple[str, ...] = ()
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class AuditRead:
    """Somebody read or exported events from one seq up to another; found none: 0 to -1."""

    type: ClassVar[str] = "audit.read"
    first_seq: int
    last_seq: int
    purpose: str = ""


EventData = (
    SignedIn
    | SignInFailed
    | SignedOut
    | QueryAccepted
    | QueryPrompted
    | QueryFinished
    | QueryRefused
    | QueryAborted
    | SyncStarted
    | SyncFinished
    | SyncOrdered
    | SourceChanged
    | DocumentOpened
    | DocumentDeleted
    | AclChanged
    | PersonChanged
    | PersonPushed
    | GroupPushed
    | GroupsProvided
    | KeyChanged
    | PolicyChanged
    | AccessExamined
    | BreakGlassEvent
    | AuditRead
    | BackupCreated
    | BackupRestored
    | HoldChanged
    | ErasureStarted
    | ErasureDone
    | ErasureReleased
    | RetentionDone
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, not yet in the log."""

    actor: Actor
    data: EventData
    id: str = field(default_factory=lambda: uuid4().hex)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def canonical(event: Event, seq: int, sealed: Mapping[str, JsonValue] | None = None) -> bytes:
    """Return the bytes that are hashed and stored for an event at its place in the log.

    `sealed` are the fields of its data that stand there encrypted.
    """
    fields = {**dataclasses.asdict(event.data), **(sealed or {})}
    return rfc8785.dumps(
        {
            "v": VERSION,
            "seq": seq,
            "id": event.id,
            "at": utc(event.at),
            "type": event.data.type,
            "actor": plain(_actor(event.actor)),
            "data": plain(fields),
        }
    )


def _actor(actor: Actor) -> dict[str, object]:
    fields = dataclasses.asdict(actor)
    return fields if actor.via else {name: fields[name] for name in fields if name != "via"}


def utc(at: datetime) -> str:
    """Return a time as the log writes it: UTC with microseconds and `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(value: object) -> JsonValue:
    """Return a JSON value; decimals become strings, and a float is an error of the program."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        # Half a surrogate pair, which JSON input may hold, has no bytes in UTF-8.
        return value.encode(errors="replace").decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"an audit event can't hold a {type(value).__name__}: {value!r}")
