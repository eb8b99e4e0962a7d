"""The only place that decides who may read what."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from assistant.access.policy import Policy, policy_now
from assistant.access.principals import (
    UNKNOWN,
    principals_of,
    principals_sha256,
    purposes_of,
)
from assistant.domain import Caller, ChunkId, DocumentId, Principal
from assistant.store.acls import Acl, acls_allowing, acls_by_id, plainly_allowing
from assistant.store.heads import is_epoch_moving, policy_epoch
from assistant.store.passages import DocumentRow, PassageRow, document, passages
from assistant.store.people import person_by_id
from assistant.store.sources import clock
from indexes.model import AccessFilter

TOO_OLD = "access data too old"
"""The rule of a decision against documents whose source has not confirmed its access lately."""

_NOBODY = Acl(frozenset())


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a reader may read, and which entry of the ACL decided that."""

    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class CheckedPassage:
    """A chunk as it is now, with the decision for the reader who asked."""

    row: PassageRow
    decision: Decision


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decision is about; `access_as_of` is when its source last confirmed the ACL."""

    acl: Acl
    collection: str
    access_as_of: datetime | None


def may_read(acl: Acl, principals: frozenset[Principal]) -> Decision:
    """Decide: deny wins over allow, an empty allow is nobody, every one of `all_of` must be held.

    A denied principal that could not be understood might be anybody: it denies everybody.
    """
    denied = [name for name in acl.deny if name in principals or name.startswith(UNKNOWN)]
    if denied:
        return Decision(False, f"deny {min(denied)}")
    allowed = acl.allow & principals
    if not allowed:
        return Decision(False, "nobody" if not acl.allow else "not allowed")
    missing = acl.all_of - principals
    if missing:
        return Decision(False, f"missing {min(missing)}")
    return Decision(True, f"allow {min(allowed)}")


def access_filter(conn: Connection, caller: Caller) -> AccessFilter:
    """Return the ACLs a caller may read under now, as of the policy epoch.

    Cached by the caller's principals and the epoch, which is read from the database each time;
    not in a transaction that moves the epoch, whose own changes still go by the old number.
    """
    epoch = policy_epoch(conn)
    name = principals_sha256(caller.principals)
    cache = None if is_epoch_moving(conn) else _filters_of(conn.engine)
    cached = cache.get(name, epoch) if cache is not None else None
    if cached is not None:
        return cached
    # Loaded after the epoch was read: what is cached may be newer than its key, never older.
    readable = plainly_allowing(conn, caller.principals) | {
        acl.id
        for acl in acls_allowing(conn, caller.principals)
        if may_read(acl, caller.principals).allowed
    }
    closed = policy_now(conn).closed(caller.principals)
    found = AccessFilter(readable, epoch, name, closed)
    if cache is not None:
        cache.put(found)
    return found


def recheck(
    conn: Connection, caller: Caller, chunk_ids: Collection[ChunkId], max_age_s: float = 0.0
) -> dict[ChunkId, CheckedPassage]:
    """Decide again for each chunk that is still live, with the caller's groups as they are now.

    Chunks of deleted documents and replaced versions are missing. With `max_age_s`, documents
    whose source has not confirmed its access for longer are refused.
    """
    rows = passages(conn, chunk_ids)
    acls = acls_by_id(conn, {row.document.access_id for row in rows.values()})
    policy, principals = policy_now(conn), _principals_now(conn, caller)
    oldest = confirmed_since(conn, max_age_s)
    return {
        chunk_id: CheckedPassage(row, _decide(row.document, acls, policy, principals, oldest))
        for chunk_id, row in rows.items()
    }


def decisions(
    conn: Connection, access_ids: Collection[int], principals: frozenset[Principal]
) -> dict[int, Decision]:
    """Decide for each of these ACLs what a holder of these principals may."""
    acls = acls_by_id(conn, set(access_ids))
    return {name: may_read(acls.get(name, _NOBODY), principals) for name in access_ids}


def decisions_on(
    conn: Connection,
    rows: Collection[DocumentRow],
    principals: frozenset[Principal],
    max_age_s: float = 0.0,
) -> dict[DocumentId, Decision]:
    """Decide on each of these documents, under the policy in force."""
    acls, policy = acls_by_id(conn, {row.access_id for row in rows}), policy_now(conn)
    oldest = confirmed_since(conn, max_age_s)
    return {row.id: _decide(row, acls, policy, principals, oldest) for row in rows}


def readable_document(
    conn: Connection, caller: Caller, document_id: DocumentId, max_age_s: float = 0.0
) -> DocumentRow | None:
    """Return a document that the caller may read now; None whether it is foreign or missing."""
    row = document(conn, document_id)
    if row is None:
        return None
    principals = _principals_now(conn, caller)
    decision = decisions_on(conn, [row], principals, max_age_s)[row.id]
    return row if decision.allowed else None


def decide(
    subject: Subject, policy: Policy, principals: frozenset[Principal], oldest: datetime | None
) -> Decision:
    """Decide as `may_read`, but for what a rule of the policy closes.

    What its source has not confirmed since `oldest` is refused too.
    """
    if refusal := policy.refusal(subject.collection, principals):
        return Decision(False, refusal)
    as_of = subject.access_as_of
    if oldest is not None and (as_of is None or as_of < oldest):
        return Decision(False, TOO_OLD)
    return may_read(subject.acl, principals)


def confirmed_since(conn: Connection, max_age_s: float) -> datetime | None:
    """Return since when a source must have confirmed its access; None if that doesn't matter.

    By the clock of the database, which noted when it did: a machine whose clock is slow would
    hold old access data for new.
    """
    return clock(conn) - timedelta(seconds=max_age_s) if max_age_s > 0 else None


def _decide(
    row: DocumentRow,
    acls: dict[int, Acl],
    policy: Policy,
    principals: frozenset[Principal],
    oldest: datetime | None,
) -> Decision:
    acl = acls.get(row.access_id, _NOBODY)
    subject = Subject(acl, row.facts.collection, row.access_as_of)
    return decide(subject, policy, principals, oldest)


def _principals_now(conn: Connection, caller: Caller) -> frozenset[Principal]:
    person = person_by_id(conn, caller.person_id)
    if person is None or person.disabled_at is not None:
        return frozenset()
    return principals_of(conn, person) | purposes_of(caller)


class _Filters:
    """The latest filters of one database, of the newest epoch only."""

    def __init__(self, size: int = 1024) -> None:
        self._lock = threading.Lock()
        self._size = size
        self._known: OrderedDict[str, AccessFilter] = OrderedDict()

    def get(self, name: str, epoch: int) -> AccessFilter | None:
        with self._lock:
            found = self._known.get(name)
            if found is None or found.epoch != epoch:
                return None
            self._known.move_to_end(name)
            return found

    def put(self, found: AccessFilter) -> None:
        with self._lock:
            self._known[found.principals_sha256] = found
            self._known.move_to_end(found.principals_sha256)
            if len(self._known) > self._size:
                self._known.popitem(last=False)


_caches: WeakKeyDictionary[Engine, _Filters] = WeakKeyDictionary()
_caches_lock = threading.Lock()


def _filters_of(engine: Engine) -> _Filters:
    with _caches_lock:
        return _caches.setdefault(engine, _Filters())
