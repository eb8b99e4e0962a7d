"""People who may sign in, and their sessions."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import Principal, Role
from assistant.errors import Conflict, NotFound, Unauthenticated
from assistant.store import holders
from assistant.store.heads import bump_epoch
from assistant.store.identity_tables import scim_users
from assistant.store.tables import people, sessions

LOCAL = "local"
"""The issuer of people whose passwords we keep ourselves."""

SERVICE = "service"
"""The issuer of programs, which have API keys and no groups but those that name them."""

_hasher = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known to the assistant; `subject` is stable at their issuer, `login` is typed."""

    id: str
    issuer: str
    subject: str
    login: str
    name: str
    email: str | None
    roles: frozenset[Role]
    lang: str
    company: str
    disabled_at: datetime | None
    created_at: datetime

    @property
    def is_service(self) -> bool:
        """Whether this is a program."""
        return self.issuer == SERVICE

    @property
    def principal(self) -> Principal:
        """Return the name that ACLs know the person by."""
        if self.is_service:
            return Principal(f"service:{self.subject}")
        return Principal(f"user:{self.issuer}|{self.subject}")


def add_person(
    conn: Connection,
    login: str,
    name: str,
    roles: Collection[Role],
    *,
    password: str | None = None,
    issuer: str = LOCAL,
    subject: str | None = None,
    email: str | None = None,
    lang: str = "",
    company: str = "",
) -> Person:
    """Add a person; raises `Conflict` if the login (or issuer and subject) is taken.

    Callers check the roles with `access.roles.check_roles`; the database refuses excluded pairs.
    """
    row = conn.execute(
        insert(people)
        .values(
            id=str(uuid4()),
            issuer=issuer,
            subject=login if subject is None else subject,
            login=login,
            name=name,
            email=email,
            password_hash=_hasher.hash(password) if password is not None else None,
            roles=sorted(roles),
            lang=lang,
            company=company,
        )
        .on_conflict_do_nothing()
        .returning(people)
    ).one_or_none()
    if row is None:
        raise Conflict(f"There is already somebody with the login {login!r}.")
    bump_epoch(conn)
    return _person(row)


def person_with_login(conn: Connection, login: str) -> Person:
    """Return a person; raises `NotFound`."""
    row = conn.execute(sa.select(people).where(people.c.login == login)).one_or_none()
    if row is None:
        raise NotFound(f"There is nobody with the login {login!r}.")
    return _person(row)


def people_by_id(conn: Connection, ids: Collection[str]) -> dict[str, Person]:
    """Return these people by id, without those that there are not."""
    rows = conn.execute(sa.select(people).where(people.c.id.in_(ids)))
    return {row.id: _person(row) for row in rows}


def person_by_id(conn: Connection, person_id: str) -> Person | None:
    """Return a person, or None."""
    row = conn.execute(sa.select(people).where(people.c.id == person_id)).one_or_none()
    return _person(row) if row is not None else None


def person_with_subject(conn: Connection, issuer: str, subject: str) -> Person | None:
    """Return the person whom an issuer knows by this subject, or None."""
    row = conn.execute(
        sa.select(people).where(people.c.issuer == issuer, people.c.subject == subject)
    ).one_or_none()
    return _person(row) if row is not None else None


def list_people(conn: Connection) -> list[Person]:
    """Return everybody by login, the disabled ones too."""
    return [_person(row) for row in conn.execute(sa.select(people).order_by(people.c.login))]


def set_password(conn: Connection, login: str, password: str) -> None:
    """Replace a password and end the person's sessions; raises `NotFound`."""
    person = person_with_login(conn, login)
    conn.execute(
        sa.update(people)
        .where(people.c.id == person.id)
        .values(password_hash=_hasher.hash(password))
    )
    _end_sessions(conn, person.id)


def describe(
    conn: Connection, person: Person, name: str, email: str | None, roles: Collection[Role]
) -> bool:
    """Keep what an identity provider says of a person now; tells whether anything changed."""
    return amend(conn, replace(person, name=name, email=email, roles=frozenset(roles)))


def amend(conn: Connection, person: Person) -> bool:
    """Keep a person's name, e-mail, roles, language and company; tells whether any changed."""
    before = person_by_id(conn, person.id)
    if before is None or before == person:
        return False
    conn.execute(
        sa.update(people)
        .where(people.c.id == person.id)
        .values(
            name=person.name,
            email=person.email,
            roles=sorted(person.roles),
            lang=person.lang,
            company=person.company,
        )
    )
    if (before.roles, before.company) != (person.roles, person.company):
        bump_epoch(conn)
    return True


def set_roles(conn: Connection, login: str, roles: Collection[Role]) -> None:
    """Replace a person's roles; see `add_person` for excluded pairs."""
    person = person_with_login(conn, login)
    conn.execute(sa.update(people).where(people.c.id == person.id).values(roles=sorted(roles)))
    bump_epoch(conn)


def disable(conn: Connection, login: str) -> None:
    """Lock a person out from the next request on, ending all sessions; raises `NotFound`."""
    person = person_with_login(conn, login)
    conn.execute(
        sa.update(people)
        .where(people.c.id == person.id)
        .values(disabled_at=sa.func.coalesce(people.c.disabled_at, sa.func.now()))
    )
    # Whoever else locked them out before no longer lets them in alone.
    conn.execute(
        sa.update(scim_users).where(scim_users.c.person_id == person.id).values(locked=False)
    )
    sign_out_everywhere(conn, person.id)
    bump_epoch(conn)


def sign_out_everywhere(conn: Connection, person_id: str) -> None:
    """End a person's sessions, and the identity provider's tokens that were issued until now."""
    _end_sessions(conn, person_id)
    holders.sign_out(conn, person_id)


def n_open_sessions(conn: Connection) -> dict[str, int]:
    """Count the sessions that are good now, by the id of their person."""
    rows = conn.execute(
        sa.select(sessions.c.person_id, sa.func.count())
        .where(
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > sa.func.clock_timestamp(),
        )
        .group_by(sessions.c.person_id)
    )
    return {row[0]: row[1] for row in rows}


def enable(conn: Connection, login: str) -> None:
    """Let a person sign in again; raises `NotFound`."""
    person = person_with_login(conn, login)
    conn.execute(sa.update(people).where(people.c.id == person.id).values(disabled_at=None))
    bump_epoch(conn)


def sign_in(conn: Connection, login: str, password: str, seconds: float) -> str:
    """Check a password and return the token of a new session.

    Raises `Unauthenticated`, in the same words and about the same time for an unknown login, a
    wrong password, a person without one and a disabled person.
    """
    row = conn.execute(
        sa.select(people.c.id, people.c.password_hash, people.c.disabled_at).where(
            people.c.login == login, people.c.issuer == LOCAL
        )
    ).one_or_none()
    # Checked for an unknown login, so that it takes as long as a known one.
    stored = _nobodys_hash()
    if row is not None and row.password_hash is not None:
        stored = row.password_hash
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError) as error:
        raise Unauthenticated("The login or the password is wrong.") from error
    if row is None or row.password_hash is None or row.disabled_at is not None:
        raise Unauthenticated("The login or the password is wrong.")
    return start_session(conn, row.id, seconds)


def start_session(conn: Connection, person_id: str, seconds: float) -> str:
    """Return the token of a new session: 32 random bytes, of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    until = sa.func.now() + sa.literal(timedelta(seconds=seconds), sa.Interval)
    conn.execute(
        sa.insert(sessions).values(
            token_sha256=_token_hash(token), person_id=person_id, expires_at=until
        )
    )
    return token


def person_of(conn: Connection, token: str) -> Person:
    """Return who a token belongs to; raises `Unauthenticated` unless it is good now."""
    row = conn.execute(
        sa.select(people)
        .join(sessions, sessions.c.person_id == people.c.id)
        .where(
            sessions.c.token_sha256 == _token_hash(token),
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > sa.func.clock_timestamp(),
            people.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise Unauthenticated()
    return _person(row)


def revoke(conn: Connection, token: str) -> None:
    """End a session; an unknown token is ignored."""
    conn.execute(
        sa.update(sessions)
        .where(sessions.c.token_sha256 == _token_hash(token), sessions.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )


def _end_sessions(conn: Connection, person_id: str) -> None:
    conn.execute(
        sa.update(sessions)
        .where(sessions.c.person_id == person_id, sessions.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _person(row: sa.Row[*tuple[Any, ...]]) -> Person:
    return Person(
        id=row.id,
        issuer=row.issuer,
        subject=row.subject,
        login=row.login,
        name=row.name,
        email=row.email,
        roles=frozenset(row.roles),
        lang=row.lang,
        company=row.company,
        disabled_at=row.disabled_at,
        created_at=row.created_at,
    )
