"""Legal holds, erasures and retention."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from assistant.api.schemas.accounts import Text, Word
from assistant.api.schemas.questions import Request


class HoldBody(BaseModel):
    """What must not be erased or forgotten; of `everything`, `value` is empty."""

    id: str
    kind: Literal["subject", "document", "collection", "everything"]
    value: str
    reason: str
    created_by: str
    created_at: datetime
    released_at: datetime | None


class HoldList(BaseModel):
    """The holds, the oldest first, released ones too."""

    holds: list[HoldBody]


class NewHold(Request):
    """A hold to place, in force at once."""

    kind: Literal["subject", "document", "collection", "everything"]
    value: Text = ""
    reason: Word


class ErasureBody(BaseModel):
    """An erasure; `n_kept_out` items of sources stay out of syncs until it is released."""

    id: str
    started_at: datetime | None
    finished_at: datetime | None
    n_documents: int
    n_persons: int
    n_kept_out: int


class ErasureList(BaseModel):
    """The erasures, the oldest first."""

    erasures: list[ErasureBody]


class Subject(Request):
    """Everything that a person goes by: logins, e-mails, full names, numbers."""

    names: Annotated[list[Word], Field(min_length=1, max_length=50)]


class PlacesBody(BaseModel):
    """How much of a subject is where; nothing was changed."""

    persons: int
    documents: int
    chunks: int
    vectors: int
    records: int
    conversations: int
    failures: int
    keys: int
    generations: int
    backups: int


class CertificateBody(BaseModel):
    """What was erased, signed with the audit log's key; `signature` is base64."""

    certificate: dict[str, Any]
    key_id: str
    signature: str | None


class Released(BaseModel):
    """How many items of sources may come back."""

    n_items: int


class RetentionPlan(BaseModel):
    """What is older than the retention: from months before `before`.

    `n_keys` are those of one subject and month each, `n_held` more are kept by holds; `on_hold`:
    a hold on everything keeps all. `keys_files_not_renewed` after a run: delete their copies.
    """

    kept_months: int
    before: str
    months: list[str]
    n_keys: int
    n_messages: int
    n_held: int
    on_hold: bool
    keys_files_not_renewed: list[str] = []
