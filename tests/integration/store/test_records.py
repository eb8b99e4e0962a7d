from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.access.acl import access_filter
from assistant.access.identity import caller_with_login, create_person
from assistant.domain import Chunk, DocumentId, Principal
from assistant.store import catalog, records
from assistant.store.acls import Acl, acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from assistant.store.passages import document_chunks
from assistant.store.records import Asked, NewRecord
from assistant.store.sources import Source, put_source
from connectors.readers.record import Period, Quantity, Record

KINDS = ("transaction", "balance")
SUBJECTS = ("account:1", "account:2", "")
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(4)]
ANYBODY = [Principal("user:local|ana"), Principal("user:local|bob"), Principal("everyone")]

amounts = st.builds(
    Quantity, st.decimals("-99", "99", places=2), st.sampled_from(["EUR", "BRL", "kg"])
)
values = st.one_of(amounts, st.integers(-9, 9), st.decimals("-9", "9", places=1), st.just("many"))
made = st.builds(
    lambda kind, subject, value, day: Record(kind, {"amount": value, "date": day}, "", subject),
    st.sampled_from(KINDS),
    st.sampled_from(SUBJECTS),
    values,
    st.sampled_from(DAYS),
)
acls = st.builds(
    Acl, st.frozensets(st.sampled_from(ANYBODY)), st.frozensets(st.sampled_from(ANYBODY))
)
bounds = st.one_of(st.none(), st.decimals("-50", "50", places=1))
asks = st.builds(
    Asked,
    kinds=st.frozensets(st.sampled_from(KINDS), max_size=1),
    subjects=st.frozensets(st.sampled_from(SUBJECTS[:2]), max_size=2),
    since=st.one_of(st.none(), st.sampled_from(DAYS)),
    until=st.one_of(st.none(), st.sampled_from(DAYS)),
    key=st.just("amount"),
    unit=st.one_of(st.none(), st.sampled_from(["EUR", ""])),
    least=bounds,
    most=bounds,
)


@pytest.fixture
def source(database: Database) -> Source:
    with database.begin() as conn:
        create_person(conn, "ana", "Ana", ["employee"])
        create_person(conn, "bob", "Bob", ["employee"])
        return put_source(conn, "bank", "files", {})


def put(conn: Connection, source: Source, name: str, access_id: int, *new: NewRecord) -> DocumentId:
    chunks = [
        NewChunk(Chunk(f"{name} {n}", (), "record", "en", n, n + 1), np.ones(4) / 2, "m")
        for n in range(2)
    ]
    document = NewDocument(source.id, name, "1", name, access_id, Facts(title=name))
    return catalog.upsert_document(conn, document, chunks, new)


def fits(record: Record, asked: Asked) -> bool:
    """What a filter means, said again without SQL."""
    day, value = record.values["date"], record.values["amount"]
    assert isinstance(day, date)
    amount = None
    if not isinstance(value, str):
        amount = value if isinstance(value, Quantity) else Quantity(Decimal(str(value)), "")
    return all(
        (
            not asked.kinds or record.kind in asked.kinds,
            not asked.subjects or record.subject in asked.subjects,
            asked.since is None or day >= asked.since,
            asked.until is None or day <= asked.until,
            asked.unit is None or (amount is not None and amount.unit == asked.unit),
            asked.least is None or (amount is not None and amount.amount >= asked.least),
            asked.most is None or (amount is not None and amount.amount <= asked.most),
        )
    )


def shown(record: Record) -> str:
    """A record as text, whatever the order of its values."""
    return repr((record.kind, record.subject, sorted(record.values.items(), key=repr)))


def readable(acl: Acl, person: str) -> bool:
    mine = {f"user:local|{person}", "everyone"}
    return bool(mine & acl.allow) and not mine & acl.deny


def summed(found: list[Record]) -> dict[tuple[str, str], Decimal]:
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for record in found:
        value = record.values["amount"]
        if isinstance(value, Quantity):
            totals[record.kind, value.unit] += value.amount
        elif isinstance(value, int | Decimal):
            totals[record.kind, ""] += value
    return dict(totals)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(acls, st.lists(made, max_size=4)), max_size=4), asks)
def test_nobody_finds_or_sums_more_than_an_oracle_allows(
    database: Database, source: Source, stored: list[tuple[Acl, list[Record]]], asked: Asked
) -> None:
    with database.begin() as conn:
        catalog.delete_documents(conn, source.id)
        for number, (acl, new) in enumerate(stored):
            access = acl_id(conn, acl.allow, acl.deny)
            put(conn, source, f"d{number}", access, *map(NewRecord, new))
        for person in ("ana", "bob"):
            mine = access_filter(conn, caller_with_login(conn, person)).access_ids
            wanted = [r for acl, new in stored if readable(acl, person) for r in new]
            wanted = [record for record in wanted if fits(record, asked)]
            found = [one.record for one in records.find(conn, mine, asked)]
            assert sorted(map(shown, found)) == sorted(map(shown, wanted))
            totals = records.totals(conn, mine, asked)
            assert {(t.kind, t.unit): t.total for t in totals} == summed(wanted)
            counted = records.counts(conn, mine, asked)
            assert sum(counted.values()) == len(wanted)
        assert not records.find(conn, [], asked)
        assert not records.totals(conn, [], asked)


def test_a_record_cites_the_chunk_that_words_it(database: Database, source: Source) -> None:
    record = Record(
        "fact",
        {
            "value": Quantity(Decimal("12.50"), "EUR"),
            "period": Period(date(2024, 1, 1), date(2024, 12, 31)),
            "time": datetime(2025, 1, 1, tzinfo=UTC),
            "n": 3,
            "ok": True,
            "tags": ("a", "b"),
        },
        "F1",
        "company:ACME",
    )
    with database.begin() as conn:
        everyone = acl_id(conn, ["everyone"])
        document_id = put(conn, source, "report", everyone, NewRecord(record, 1))
        [found] = records.find(conn, [everyone], Asked(record_id="F1"))
        assert found.record == record
        assert (found.document_id, found.title, found.version_no) == (document_id, "report", 1)
        assert found.chunk_id == document_chunks(conn, document_id)[1].chunk_id
        inside = Asked(since=date(2024, 6, 1), until=date(2024, 6, 2))
        assert records.find(conn, [everyone], inside) == [found]
        assert not records.find(conn, [everyone], Asked(since=date(2025, 1, 1)))


def test_records_go_and_come_with_their_document(database: Database, source: Source) -> None:
    one, two = (NewRecord(Record("x", {"n": n})) for n in (1, 2))
    with database.begin() as conn:
        everyone = acl_id(conn, ["everyone"])
        put(conn, source, "a", everyone, one, two)
        put(conn, source, "a", everyone, two)
        assert [r.record.values["n"] for r in records.find(conn, [everyone], Asked())] == [2]
        catalog.set_document_access(conn, source.id, "a", acl_id(conn, ["user:local|ana"]))
        assert not records.find(conn, [everyone], Asked())
        catalog.delete_document(conn, source.id, "a")
        assert conn.scalar(sa.text("SELECT count(*) FROM records")) == 0


def test_stale_access_and_repeated_records_do_not_count(database: Database, source: Source) -> None:
    record = Record("fact", {"value": Quantity(Decimal(5), "EUR")})
    again = replace(record, values={**record.values, "duplicate": True})
    with database.begin() as conn:
        everyone = acl_id(conn, ["everyone"])
        put(conn, source, "a", everyone, NewRecord(record), NewRecord(again))
        asked = Asked(key="value")
        [total] = records.totals(conn, [everyone], asked)
        assert (total.n_records, total.total, total.unit) == (1, Decimal(5), "EUR")
        now = datetime.now(UTC)
        assert not records.find(conn, [everyone], asked, confirmed_since=now)
        assert not records.totals(conn, [everyone], asked, confirmed_since=now)
