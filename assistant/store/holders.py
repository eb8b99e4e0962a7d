"""Since when the tokens of an identity provider count for a person.

Such a token holds until it expires, whoever has it; signing out, and locking somebody out, ends
those that were issued until then.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.store.identity_tables import token_holders


def is_newest(conn: Connection, person_id: str, issued_at: int) -> bool:
    """Note a token's time of issue (seconds since 1970); tells whether it is the newest so far."""
    at = datetime.fromtimestamp(issued_at, UTC)
    known = conn.execute(
        sa.select(token_holders.c.issued_at).where(token_holders.c.person_id == person_id)
    ).scalar_one_or_none()
    if known is not None and known >= at:
        return False
    new = insert(token_holders).values(person_id=person_id, issued_at=at)
    newer = sa.or_(token_holders.c.issued_at.is_(None), token_holders.c.issued_at < at)
    moved = conn.execute(
        new.on_conflict_do_update(
            index_elements=["person_id"], set_={"issued_at": at}, where=newer
        ).returning(token_holders.c.person_id)
    )
    return moved.one_or_none() is not None


def counts(conn: Connection, person_id: str, issued_at: int) -> bool:
    """Whether tokens issued then (seconds since 1970) have not been ended."""
    ended = conn.execute(
        sa.select(token_holders.c.signed_out_at).where(token_holders.c.person_id == person_id)
    ).scalar_one_or_none()
    return ended is None or issued_at > int(ended.timestamp())


def sign_out(conn: Connection, person_id: str) -> None:
    """End all tokens of a person that were issued until now."""
    now = sa.func.clock_timestamp()
    new = insert(token_holders).values(person_id=person_id, signed_out_at=now)
    conn.execute(
        new.on_conflict_do_update(index_elements=["person_id"], set_={"signed_out_at": now})
    )
