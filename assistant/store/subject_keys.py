"""One key per subject and month, for what the log must keep but may have to forget.

A sealed value is `{"key": id, "sealed": base64 of nonce and AES-256-GCM}`. Its bytes stay; once
the key is deleted nobody can read them. Backups of the data never hold this table.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.errors import InvalidRequest
from assistant.store.lifecycle_tables import subject_keys

_NONCE_BYTES = 12
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
ERASED = "[erased]"
"""What is shown in the place of a value whose key was deleted."""


def seal(conn: Connection, subject: str, at: datetime, value: JsonValue) -> dict[str, JsonValue]:
    """Return a value sealed with the subject's key of that month, made if there is none."""
    key_id, key = _key(conn, subject, at.strftime("%Y-%m"))
    nonce = os.urandom(_NONCE_BYTES)
    content = AESGCM(key).encrypt(nonce, json.dumps(value).encode(), key_id.encode())
    return {"key": key_id, "sealed": base64.b64encode(nonce + content).decode()}


def seal_now(conn: Connection, subject: str, value: JsonValue) -> dict[str, JsonValue]:
    """Return a value sealed with the subject's key of this month.

    Raises `InvalidRequest` for texts that the database would not have taken unsealed either.
    """
    if _NUL.search(json.dumps(value)):
        raise InvalidRequest("A text has characters that can't be stored.")
    return seal(conn, subject, datetime.now(UTC), value)


def seal_text(conn: Connection, subject: str, text: str) -> str:
    """Return a text sealed as `seal_now` does; an empty one stays empty."""
    return json.dumps(seal_now(conn, subject, text)) if text else ""


def unseal(conn: Connection, value: JsonValue) -> JsonValue:
    """Return a JSON value with all that is sealed in it opened, or `ERASED` without its key."""
    wanted = set(_key_ids(value))
    if not wanted:
        return value
    rows = conn.execute(
        sa.select(subject_keys.c.id, subject_keys.c.key).where(subject_keys.c.id.in_(wanted))
    )
    return _opened(value, {row.id: bytes(row.key) for row in rows})


class KeyRing:
    """All keys at once, for reading much of what they seal."""

    def __init__(self, conn: Connection) -> None:
        rows = conn.execute(sa.select(subject_keys.c.id, subject_keys.c.key))
        self._keys = {row.id: bytes(row.key) for row in rows}

    def open(self, value: JsonValue) -> JsonValue:
        """Return a JSON value opened as `unseal` does."""
        return _opened(value, self._keys)

    def open_text(self, stored: str) -> str:
        """Return a text that `seal_text` made, or `ERASED`."""
        return str(self.open(json.loads(stored))) if stored else ""


def ids_of(conn: Connection, subjects: Collection[str]) -> list[str]:
    """Return the ids of all keys of these subjects."""
    query = sa.select(subject_keys.c.id).where(subject_keys.c.subject.in_(list(subjects)))
    return list(conn.scalars(query.order_by(subject_keys.c.id)))


def delete(conn: Connection, subjects: Collection[str]) -> int:
    """Delete all keys of these subjects; returns how many there were."""
    done = conn.execute(sa.delete(subject_keys).where(subject_keys.c.subject.in_(list(subjects))))
    return done.rowcount


def _key(conn: Connection, subject: str, month: str) -> tuple[str, bytes]:
    own = sa.select(subject_keys.c.id, subject_keys.c.key).where(
        subject_keys.c.subject == subject, subject_keys.c.month == month
    )
    row = conn.execute(own).one_or_none()
    if row is None:
        conn.execute(
            insert(subject_keys)
            .values(id=uuid4().hex, subject=subject, month=month, key=os.urandom(32))
            .on_conflict_do_nothing()
        )
        row = conn.execute(own).one()
    return row.id, bytes(row.key)


def _key_ids(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        if value.keys() == {"key", "sealed"}:
            return [str(value["key"])]
        return [found for item in value.values() for found in _key_ids(item)]
    if isinstance(value, list):
        return [found for item in value for found in _key_ids(item)]
    return []


def _opened(value: JsonValue, keys: dict[str, bytes]) -> JsonValue:
    if isinstance(value, list):
        return [_opened(item, keys) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {"key", "sealed"}:
        return {name: _opened(item, keys) for name, item in value.items()}
    key_id = str(value["key"])
    if key_id not in keys:
        return ERASED
    content = base64.b64decode(str(value["sealed"]))
    nonce, text = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
    opened: Any = json.loads(AESGCM(keys[key_id]).decrypt(nonce, text, key_id.encode()))
    return opened  # type: ignore[no-any-return]
