"""Backups of everything, encrypted, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant import wiring
from assistant.cli.console import AsJson, Data, err, out, print_json, settings
from assistant.cli.models import embedder_progress
from assistant.errors import AuditTampered, IndexUnusable
from assistant.lifecycle import backup, sealed
from assistant.lifecycle.backup import Restored
from assistant.lifecycle.erasure import Eraser
from assistant.retrieval.comparison import compared
from assistant.settings import Settings
from assistant.store.database import Database, open_database

KEYS_NAME = "assistant.keys"

app = typer.Typer(help="Back everything up, encrypted, and restore it.", no_args_is_help=True)
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help=f"The file of keys; `{KEYS_NAME}` beside the backup without."),
]


@app.callback()
def about() -> None:
    """Back everything up, encrypted, and restore it."""


@app.command()
def key(
    identity: Annotated[Path, typer.Argument(help="A new file; keep it away from the server.")],
    data: Data = None,
) -> None:
    """Make the key that backups are read with; the data folder keeps only its public half."""
    chosen = settings(data)
    sealed.make_identity(identity, chosen.data_dir)
    out.print(f"Backups can be read with {identity} only. Without it they are lost: keep two.")


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    keys: Keys = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write a snapshot of everything to a file, while syncs and questions go on."""
    chosen = settings(data)
    beside = keys or file.parent / KEYS_NAME
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        made = backup.create(database, log, chosen.data_dir, file, beside)
    if as_json:
        print_json({"file": made.file, "keys": made.keys_file, "sha256": made.sha256})
        return
    out.print(f"✓ {made.file}: everything up to event {made.n_events}, sha256 {made.sha256}")
    out.print(f"✓ {made.keys_file}: the keys as of now; keep no older copy of this file")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    identity: Annotated[Path, typer.Option(help="The file that `backup key` made.")],
    keys: Keys = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also verify the audit log and build the index.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty data folder or database."""
    chosen = settings(data)
    opened = open_database(chosen)
    try:
        found = backup.restore(
            opened,
            chosen.data_dir,
            file,
            keys or file.parent / KEYS_NAME,
            sealed.read_identity(identity),
        )
        log = wiring.audit_log(chosen, opened)
        log.record(backup.restored_event(found, file))
        Eraser(opened, log, chosen.data_dir).reapply()
        backup.end_restore(opened)
        n_events, n_passages = _verified(chosen, opened) if verify else (None, None)
    finally:
        opened.close()
    if as_json:
        print_json(
            {
                "created_at": found.created_at,
                "rows": found.n_rows,
                "lost_events": found.n_lost_events,
                "verified_events": n_events,
                "verified_passages": n_passages,
            }
        )
        return
    _say(found, n_events, n_passages)


def _verified(chosen: Settings, opened: Database) -> tuple[int, int]:
    """Verify the log and the index built anew; returns the numbers of events and passages."""
    found = wiring.audit_log(chosen, opened).verify()
    if not found.ok:
        raise AuditTampered(
            f"The restored audit log does not verify from event {found.first_bad_seq} on: "
            f"{found.reason}."
        )
    model = wiring.embedder(chosen, embedder_progress())
    with wiring.shelf(chosen, opened) as shelf:
        follower = shelf.start(model.name, model.dimension)
        try:
            same = compared(follower, opened)
            shelf.save(follower)
        finally:
            follower.index.close()
    if not same.is_equal:
        raise IndexUnusable("The index differs from the restored database; run `index build`.")
    return found.n_events, same.n


def _say(found: Restored, n_events: int | None, n_passages: int | None) -> None:
    out.print(f"✓ Restored {found.n_rows} rows of {found.created_at[:19]}")
    if found.n_lost_events:
        err.print(
            f"! {found.n_lost_events} audit events were signed after this backup and are lost; "
            "their heads are kept in audit/."
        )
    if n_events is not None:
        out.print(f"✓ {n_events} events verify; the index holds {n_passages} passages")
