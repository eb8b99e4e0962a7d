"""Events of the life cycle of data: backups, legal holds, erasures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class BackupCreated:
    """A backup was made of the log's first `n_events` and all else of that moment."""

    type: ClassVar[str] = "backup.created"
    sha256: str
    n_events: int


@dataclass(frozen=True, slots=True)
class BackupRestored:
    """The database comes from a backup; `n_lost_events` had been signed after it was made."""

    type: ClassVar[str] = "backup.restored"
    sha256: str
    n_events: int
    n_lost_events: int


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A legal hold was created or released."""

    type: ClassVar[str] = "hold.changed"
    hold_id: str
    change: str


@dataclass(frozen=True, slots=True)
class RetentionDone:
    """Personal fields and conversations of months before `before` were forgotten, but for held."""

    type: ClassVar[str] = "retention.done"
    before: str
    n_keys: int
    n_messages: int
    n_held: int


@dataclass(frozen=True, slots=True)
class ErasureReleased:
    """What an erasure took may be brought back by syncs."""

    type: ClassVar[str] = "erasure.released"
    erasure_id: str
    n_items: int


@dataclass(frozen=True, slots=True)
class ErasureStarted:
    """The erasure of a subject was begun; whom it is about is not told here."""

    type: ClassVar[str] = "erasure.started"
    erasure_id: str
    n_documents: int
    n_persons: int


@dataclass(frozen=True, slots=True)
class ErasureDone:
    """The erasure of a subject was finished, here or again after a restore."""

    type: ClassVar[str] = "erasure.done"
    erasure_id: str
    certificate_sha256: str
    occasion: str = "request"
