"""Marking in the log what is read by access that two people gave."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from assistant.access.break_glass import expire, uses
from assistant.audit.break_glass import BreakGlassEnded, BreakGlassUsed
from assistant.audit.event import SYSTEM, Event, actor_of
from assistant.audit.log import AuditLog
from assistant.domain import Caller


def mark_uses(
    log: AuditLog, conn: Connection, caller: Caller, document_ids: Collection[str], part: str
) -> None:
    """Record each document that a caller reads by an approved request alone."""
    for use in uses(conn, caller, document_ids):
        used = BreakGlassUsed(use.request_id, use.document_id, part)
        log.append(conn, Event(actor_of(caller), used))


def record_expired(log: AuditLog, conn: Connection) -> None:
    """Tidy up after access that has expired, and record that it has."""
    for one in expire(conn):
        log.append(conn, Event(SYSTEM, BreakGlassEnded(one.id, one.person_id, "expired")))
