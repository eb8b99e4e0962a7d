"""Whether those who were let in are still welcome: one query, asked again while they are served."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.identity_tables import api_keys, token_holders
from assistant.store.tables import people, sessions


def is_welcome(conn: Connection, person_id: str, credentials: Sequence[str]) -> bool:
    """Whether a person is not disabled, and none of their credentials was ended.

    Credentials are `session:<sha256 as hex>`, `key:<id>` and `token:<issued at>`. One that merely
    expired meanwhile does not count as ended.
    """
    tests = [people.c.id == person_id, people.c.disabled_at.is_(None)]
    tests += [_holds(*credential.split(":", 1)) for credential in credentials]
    return conn.execute(sa.select(sa.literal(1)).where(*tests)).first() is not None


def _holds(kind: str, name: str) -> sa.ColumnElement[bool]:
    if kind == "session":
        ended = sessions.c.revoked_at.is_(None)
        return sa.exists().where(sessions.c.token_sha256 == bytes.fromhex(name), ended)
    if kind == "key":
        owner = people.alias()
        return sa.exists().where(
            api_keys.c.id == name,
            api_keys.c.revoked_at.is_(None),
            owner.c.id == api_keys.c.person_id,
            owner.c.disabled_at.is_(None),
        )
    return ~sa.exists().where(
        token_holders.c.person_id == people.c.id,
        token_holders.c.signed_out_at >= datetime.fromtimestamp(int(name), UTC),
    )
