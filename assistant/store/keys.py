"""API keys: what is kept of them is the HMAC of their secret, never the secret."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.errors import Conflict, NotFound
from assistant.store.identity_tables import api_keys
from assistant.store.tables import people

MAX_ACTIVE = 2
"""One in use, one to change to."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: str
    person_id: str
    login: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def add_key(
    conn: Connection,
    key_id: str,
    person_id: str,
    name: str,
    secret_hmac: bytes,
    scopes: Collection[str],
    days: int,
) -> None:
    """Keep a new key; raises `Conflict` if its owner has two that are good already."""
    # Locks the owner, so that two keys added at once are counted.
    conn.execute(sa.select(people.c.id).where(people.c.id == person_id).with_for_update())
    n_active = conn.execute(
        sa.select(sa.func.count()).where(api_keys.c.person_id == person_id, _good())
    ).scalar_one()
    if n_active >= MAX_ACTIVE:
        raise Conflict(f"There are {n_active} active keys already; revoke one of them first.")
    conn.execute(
        sa.insert(api_keys).values(
            id=key_id,
            person_id=person_id,
            name=name,
            secret_hmac=secret_hmac,
            scopes=sorted(scopes),
            expires_at=sa.func.now() + sa.literal(timedelta(days=days), sa.Interval),
        )
    )


def good_key(conn: Connection, key_id: str, secret_hmac: bytes) -> ApiKey | None:
    """Return the key with this secret if it is good now and its owner is not disabled."""
    row = conn.execute(
        _select(api_keys.c.secret_hmac).where(
            api_keys.c.id == key_id, _good(), people.c.disabled_at.is_(None)
        )
    ).one_or_none()
    # Compared for an unknown key too, so that it takes as long as a known one.
    stored = row.secret_hmac if row is not None else bytes(len(secret_hmac))
    same = hmac.compare_digest(stored, secret_hmac)
    return _key(row) if row is not None and same else None


def list_keys(conn: Connection) -> list[ApiKey]:
    """Return all keys by owner, the newest first."""
    return [_key(row) for row in conn.execute(_select().order_by(people.c.login, _NEWEST))]


def revoke_key(conn: Connection, key_id: str) -> ApiKey:
    """End a key at once; raises `NotFound`."""
    row = conn.execute(_select().where(api_keys.c.id == key_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no key {key_id!r}; `assistant key list` shows them.")
    conn.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(revoked_at=sa.func.coalesce(api_keys.c.revoked_at, sa.func.now()))
    )
    return _key(row)


_NEWEST = api_keys.c.created_at.desc()


def _good() -> sa.ColumnElement[bool]:
    return sa.and_(
        api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > sa.func.clock_timestamp()
    )


def _select(*more: sa.Column[Any]) -> sa.Select[*tuple[Any, ...]]:
    columns = [column for column in api_keys.c if column.name != "secret_hmac"]
    joined = api_keys.join(people, people.c.id == api_keys.c.person_id)
    return sa.select(*columns, people.c.login, *more).select_from(joined)


def _key(row: sa.Row[*tuple[Any, ...]]) -> ApiKey:
    return ApiKey(
        id=row.id,
        person_id=row.person_id,
        login=row.login,
        name=row.name,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
