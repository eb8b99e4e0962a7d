"""Typed records of documents: filtered and summed under the access of whoever asks.

Every query takes the ACLs that its caller may read under, and sees the records of live documents
under these alone. A record is written, replaced and deleted with its document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from assistant.domain import ChunkId, DocumentId
from assistant.store.copying import copying
from assistant.store.tables import chunks, documents, records, sources
from connectors.readers.record import Period, Quantity, Record, record_json, record_of

_COLUMNS = {
    "document_id": "text",
    "ord": "int4",
    "chunk_ord": "int4",
    "kind": "text",
    "record_id": "text",
    "subject": "text",
    "starts_on": "date",
    "ends_on": "date",
    "values": "jsonb",
}
PATIENTS = frozenset({"patient", "merged_patient"})
"""Kinds of records that tell by which identifiers a patient is known."""

_COPY = "COPY records ({}) FROM STDIN (FORMAT BINARY)".format(
    ", ".join(f'"{name}"' for name in _COLUMNS)
)


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to store; `chunk_ord` is the place of the chunk that words it, from 0."""

    record: Record
    chunk_ord: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What records are wanted; what is empty or None does not matter.

    `since` and `until` are days that a record's period must touch. `unit`, `least` and `most`
    speak of the value `key`, a quantity or number; without them it need not have one.
    `references` are further subjects, each only in the source with this id.
    """

    kinds: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    record_id: str = ""
    since: date | None = None
    until: date | None = None
    key: str = ""
    unit: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    references: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record with the document that states it, and the chunk that words it."""

    record: Record
    document_id: DocumentId
    version_no: int
    title: str
    uri: str
    chunk_id: ChunkId | None


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a value over records of one kind and one unit; currencies are never mixed."""

    kind: str
    unit: str
    n_records: int
    total: Decimal
    least: Decimal
    most: Decimal


def add(conn: Connection, document_id: DocumentId, new: Sequence[NewRecord]) -> None:
    """Store the records of a document that has none."""
    if not new:
        return
    with copying(conn, _COPY) as copy:
        copy.set_types(list(_COLUMNS.values()))
        for number, one in enumerate(new):
            record = one.record
            starts_on, ends_on = days(record)
            values = Jsonb(record_json(record)["values"])
            copy.write_row(
                (
                    document_id,
                    number,
                    one.chunk_ord,
                    record.kind,
                    record.id,
                    record.subject,
                    starts_on,
                    ends_on,
                    values,
                )
            )


def drop(conn: Connection, document_ids: Sequence[str]) -> None:
    """Delete the records of documents."""
    wanted = sa.literal(list(document_ids), sa.ARRAY(sa.Text))
    conn.execute(sa.delete(records).where(records.c.document_id == sa.any_(wanted)))


def find(
    conn: Connection,
    access_ids: Collection[int],
    asked: Asked,
    *,
    confirmed_since: datetime | None = None,
    closed_collections: Collection[str] = (),
    limit: int = 100,
    offset: int = 0,
) -> list[StoredRecord]:
    """Return records under these ACLs, the newest periods first.

    `confirmed_since` leaves out documents whose source has not confirmed its access since then.
    """
    query = (
        sa.select(
            records,
            documents.c.version_no,
            documents.c.title,
            documents.c.uri,
            chunks.c.id.label("chunk_id"),
        )
        .select_from(_readable())
        .outerjoin(
            chunks,
            sa.and_(
                chunks.c.document_id == records.c.document_id, chunks.c.ord == records.c.chunk_ord
            ),
        )
        .where(*_conditions(access_ids, asked, confirmed_since, closed_collections))
        .order_by(records.c.ends_on.desc().nulls_last(), records.c.document_id, records.c.ord)
        .limit(limit)
        .offset(offset)
    )
    return [_stored(row) for row in conn.execute(query)]


def totals(
    conn: Connection,
    access_ids: Collection[int],
    asked: Asked,
    *,
    confirmed_since: datetime | None = None,
    closed_collections: Collection[str] = (),
) -> list[Total]:
    """Sum the value `asked.key` over records under these ACLs, for each kind and unit alone.

    Records that repeat another of their document (`duplicate`) don't count.
    """
    amount, unit = _amount(asked.key), _unit(asked.key)
    query = (
        sa.select(
            records.c.kind,
            unit.label("unit"),
            sa.func.count(),
            sa.func.sum(amount),
            sa.func.min(amount),
            sa.func.max(amount),
        )
        .select_from(_readable())
        .where(*_conditions(access_ids, asked, confirmed_since, closed_collections))
        .where(amount.is_not(None), ~_values().has_key("duplicate"))
        .group_by(records.c.kind, sa.literal_column("unit"))
        .order_by(records.c.kind, sa.literal_column("unit"))
    )
    return [Total(*row) for row in conn.execute(query)]


def counts(
    conn: Connection,
    access_ids: Collection[int],
    asked: Asked,
    *,
    confirmed_since: datetime | None = None,
    closed_collections: Collection[str] = (),
) -> dict[str, int]:
    """Count records under these ACLs by kind."""
    query = (
        sa.select(records.c.kind, sa.func.count())
        .select_from(_readable())
        .where(*_conditions(access_ids, asked, confirmed_since, closed_collections))
        .group_by(records.c.kind)
        .order_by(records.c.kind)
    )
    return {str(row[0]): int(row[1]) for row in conn.execute(query)}


def patients(
    conn: Connection,
    access_ids: Collection[int],
    names: Collection[str],
    *,
    confirmed_since: datetime | None = None,
    closed_collections: Collection[str] = (),
) -> list[tuple[int, Record]]:
    """Return the records that tell who a patient is, each with the id of its source.

    `names` are subjects; a record is about one of them by its own subject or an identifier.
    """
    identifiers = [name.partition(":")[2] for name in names]
    shared = _values()["identifiers"].has_any(_texts(i for i in identifiers if i[:1] != "|"))
    query = (
        sa.select(records, documents.c.source_id)
        .select_from(_readable())
        .where(
            *_conditions(access_ids, Asked(PATIENTS), confirmed_since, closed_collections),
            sa.or_(records.c.subject == sa.any_(_texts(names)), shared),
        )
    )
    return [(int(row.source_id), _record(row)) for row in conn.execute(query)]


def days(record: Record) -> tuple[date | None, date | None]:
    """Return the first and last day that a record speaks of: its period, else its earliest day."""
    values = record.values
    named = [values[key] for key in ("period", "date", "time") if key in values]
    for value in [*named, *values.values()]:
        if isinstance(value, Period):
            return value.start or value.end, value.end or value.start
        if isinstance(value, datetime):
            return value.date(), value.date()
        if isinstance(value, date):
            return value, value
    return None, None


def quantity(record: Record, key: str) -> Quantity | None:
    """Return the value that sums are made of: a quantity, or a number without a unit."""
    value = record.values.get(key)
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Quantity(Decimal(value), "")


def _readable() -> sa.FromClause:
    return records.join(documents, records.c.document_id == documents.c.id).join(
        sources, documents.c.source_id == sources.c.id
    )


def _conditions(
    access_ids: Collection[int],
    asked: Asked,
    confirmed_since: datetime | None,
    closed_collections: Collection[str],
) -> Iterable[sa.ColumnElement[bool]]:
    yield documents.c.state == "live"
    yield documents.c.access_id == sa.any_(sa.literal(sorted(access_ids), sa.ARRAY(sa.Integer)))
    yield documents.c.collection.not_in(sorted(closed_collections))
    if confirmed_since is not None:
        yield sources.c.synced_at >= confirmed_since
    if asked.kinds:
        yield records.c.kind == sa.any_(_texts(asked.kinds))
    if asked.subjects:
        named = records.c.subject == sa.any_(_texts(asked.subjects))
        within = sa.tuple_(documents.c.source_id, records.c.subject)
        yield sa.or_(named, within.in_(sorted(asked.references)))
    if asked.record_id:
        yield records.c.record_id == asked.record_id
    if asked.since is not None:
        yield records.c.ends_on >= asked.since
    if asked.until is not None:
        yield records.c.starts_on <= asked.until
    if asked.unit is not None:
        yield sa.and_(_amount(asked.key).is_not(None), _unit(asked.key) == asked.unit)
    if asked.least is not None:
        yield _amount(asked.key) >= asked.least
    if asked.most is not None:
        yield _amount(asked.key) <= asked.most


def _values() -> Any:
    return records.c["values"]


def _amount(key: str) -> sa.ColumnElement[Any]:
    value = _values()[key]
    whole = sa.case((sa.func.jsonb_typeof(value) == "number", _values()[key].astext))
    return sa.cast(
        sa.func.coalesce(value["amount"].astext, value["number"].astext, whole), sa.Numeric
    )


def _unit(key: str) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(_values()[key]["unit"].astext, "")


def _texts(values: Iterable[str]) -> sa.ColumnElement[Any]:
    return sa.literal(sorted(values), sa.ARRAY(sa.Text))


def _record(row: sa.Row[*tuple[Any, ...]]) -> Record:
    fields = row._mapping
    return record_of(
        {
            "kind": fields["kind"],
            "id": fields["record_id"],
            "subject": fields["subject"],
            "block": None,
            "values": fields["values"],
        }
    )


def _stored(row: sa.Row[*tuple[Any, ...]]) -> StoredRecord:
    fields, record = row._mapping, _record(row)
    chunk_id = fields["chunk_id"]
    return StoredRecord(
        record,
        DocumentId(fields["document_id"]),
        fields["version_no"],
        fields["title"],
        fields["uri"],
        None if chunk_id is None else ChunkId(chunk_id),
    )
