"""What was erased and no sync may bring back, until it is released.

Kept as hashes of a source's ids: a path may name the person. Sources are referred to by number
only, since this table travels with the keys into databases that know other sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.store.lifecycle_tables import tombstones

_ORIGIN = b"assistant tombstone"


def put(conn: Connection, erasure_id: str, items: Iterable[tuple[int, str]]) -> None:
    """Keep these items, by source and id there, from coming back."""
    rows = [
        {"source_id": source, "digest": _digest(source, name), "erasure_id": erasure_id}
        for source, name in items
    ]
    if rows:
        conn.execute(insert(tombstones).on_conflict_do_nothing(), rows)


def found(conn: Connection, source_id: int, external_ids: Collection[str]) -> set[str]:
    """Return which of these items of a source were erased."""
    any_at_all = sa.select(sa.exists().where(tombstones.c.source_id == source_id))
    if not external_ids or not conn.scalar(any_at_all):
        return set()
    by_digest = {_digest(source_id, name): name for name in external_ids}
    asked = sa.any_(sa.literal(list(by_digest), sa.ARRAY(sa.LargeBinary)))
    rows = conn.scalars(
        sa.select(tombstones.c.digest).where(
            tombstones.c.source_id == source_id, tombstones.c.digest == asked
        )
    )
    return {by_digest[bytes(digest)] for digest in rows}


def release(conn: Connection, erasure_id: str) -> int:
    """Let what an erasure took come back; returns how many items that are."""
    return conn.execute(sa.delete(tombstones).where(tombstones.c.erasure_id == erasure_id)).rowcount


def counts(conn: Connection) -> dict[str, int]:
    """Count the items that each erasure keeps out."""
    rows = conn.execute(
        sa.select(tombstones.c.erasure_id, sa.func.count()).group_by(tombstones.c.erasure_id)
    )
    return {row[0]: row[1] for row in rows}


def _digest(source_id: int, external_id: str) -> bytes:
    text = f"{source_id}\0{external_id}".encode(errors="surrogatepass")
    return hashlib.blake2b(text, key=_ORIGIN, digest_size=32).digest()
