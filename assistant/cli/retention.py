"""Retention of personal fields and conversations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from assistant import wiring
from assistant.cli.console import AsJson, Data, err, out, print_json, settings
from assistant.lifecycle import retention
from assistant.lifecycle.retention import Plan

app = typer.Typer(help="Forget what is older than the retention.", no_args_is_help=True)


@app.callback()
def about() -> None:
    """Forget what is older than the retention."""


@app.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Delete the keys of old months, and their conversations, unless a legal hold keeps them."""
    chosen = settings(data)
    months = chosen.audit.retention_months
    left: tuple[str, ...] = ()
    with wiring.database(chosen) as database:
        if dry_run:
            with database.snapshot() as conn:
                planned = retention.plan(conn, months)
        else:
            log = wiring.audit_log(chosen, database)
            done = retention.run(database, log, chosen.data_dir, months)
            planned, left = done.plan, done.keys_files_not_renewed
    if as_json:
        print_json({**asdict(planned), "dry_run": dry_run, "keys_files_not_renewed": left})
    else:
        _show(planned, dry_run=dry_run)
    for file in left:
        err.print(f"! {file} still holds old keys: delete every copy of it")


def _show(planned: Plan, *, dry_run: bool) -> None:
    if planned.on_hold:
        out.print("A legal hold on everything keeps all; nothing was forgotten.")
        return
    verb = "would be forgotten" if dry_run else "were forgotten"
    months = f" of {planned.months[0]} to {planned.months[-1]}" if planned.months else ""
    out.print(
        f"Before {planned.before}: {planned.n_keys} keys{months} and {planned.n_messages} messages "
        f"{verb}; holds keep {planned.n_held} keys."
    )
