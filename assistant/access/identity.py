"""From a session token, or a login on the command line, to a caller."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from assistant.access.break_glass import renew
from assistant.access.principals import principals_of
from assistant.access.roles import check_roles
from assistant.domain import Caller
from assistant.errors import NotFound, Unauthenticated
from assistant.store.people import (
    Person,
    add_person,
    disable,
    person_of,
    person_with_login,
    set_roles,
)
from assistant.store.standing import is_welcome


def caller_of_token(conn: Connection, token: str) -> Caller:
    """Return who a session token belongs to, with their groups as they are now.

    Raises `Unauthenticated` for a token that is unknown, expired or revoked, and for a disabled
    person.
    """
    return caller_of(conn, person_of(conn, token))


def caller_with_login(conn: Connection, login: str) -> Caller:
    """Return the caller that an operator acts as; raises `NotFound`, `Unauthenticated`."""
    person = person_with_login(conn, login)
    if person.disabled_at is not None:
        raise Unauthenticated(f"{login!r} is disabled; choose another person.")
    return caller_of(conn, person)


def caller_of(conn: Connection, person: Person) -> Caller:
    """Return a person as a caller, with their groups as they are now."""
    principals = principals_of(conn, person)
    renew(conn, principals)
    return Caller(
        person_id=person.id,
        name=person.name or person.login,
        roles=person.roles,
        principals=principals,
    )


def check_welcome(conn: Connection, caller: Caller) -> None:
    """Raise `Unauthenticated` once the caller, or what they came with, was locked out."""
    if not is_welcome(conn, caller.person_id, caller.credentials):
        raise Unauthenticated()


def create_person(
    conn: Connection,
    login: str,
    name: str,
    roles: Collection[str],
    *,
    password: str | None = None,
    email: str | None = None,
    lang: str = "",
    company: str = "",
) -> Person:
    """Add a local person; raises `Conflict` for a taken login, `InvalidRequest` for the roles."""
    return add_person(
        conn,
        login,
        name,
        check_roles(roles),
        password=password,
        email=email,
        lang=lang,
        company=company,
    )


def change_roles(conn: Connection, login: str, roles: Collection[str]) -> None:
    """Give a person other roles; raises `NotFound`, and `InvalidRequest` for the roles."""
    set_roles(conn, login, check_roles(roles))


def lock_out(conn: Connection, login: str) -> Person:
    """Disable somebody at once; raises `NotFound`.

    `ISSUER|SUBJECT` names somebody of an identity provider, who need not have come yet.
    """
    issuer, _, subject = login.partition("|")
    try:
        disable(conn, login)
    except NotFound:
        if not subject:
            raise
        add_person(conn, login, "", (), issuer=issuer, subject=subject)
        disable(conn, login)
    return person_with_login(conn, login)


def ensure_person(
    conn: Connection, login: str, name: str, roles: Collection[str], **details: str
) -> Person:
    """Return the person with this login, adding them first if there is none."""
    try:
        return person_with_login(conn, login)
    except NotFound:
        return create_person(conn, login, name, roles, **details)
