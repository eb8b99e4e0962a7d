"""API keys of people and services."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant import wiring
from assistant.access.key import DEFAULT_SCOPES, give_key, service
from assistant.access.roles import KEYS_ONLY
from assistant.audit.event import SYSTEM, Event, KeyChanged, PersonChanged
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.errors import InvalidRequest
from assistant.store import keys, people

app = typer.Typer(help="API keys of people and of services.", no_args_is_help=True)


@app.command()
def add(
    user: Annotated[str, typer.Option(help="Login of the person whose key it is.")] = "",
    for_service: Annotated[
        str, typer.Option("--service", help="Service whose key it is; added if it is new.")
    ] = "",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A permission that the key has; repeatable. Without: ask and read."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="Role of a new service; repeatable.")
    ] = None,
    company: Annotated[
        str, typer.Option(help="Tenant of a new service, and of whom it pushes over SCIM.")
    ] = "",
    days: Annotated[int, typer.Option(help="Days until it ends.")] = 90,
    data: Data = None,
) -> None:
    """Add a key and print it, this once."""
    if bool(user) == bool(for_service):
        raise InvalidRequest("Name whose key it is: either --user or --service.")
    chosen, scopes = settings(data), scope or DEFAULT_SCOPES
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            if user:
                owner = people.person_with_login(conn, user)
            else:
                pushes = KEYS_ONLY & set(scopes)
                roles_of = role or ([] if pushes else ["employee"])
                owner, is_new = service(conn, for_service, roles_of, company)
                if is_new:
                    roles = tuple(sorted(owner.roles))
                    log.append(conn, Event(SYSTEM, PersonChanged(owner.id, "added", roles)))
            key_id, key = give_key(conn, chosen, owner, name, scopes, days)
            changed = KeyChanged(key_id, owner.id, "added", tuple(sorted(scopes)))
            log.append(conn, Event(SYSTEM, changed))
    out.print(f"Key {key_id} of {owner.login}, for {days} days. Shown once: {key}", markup=False)


@app.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        found = keys.list_keys(conn)
    if as_json:
        print_json(
            [
                {
                    "id": key.id,
                    "owner": key.login,
                    "name": key.name,
                    "scopes": sorted(key.scopes),
                    "created_at": key.created_at,
                    "expires_at": key.expires_at,
                    "revoked_at": key.revoked_at,
                }
                for key in found
            ]
        )
        return
    columns = ("id", "owner", "name", "scopes", "expires", "revoked")
    rows = [
        (k.id, k.login, k.name, ", ".join(sorted(k.scopes)), k.expires_at, k.revoked_at or "")
        for k in found
    ]
    print_table("Keys", columns, rows)


@app.command()
def revoke(key_id: str, data: Data = None) -> None:
    """End a key at once, and the answers that are being written for it."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            key = keys.revoke_key(conn, key_id)
            log.append(conn, Event(SYSTEM, KeyChanged(key.id, key.person_id, "revoked")))
    out.print(f"Key {key_id} of {key.login} is revoked.")
