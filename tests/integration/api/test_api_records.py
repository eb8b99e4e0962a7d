"""Typed records over HTTP, under the caller's rights."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from assistant.store import records
from assistant.store.records import NewRecord
from assistant.wiring import Assistant
from connectors.readers.record import Quantity, Record, Value
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of


def paid(number: str, amount: str, unit: str, day: int) -> NewRecord:
    values: dict[str, Value] = {
        "amount": Quantity(Decimal(amount), unit),
        "date": date(2024, 1, day),
    }
    return NewRecord(Record("transaction", values, number, "account:1"), 0)


def stored(company: Company) -> str:
    """Give finance's document two transactions in euros and one in reais, and sales' one more."""
    mine = company.document("statement", "Paid 10 EUR.", allow=["group:finance"])
    other = company.document("secret", "Paid 500 EUR.", allow=["group:sales"])
    with company.database.begin() as conn:
        records.add(
            conn,
            mine,
            [paid("A", "10.50", "EUR", 1), paid("B", "1.50", "EUR", 2), paid("C", "9", "BRL", 3)],
        )
        records.add(conn, other, [paid("D", "500", "EUR", 4)])
    return mine


def test_records_with_citations_and_sums_by_currency(
    sign_in: SignIn, company: Company, assistant: Assistant
) -> None:
    document = stored(company)
    ana = sign_in("ana")
    found = ana.get("/v1/records", params={"kind": "transaction", "key": "amount"}).json()
    assert [record["id"] for record in found["records"]] == ["C", "B", "A"]
    first = found["records"][-1]
    assert first["values"] == {
        "amount": {"amount": "10.50", "unit": "EUR"},
        "date": {"date": "2024-01-01"},
    }
    cited = first["document"]
    assert (cited["id"], cited["title"], cited["version"]) == (document, "Statement", 1)
    shown = ana.get(f"/v1/documents/{document}").json()["passages"]
    assert cited["chunk_id"] == shown[0]["chunk_id"]
    assert found["counts"] == {"transaction": 3}
    assert [(t["unit"], t["total"], t["n_records"]) for t in found["totals"]] == [
        ("BRL", "9", 1),
        ("EUR", "12.00", 2),
    ]
    parts = [
        event["data"]["part"]
        for event in events_of(assistant.database)
        if event["type"] == "doc.opened"
    ]
    assert parts == ["records", "document"]


def test_filters_and_pages(sign_in: SignIn, company: Company) -> None:
    stored(company)
    ana = sign_in("ana")

    def ids(**params: str | int) -> list[str]:
        body = ana.get("/v1/records", params=params).json()
        return [record["id"] for record in body["records"]]

    assert ids(until="2024-01-01") == ["A"]
    assert ids(since="2024-01-02", limit=1) == ["C"]
    assert ids(since="2024-01-02", limit=1, offset=1) == ["B"]
    assert ids(key="amount", unit="EUR", most="2") == ["B"]
    assert ids(key="amount", least="9.5") == ["A"]
    assert ids(subject="account:2") == []
    assert ids(id="C") == ["C"]


def test_another_department_sees_only_its_own(sign_in: SignIn, company: Company) -> None:
    stored(company)
    body = sign_in("bruno").get("/v1/records", params={"key": "amount"}).json()
    assert [record["id"] for record in body["records"]] == ["D"]
    assert [total["total"] for total in body["totals"]] == ["500"]


def test_a_range_of_no_value_is_refused(sign_in: SignIn) -> None:
    ana = sign_in("ana")
    refused = ana.get("/v1/records", params={"least": "5"})
    assert refused.status_code == 422
    assert "name it with `key`" in refused.json()["detail"]
    assert ana.get("/v1/records", params={"since": "soon"}).status_code == 422
