"""Events of access for a while, which two people give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class BreakGlassAsked:
    """Somebody asked for access for a while to a document or a collection."""

    type: ClassVar[str] = "access.break_glass_asked"
    request_id: str
    document_id: str
    collection: str
    hours: int
    reason: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class BreakGlassApproved:
    """A second person gave the access that was asked for, until a moment."""

    type: ClassVar[str] = "access.break_glass_approved"
    request_id: str
    person_id: str
    expires_at: str
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class BreakGlassRefused:
    """A second person did not give the access that was asked for, and perhaps said why."""

    type: ClassVar[str] = "access.break_glass_refused"
    request_id: str
    person_id: str
    answer: str


@dataclass(frozen=True, slots=True)
class BreakGlassEnded:
    """Access for a while was ended, withdrawn, or had expired."""

    type: ClassVar[str] = "access.break_glass_ended"
    request_id: str
    person_id: str
    how: str


@dataclass(frozen=True, slots=True)
class BreakGlassUsed:
    """Somebody read a document by such access alone; `part` is a query's id or what was opened."""

    type: ClassVar[str] = "access.break_glass_used"
    request_id: str
    document_id: str
    part: str


BreakGlassEvent = (
    BreakGlassAsked | BreakGlassApproved | BreakGlassRefused | BreakGlassEnded | BreakGlassUsed
)
