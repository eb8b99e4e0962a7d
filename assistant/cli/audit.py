"""The auditor's commands."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant import wiring
from assistant.audit.log import AuditLog
from assistant.cli.console import AsJson, Data, out, print_json, settings
from assistant.errors import AuditTampered, InvalidRequest

app = typer.Typer(help="Prove what was asked, read and answered.", no_args_is_help=True)


@app.callback()
def about() -> None:
    """Prove what was asked, read and answered."""


@app.command()
def verify(data: Data = None, as_json: AsJson = False) -> None:
    """Hash every event again and compare with every signed tree head."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = AuditLog(database, chosen.data_dir)
        found = log.verify()
        if found.ok:
            log.seal()
    if as_json:
        print_json(
            {
                "ok": found.ok,
                "events": found.n_events,
                "heads": found.n_heads,
                "first_bad_seq": found.first_bad_seq,
                "reason": found.reason,
            }
        )
    elif found.ok:
        out.print(f"✓ {found.n_events} events and {found.n_heads} signed heads verify")
    if not found.ok:
        where = "" if found.first_bad_seq is None else f" from event {found.first_bad_seq} on"
        raise AuditTampered(f"The audit log does not verify{where}: {found.reason}.")


@app.command()
def receipt(
    receipt_id: Annotated[str, typer.Argument(help="The id that an answer shows.")],
    data: Data = None,
) -> None:
    """Print an answer's receipt: its event, the proof and the signed head."""
    if not receipt_id.isdecimal():
        raise InvalidRequest(f"{receipt_id!r} is no receipt's id; an answer shows it.")
    chosen = settings(data)
    with wiring.database(chosen) as database:
        print_json(AuditLog(database, chosen.data_dir).receipt(int(receipt_id)))
