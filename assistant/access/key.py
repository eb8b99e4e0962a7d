"""Giving out API keys: shown once, for a person or a service, with scopes and an end."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import get_args

from sqlalchemy import Connection

from assistant.access.gate import KEY_PREFIX
from assistant.access.pepper import Pepper
from assistant.access.roles import KEYS_ONLY, Permission, check_roles
from assistant.errors import Conflict, InvalidRequest
from assistant.settings import Settings
from assistant.store import keys, people
from assistant.store.people import SERVICE, Person

MAX_DAYS = 366
DEFAULT_SCOPES: tuple[Permission, ...] = (
    "own_session",
    "ask",
    "read_documents",
    "own_conversations",
    "see_receipts",
)


def give_key(
    conn: Connection,
    settings: Settings,
    owner: Person,
    name: str,
    scopes: Collection[str],
    days: int,
) -> tuple[str, str]:
    """Add a key; return its id and the key itself, which can't be had again.

    Raises `InvalidRequest` for the scopes or the days, `Conflict` if the owner has two or is
    disabled.
    """
    if unknown := set(scopes) - set(get_args(Permission)):
        known = ", ".join(get_args(Permission))
        raise InvalidRequest(f"There is no scope {min(unknown)!r}; use {known}.")
    if (alone := KEYS_ONLY & set(scopes)) and (len(set(scopes)) > 1 or not owner.is_service):
        raise InvalidRequest(f"The scope {min(alone)!r} is for a service's key without another.")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidRequest(f"A key holds from 1 to {MAX_DAYS} days, not {days}.")
    if owner.disabled_at is not None:
        raise Conflict(f"{owner.login!r} is disabled; a key would not work.")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    hashed = Pepper(settings).hmac(key_id, secret)
    keys.add_key(conn, key_id, owner.id, name, hashed, scopes, days)
    return key_id, f"{KEY_PREFIX}{key_id}.{secret}"


def service(
    conn: Connection, name: str, roles: Collection[str], company: str = ""
) -> tuple[Person, bool]:
    """Return a service account and whether it was added just now.

    It is in no group, not even `everyone`: it reads what names `service:<name>`. Whom it pushes
    belong to `company`. Raises `InvalidRequest` for the name or the roles.
    """
    known = people.person_with_subject(conn, SERVICE, name)
    if known is not None:
        return known, False
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise InvalidRequest(f"{name!r} can't name a service: use letters, digits, - and _.")
    login = f"{SERVICE}:{name}"
    return people.add_person(
        conn, login, name, check_roles(roles), issuer=SERVICE, subject=name, company=company
    ), True
