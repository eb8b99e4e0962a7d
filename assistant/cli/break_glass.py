"""Access for a while, which two people give."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from assistant import wiring
from assistant.access import break_glass
from assistant.audit.break_glass import (
    BreakGlassApproved,
    BreakGlassAsked,
    BreakGlassEnded,
    BreakGlassRefused,
)
from assistant.audit.event import SYSTEM, Actor, Event
from assistant.audit.uses import record_expired
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.store import break_glass as rows
from assistant.store import people
from assistant.store.people import Person

app = typer.Typer(help="Access for a while, which two people give.", no_args_is_help=True)


@app.command()
def ask(
    user: Annotated[str, typer.Option(help="Login of the person who needs it.")],
    reason: Annotated[str, typer.Option(help="Why, for the second person and for auditors.")],
    doc: Annotated[str, typer.Option(help="The document's id.")] = "",
    named: Annotated[str, typer.Option(help="Or its title, address or path.")] = "",
    collection: Annotated[str, typer.Option(help="Or a whole collection.")] = "",
    hours: Annotated[int, typer.Option(help="For how long, from the approval on.")] = 1,
    data: Data = None,
) -> None:
    """Ask for a document or a collection in somebody's name; a second person must approve."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            person = people.person_with_login(conn, user)
            found = break_glass.ask(
                conn,
                person,
                document_id=doc,
                named=named,
                collection=collection,
                reason=reason,
                hours=hours,
                max_hours=chosen.access.break_glass_hours,
            )
            asked = BreakGlassAsked(found.id, doc, collection, hours, found.reason, named)
            log.append(conn, Event(_actor(person), asked))
    out.print(f"Asked: {found.id}. It lapses unless approved within {rows.PATIENCE_H} hours.")


@app.command()
def approve(
    request_id: str,
    by: Annotated[str, typer.Option(help="Login of the second person, an admin.")],
    doc: Annotated[str, typer.Option(help="Which document, if several are called so.")] = "",
    data: Data = None,
) -> None:
    """Give the access that somebody else asked for, from now on."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            record_expired(log, conn)
            approver = people.person_with_login(conn, by)
            max_age_s = chosen.sync.acl_max_age_s
            found = break_glass.approve(conn, request_id, approver, max_age_s, document_id=doc)
            approved = BreakGlassApproved(
                found.id, found.person_id, str(found.expires_at), found.document_id
            )
            log.append(conn, Event(_actor(approver), approved))
    out.print(f"Approved until {found.expires_at}.")


@app.command()
def refuse(
    request_id: str,
    by: Annotated[str, typer.Option(help="Login of the second person, an admin.")],
    answer: Annotated[str, typer.Option(help="What to say to whoever asked.")] = "",
    data: Data = None,
) -> None:
    """Refuse what somebody else asked for."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            refuser = people.person_with_login(conn, by)
            found = break_glass.refuse(conn, request_id, refuser, answer)
            refused = BreakGlassRefused(found.id, found.person_id, found.answer)
            log.append(conn, Event(_actor(refuser), refused))
    out.print(f"{request_id} is refused.")


@app.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """List the requests: those that wait, are active, ended, lapsed or refused."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            record_expired(log, conn)
            found = rows.requests(conn)
            logins = {person.id: person.login for person in people.list_people(conn)}
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    columns = ("id", "state", "who", "what", "until", "decided by", "reason")
    print_table(
        "Access for a while",
        columns,
        [
            (
                one.id,
                one.state,
                logins.get(one.person_id, ""),
                one.named or one.document_id or one.collection,
                one.expires_at or f"{one.hours} h",
                logins.get(one.approved_by or one.refused_by or "", ""),
                one.reason,
            )
            for one in found
        ],
    )


@app.command()
def end(request_id: str, data: Data = None) -> None:
    """End access at once, or withdraw a request."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            found = break_glass.end(conn, request_id, None)
            how = "ended" if found.approved_at is not None else "withdrawn"
            log.append(conn, Event(SYSTEM, BreakGlassEnded(found.id, found.person_id, how)))
    out.print(f"{request_id} is {how}.")


def _actor(person: Person) -> Actor:
    return Actor(person.id, roles=tuple(sorted(person.roles)))
