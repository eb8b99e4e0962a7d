"""`assistant records`: what a person may read, listed and summed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli.records import app
from assistant.errors import InvalidRequest, NotFound
from assistant.store import records
from assistant.store.database import Database
from assistant.store.records import NewRecord
from connectors.readers.record import Quantity, Record
from tests.support.company import Company


@pytest.fixture
def data(
    tmp_path: Path, postgres_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("ASSISTANT_DATABASE__URL", postgres_url)
    company = Company(database)
    company.person("ana", "finance")
    company.person("bruno", "sales")
    document = company.document("statement", "Paid 10 EUR.", allow=["group:finance"])
    new = [
        NewRecord(Record("transaction", {"amount": Quantity(Decimal(n), unit)}, f"{n}", "s"), 0)
        for n, unit in ((1200, "EUR"), (30, "EUR"), (7, "BRL"))
    ]
    with database.begin() as conn:
        records.add(conn, document, new)
    return tmp_path / "data"


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--data", str(data)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_records_are_listed_as_somebody(data: Path) -> None:
    found = json.loads(
        run(data, "list", "--as", "ana", "--unit", "EUR", "--least", "100", "--json")
    )
    assert [one["id"] for one in found] == ["1200"]
    assert found[0]["values"] == {"amount": {"amount": "1200", "unit": "EUR"}}
    assert found[0]["chunk_id"]
    assert "transaction" in run(data, "list", "--as", "ana", "--kind", "transaction")
    assert json.loads(run(data, "list", "--as", "bruno", "--json")) == []


def test_sums_keep_currencies_apart(data: Path) -> None:
    found = json.loads(run(data, "sum", "--as", "ana", "--json"))
    assert [(t["unit"], t["total"], t["n_records"]) for t in found] == [
        ("BRL", "7", 1),
        ("EUR", "1230", 2),
    ]
    assert "1,230" in run(data, "sum", "--as", "ana", "--kind", "transaction")
    assert json.loads(run(data, "sum", "--as", "bruno", "--json")) == []


def test_mistakes_are_told(data: Path) -> None:
    with pytest.raises(InvalidRequest, match="'much' is not a number"):
        run(data, "list", "--as", "ana", "--least", "much")
    with pytest.raises(NotFound):
        run(data, "sum", "--as", "nobody")
