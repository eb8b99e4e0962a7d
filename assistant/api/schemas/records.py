"""Typed records, and their sums."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from assistant.store.records import StoredRecord, Total
from connectors.readers.record import record_json


class CitedDocument(BaseModel):
    """The document that states a record; `chunk_id` is the passage that words it."""

    id: str
    title: str
    uri: str
    version: int
    chunk_id: int | None


class RecordBody(BaseModel):
    """One thing that a document states.

    In `values` texts, truths and whole numbers stand for themselves; others are
    `{"number": "1.10"}`, `{"date": …}`, `{"time": …}`, `{"amount": "12.50", "unit": "EUR"}` and
    `{"start": …, "end": …}`.
    """

    kind: str
    id: str
    subject: str
    values: dict[str, JsonValue]
    document: CitedDocument


class TotalBody(BaseModel):
    """The sum of a value over the records of one kind and unit, exact, as decimal text."""

    kind: str
    unit: str
    n_records: int
    total: str
    least: str
    most: str


class RecordsBody(BaseModel):
    """Records that the caller may read; `totals` are over all that match, not over this page."""

    records: list[RecordBody]
    counts: dict[str, int]
    totals: list[TotalBody]


def record_body(stored: StoredRecord) -> RecordBody:
    """Return a stored record as the API shows it."""
    values = record_json(stored.record)["values"]
    return RecordBody(
        kind=stored.record.kind,
        id=stored.record.id,
        subject=stored.record.subject,
        values=values if isinstance(values, dict) else {},
        document=CitedDocument(
            id=stored.document_id,
            title=stored.title,
            uri=stored.uri,
            version=stored.version_no,
            chunk_id=stored.chunk_id,
        ),
    )


def total_body(total: Total) -> TotalBody:
    """Return a sum as the API shows it."""
    return TotalBody(
        kind=total.kind,
        unit=total.unit,
        n_records=total.n_records,
        total=f"{total.total:f}",
        least=f"{total.least:f}",
        most=f"{total.most:f}",
    )
