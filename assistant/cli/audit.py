"""The auditor's commands."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from assistant import wiring
from assistant.answering import replay
from assistant.audit import keys, siem, verifier
from assistant.audit.event import SYSTEM, AuditRead, Event
from assistant.cli.console import AsJson, Data, err, out, print_json, print_table, settings
from assistant.cli.models import embedder_progress
from assistant.errors import AuditTampered, InvalidRequest
from assistant.store.ledger import Wanted

app = typer.Typer(help="Prove what was asked, read and answered.", no_args_is_help=True)


class Format(StrEnum):
    """What an export is written as; only JSONL comes with a proof."""

    jsonl = "jsonl"
    cef = "cef"
    ocsf = "ocsf"


@app.callback()
def about() -> None:
    """Prove what was asked, read and answered."""


@app.command()
def verify(data: Data = None, as_json: AsJson = False) -> None:
    """Hash every event again and compare with every signed tree head."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
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
    prove(int(receipt_id), data)


@app.command()
def prove(
    seq: Annotated[int, typer.Argument(min=0, help="The number of an event.")], data: Data = None
) -> None:
    """Print any event with the proof that it is in the signed log."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        proven = log.receipt(seq)
        log.record(Event(SYSTEM, AuditRead(seq, seq, "prove")))
    print_json(proven)


@app.command()
def search(
    person: Annotated[str, typer.Option(help="The id of who did it.")] = "",
    about: Annotated[str, typer.Option(help="A document's, source's or conversation's id.")] = "",
    type_: Annotated[str, typer.Option("--type", help="`query.finished`, or just `query`.")] = "",
    query: Annotated[str, typer.Option(help="A question's id.")] = "",
    since: Annotated[datetime | None, typer.Option(help="From this time on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this time (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Find events by person, document, type and time, the newest first; this is recorded too."""
    chosen = settings(data)
    wanted = Wanted(type_, person, query, about, _utc(since), _utc(until))
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        found = [json.loads(body) for body in log.find(wanted, limit)]
        first, last = (found[-1]["seq"], found[0]["seq"]) if found else (0, -1)
        log.record(Event(SYSTEM, AuditRead(first, last, "search")))
    if as_json:
        print_json(found)
        return
    rows = [
        (e["seq"], e["at"][:19], e["type"], e["actor"]["person_id"], json.dumps(e["data"])[:100])
        for e in found
    ]
    print_table("Events", ("seq", "at", "type", "who", "data"), rows)


@app.command()
def export(
    first: Annotated[int, typer.Option(min=0, help="The first event.")] = 0,
    last: Annotated[int | None, typer.Option(min=0, help="The last event.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.jsonl,
    file: Annotated[
        Path | None, typer.Option("--out", help="A new file; standard output without.")
    ] = None,
    data: Data = None,
) -> None:
    """Write events out, recorded before the first byte; JSONL ends with a proof for `verifier`."""
    chosen = settings(data)
    write: dict[Format, Callable[[bytes], bytes]] = {
        Format.jsonl: lambda line: line + b"\n",
        Format.cef: siem.cef,
        Format.ocsf: siem.ocsf,
    }
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        end = log.size if last is None else last + 1
        log.record(Event(SYSTEM, AuditRead(first, end - 1, f"export {format_}")))
        n_written = 0
        with _opened(file) as target:
            for line in log.export(first, end):
                is_proof = line.startswith(b'{"proof"')
                if format_ is Format.jsonl or not is_proof:
                    target.write(write[format_](line.rstrip(b"\n")))
                    n_written += not is_proof
    err.print(f"{n_written} events exported")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None else None


def _opened(file: Path | None) -> BinaryIO:
    if file is None:
        return open(sys.stdout.fileno(), "wb", closefd=False)
    try:
        return file.open("xb")
    except FileExistsError as error:
        raise InvalidRequest(f"{file} is there already; name a new file.") from error


@app.command(name="replay")
def replay_(
    query: Annotated[str, typer.Argument(help="The question's id, as its events have it.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Search once more as of a question's moment, and compare; exit code 1 if it differs."""
    chosen = settings(data)
    with wiring.assistant(chosen, embedder_progress()) as assistant:
        found = replay.replay(
            query,
            audit=assistant.audit,
            database=assistant.database,
            retriever=assistant.retriever,
            embedder=assistant.embedder.name,
        )
        assistant.audit.record(Event(SYSTEM, AuditRead(0, -1, f"replay {query}")))
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        columns = ("place then", "place again", "document", "rule then", "now", "text")
        rows = [
            (n, c.place, c.document_id, c.rule_then, c.rule_now, c.text)
            for n, c in enumerate(found.chunks, 1)
        ]
        print_table(f"{found.question} · {found.asked_at[:19]}", columns, rows)
        for change in found.changed:
            out.print(f"changed since: {change}")
        out.print(f"{found.n_lost} documents of then were deleted or replaced since")
    if not found.same:
        raise replay.ReplayDiffers()
    out.print(f"✓ the same passages{' in the same order' if found.identical else ''}")


@app.command(name="verifier")
def verifier_() -> None:
    """Print the program that verifies receipts and exports on another machine."""
    sys.stdout.write(Path(verifier.__file__).read_text(encoding="utf-8"))


@app.command()
def key(data: Data = None) -> None:
    """Print the public key that receipts and exports are verified with, as PEM."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        sys.stdout.write(keys.public_pem(wiring.audit_log(chosen, database).public_key).decode())


@app.command()
def seal(
    every: Annotated[
        float, typer.Option(min=0, help="Look again after so many seconds; 0 seals once.")
    ] = 0,
    key_folder: Annotated[
        Path | None,
        typer.Option("--keys", help="The sealer's own folder, with `audit.sealer = separate`."),
    ] = None,
    copy: Annotated[
        Path | None, typer.Option(help="Another file for the heads, out of the server's reach.")
    ] = None,
    data: Data = None,
) -> None:
    """Sign the tree over all events; with --every, when a minute or 1,000 events have passed."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        log = wiring.sealer(chosen, database, key_folder, copy)
        head = log.seal()
        out.print(f"Sealed {head.size if head else 0} events")
        while every:
            time.sleep(every)
            log.seal_if_due()
