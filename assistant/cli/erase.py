"""Erasing a person from everything, with a certificate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from assistant import wiring
from assistant.cli.console import AsJson, Data, err, out, print_json, print_table, settings
from assistant.errors import InvalidRequest
from assistant.lifecycle import erasure
from assistant.lifecycle.erasure import Eraser, Places


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(erase)


def erase(
    subject: Annotated[
        list[str] | None,
        typer.Option(help="A login, e-mail, full name or number of the person; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the places.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only finish erasures that were cut short.")
    ] = False,
    release: Annotated[
        str, typer.Option(help="Only let syncs bring back what this erasure took, by its id.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option("--out", help="A new file for the certificate.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person from documents, vectors, index, conversations, log and keys of backups."""
    if not subject and not resume and not release:
        raise InvalidRequest("Name whom to erase with --subject, or use --resume.")
    if file is not None and file.exists():
        raise InvalidRequest(f"{file} is there already; name a new file.")
    chosen = settings(data)
    with wiring.database(chosen) as database:
        eraser = Eraser(database, wiring.audit_log(chosen, database), chosen.data_dir)
        if release:
            n_items = eraser.release(release)
            out.print(f"{n_items} items may come back; run `sync run --full` for their sources.")
            return
        if dry_run:
            _show(eraser.find(subject or []), as_json=as_json)
            return
        done = eraser.resume()
        if subject:
            done.append(eraser.erase(subject))
    for certificate in done:
        if file is not None and certificate is done[-1]:
            file.write_text(erasure.as_json(certificate), encoding="utf-8")
        if as_json:
            print_json(certificate)
            continue
        body = certificate["certificate"]
        out.print(f"✓ Erasure {body['erasure_id']}: {len(body['documents'])} documents")
        for left in body["keys_files_not_renewed"]:
            err.print(f"! {left} still holds erased keys: delete every copy of it")
    err.print("Running servers forget within seconds; syncs leave out what was erased.")


def _show(places: Places, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(places))
        return
    rows = [
        (name, len(value) if isinstance(value, tuple) else value)
        for name, value in asdict(places).items()
    ]
    print_table("Where the subject is", ("place", "how many"), rows)
    out.print("Nothing was changed.")
