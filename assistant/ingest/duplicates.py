"""Which documents are alike, across runs and sources: duplicates, and versions of one another.

Looked up after a page is committed, in transactions of its own: documents that wait for it say so
themselves, so a killed run leaves nothing behind but work for the next. A link never opens a
document to anybody: each copy keeps its own access.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from assistant.ingest.curate import REPEATED_IN
from assistant.store import curations
from assistant.store.curations import FRESH, Curated, Links
from assistant.store.database import Database
from assistant.text.likeness import likeness, unpacked
from assistant.text.versions import Version

NEAR = 0.8
"""Least likeness of a near-duplicate."""
ALIKE_VERSION = 0.5
ALIKE_YEAR = 0.7
"""Least likeness of versions; more where only a year tells them apart, as of yearly reports."""
N_SHARING = 16
"""Documents that are looked at for each key, those that came first."""

_BATCH = 128


def settle(database: Database) -> None:
    """Link every document that waits for it, a batch at a time."""
    while True:
        with database.begin() as conn:
            if not settle_some(conn, _BATCH):
                return


def settle_some(conn: Connection, limit: int) -> int:
    """Link at most `limit` documents; return how many."""
    waiting = curations.take_unsettled(conn, limit)
    if not waiting:
        return 0
    near = curations.neighbours(conn, waiting, N_SHARING)
    fresh = [one for one in waiting if one.state == FRESH]
    touched = {
        other.document_id
        for one in fresh
        for other in near[one.arrived]
        if _copies(other, one) is not None or _replaces(one, other)
    }
    curations.settle(conn, {one.document_id: links(one, near[one.arrived]) for one in waiting})
    curations.unsettle(conn, touched - {one.document_id for one in waiting})
    curations.outdate(conn, {edge for one in fresh for edge in one.edges}, REPEATED_IN)
    return len(waiting)


def links(one: Curated, near: Sequence[Curated]) -> Links:
    """Return what a document is a duplicate of and what replaces it, among its neighbours.

    The original is the earliest that it is alike to, the successor the newest version.
    """
    originals = ((other, share) for other in near if (share := _copies(one, other)) is not None)
    original = min(originals, key=lambda found: found[0].arrived, default=None)
    newer = [other for other in near if _replaces(other, one)]
    successor = max(newer, key=lambda other: (other.rank, -other.arrived), default=None)
    return Links(
        original_id=original[0].document_id if original else None,
        likeness=original[1] if original else None,
        successor_id=successor.document_id if successor else None,
    )


def _copies(one: Curated, other: Curated) -> float | None:
    """Return how alike a document is to an earlier one, if it is a duplicate of that."""
    if other.arrived >= one.arrived:
        return None
    share = _likeness(one, other)
    return share if share >= NEAR else None


def _replaces(newer: Curated, older: Curated) -> bool:
    """Say whether a document is a later version of another one of its source."""
    if newer.source_id != older.source_id:
        return False
    version, before = Version(newer.family, newer.rank), Version(older.family, older.rank)
    if not version.family or not before.precedes(version):
        return False
    return _likeness(newer, older) >= (ALIKE_YEAR if version.is_yearly else ALIKE_VERSION)


def _likeness(one: Curated, other: Curated) -> float:
    if one.text_sha256 == other.text_sha256:
        return 1.0
    mine, theirs = unpacked(one.signature), unpacked(other.signature)
    return likeness(mine, theirs) if mine is not None and theirs is not None else 0.0
