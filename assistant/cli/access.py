"""People who may sign in."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from assistant import wiring
from assistant.access.identity import change_roles, create_person, lock_out
from assistant.audit.event import SYSTEM, Event, PersonChanged
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.store import people

app = typer.Typer(help="People who may sign in.", no_args_is_help=True)


@app.command()
def add(
    login: Annotated[str, typer.Argument(help="What the person types to sign in.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    role: Annotated[
        list[str] | None, typer.Option(help="employee, integrator, admin or auditor; repeatable.")
    ] = None,
    lang: Annotated[str, typer.Option(help="en or pt")] = "en",
    data: Data = None,
) -> None:
    """Add somebody and print a password to give them."""
    password = secrets.token_urlsafe(12)
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            person = create_person(
                conn, login, name or login, role or ["employee"], password=password, lang=lang
            )
            roles = tuple(sorted(person.roles))
            log.append(conn, Event(SYSTEM, PersonChanged(person.id, "added", roles)))
    out.print(f"Added {login}. Password, shown once: {password}", markup=False)


@app.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """List the people."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        found = people.list_people(conn)
    if as_json:
        print_json(
            [
                {
                    "login": p.login,
                    "name": p.name,
                    "roles": sorted(p.roles),
                    "disabled": p.disabled_at is not None,
                }
                for p in found
            ]
        )
        return
    rows = [(p.login, p.name, ", ".join(sorted(p.roles)), p.disabled_at or "") for p in found]
    print_table("People", ("login", "name", "roles", "disabled"), rows)


@app.command()
def roles(
    login: str,
    role: Annotated[list[str], typer.Option(help="A role that they are to have; repeatable.")],
    data: Data = None,
) -> None:
    """Give somebody other roles, in force with their next request."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            change_roles(conn, login, role)
            person = people.person_with_login(conn, login)
            changed = PersonChanged(person.id, "roles", tuple(sorted(person.roles)))
            log.append(conn, Event(SYSTEM, changed))
    out.print(f"{login} is {', '.join(sorted(person.roles))}.")


@app.command()
def password(login: str, data: Data = None) -> None:
    """Replace somebody's password by one that is printed once; this ends their sessions."""
    chosen, new = settings(data), secrets.token_urlsafe(12)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            people.set_password(conn, login, new)
            person = people.person_with_login(conn, login)
            log.append(conn, Event(SYSTEM, PersonChanged(person.id, "password")))
    out.print(f"Password of {login}, shown once: {new}", markup=False)


@app.command()
def enable(login: str, data: Data = None) -> None:
    """Let somebody sign in again; what was ended stays so."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            people.enable(conn, login)
            person = people.person_with_login(conn, login)
            log.append(conn, Event(SYSTEM, PersonChanged(person.id, "enabled")))
    out.print(f"{login} may sign in again.")


@app.command()
def disable(login: str, data: Data = None) -> None:
    """Lock somebody out at once: sessions, tokens, keys, running answers and history.

    `ISSUER|SUBJECT` also locks out somebody of an identity provider who never came.
    """
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            person = lock_out(conn, login)
            log.append(conn, Event(SYSTEM, PersonChanged(person.id, "disabled")))
    out.print(f"{login} is locked out.")
