"""Legal holds."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from assistant import wiring
from assistant.audit.event import SYSTEM, Event
from assistant.audit.life_cycle import HoldChanged
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.errors import InvalidRequest
from assistant.store import holds

app = typer.Typer(help="Legal holds: what must not be deleted.", no_args_is_help=True)


class Kind(StrEnum):
    """What a hold covers."""

    subject = "subject"
    document = "document"
    collection = "collection"
    everything = "everything"


@app.callback()
def about() -> None:
    """Legal holds: what must not be deleted."""


@app.command()
def create(
    kind: Annotated[Kind, typer.Argument(help="What the hold covers.")],
    value: Annotated[str, typer.Argument(help="Which one; nothing for `everything`.")] = "",
    reason: Annotated[str, typer.Option(help="Why, such as the number of a case.")] = "",
    data: Data = None,
) -> None:
    """Forbid erasures of what is named until the hold is released."""
    if (kind is Kind.everything) == bool(value.strip()):
        raise InvalidRequest("Name what to hold; only `everything` stands alone.")
    if not reason.strip():
        raise InvalidRequest("Say why with --reason.")
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            hold = holds.create(conn, kind.value, value.strip(), reason.strip(), SYSTEM.person_id)
            log.append(conn, Event(SYSTEM, HoldChanged(hold.id, "created")))
    out.print(f"Hold {hold.id} is in force.")


@app.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """List the holds, released ones too."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        found = holds.listed(conn)
    if as_json:
        print_json([asdict(hold) for hold in found])
        return
    rows = [(h.id, h.kind, h.value, h.reason, h.created_at, h.released_at or "") for h in found]
    print_table("Holds", ("id", "kind", "value", "reason", "created", "released"), rows)


@app.command()
def release(
    hold_id: Annotated[str, typer.Argument(help="The id that `hold list` shows.")],
    data: Data = None,
) -> None:
    """End a hold."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            hold = holds.release(conn, hold_id)
            log.append(conn, Event(SYSTEM, HoldChanged(hold.id, "released")))
    out.print(f"Hold {hold.id} is released.")
