"""Typed records of documents, as a person may read them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from assistant import wiring
from assistant.access.acl import access_filter, confirmed_since
from assistant.access.identity import caller_with_login
from assistant.cli.console import AsJson, Data, print_json, print_table, settings
from assistant.errors import InvalidRequest
from assistant.store import records
from assistant.store.patients import with_other_names
from assistant.store.records import Asked, StoredRecord, Total
from connectors.readers.record import record_json

app = typer.Typer(help="What documents state, as typed records.", no_args_is_help=True)

As = Annotated[str, typer.Option("--as", help="Login of the person who asks.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Such as transaction; repeatable.")]
Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="Such as account:DE12; repeatable.")
]
Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Ends then or later.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Begins by then.")]
Unit = Annotated[str | None, typer.Option(help="The unit of the value, such as EUR.")]
Bound = Annotated[str | None, typer.Option(help="A bound of the value.")]


@app.command(name="list")
def list_(
    login: As,
    kind: Kinds = None,
    subject: Subjects = None,
    since: Since = None,
    until: Until = None,
    key: Annotated[str, typer.Option(help="The value that bounds and unit speak of.")] = "amount",
    unit: Unit = None,
    least: Bound = None,
    most: Bound = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List records that a person may read."""
    asked = _asked(kind, subject, since, until, key, unit, least, most)
    chosen = settings(data)
    with wiring.database(chosen) as database, database.begin() as conn:
        access = access_filter(conn, caller_with_login(conn, login))
        readable, closed = access.access_ids, access.closed_collections
        as_of = confirmed_since(conn, chosen.sync.acl_max_age_s)
        asked = with_other_names(
            conn, readable, asked, confirmed_since=as_of, closed_collections=closed
        )
        found = records.find(
            conn, readable, asked, confirmed_since=as_of, closed_collections=closed, limit=limit
        )
    if as_json:
        print_json([_document(one) for one in found])
        return
    rows = [
        (one.record.kind, one.record.id, one.record.subject, one.title, one.chunk_id or "")
        for one in found
    ]
    print_table("Records", ("kind", "id", "subject", "document", "passage"), rows)


@app.command(name="sum")
def sum_(
    login: As,
    key: Annotated[str, typer.Option(help="The value to sum.")] = "amount",
    kind: Kinds = None,
    subject: Subjects = None,
    since: Since = None,
    until: Until = None,
    unit: Unit = None,
    least: Bound = None,
    most: Bound = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Sum a value of records that a person may read, each kind and unit alone."""
    asked = _asked(kind, subject, since, until, key, unit, least, most)
    chosen = settings(data)
    with wiring.database(chosen) as database, database.begin() as conn:
        access = access_filter(conn, caller_with_login(conn, login))
        readable, closed = access.access_ids, access.closed_collections
        as_of = confirmed_since(conn, chosen.sync.acl_max_age_s)
        asked = with_other_names(
            conn, readable, asked, confirmed_since=as_of, closed_collections=closed
        )
        found = records.totals(
            conn, readable, asked, confirmed_since=as_of, closed_collections=closed
        )
    if as_json:
        print_json([_sum(total) for total in found])
        return
    names = ("kind", "unit", "records", "total", "least", "most")
    rows = [
        (t.kind, t.unit, t.n_records, *(f"{n:,f}" for n in (t.total, t.least, t.most)))
        for t in found
    ]
    print_table("Totals", names, rows)


def _asked(
    kind: list[str] | None,
    subject: list[str] | None,
    since: datetime | None,
    until: datetime | None,
    key: str,
    unit: str | None,
    least: str | None,
    most: str | None,
) -> Asked:
    return Asked(
        kinds=frozenset(kind or ()),
        subjects=frozenset(subject or ()),
        since=_day(since),
        until=_day(until),
        key=key,
        unit=unit,
        least=_number(least),
        most=_number(most),
    )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise InvalidRequest(f"{text!r} is not a number; write it like 1234.50.")
    return number


def _document(one: StoredRecord) -> dict[str, object]:
    shown = record_json(one.record)
    shown.pop("block")
    return {
        **shown,
        "document": one.document_id,
        "version": one.version_no,
        "title": one.title,
        "chunk_id": one.chunk_id,
    }


def _sum(total: Total) -> dict[str, object]:
    return {
        "kind": total.kind,
        "unit": total.unit,
        "n_records": total.n_records,
        "total": f"{total.total:f}",
        "least": f"{total.least:f}",
        "most": f"{total.most:f}",
    }
