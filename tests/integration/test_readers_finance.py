"""Real files of finance: the records of an independent count, or a refusal with its place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import mt940
import pytest
from lxml import html

from connectors.readers import ReadError, Reading, read_file, sniff
from connectors.readers.child import read
from connectors.readers.record import Quantity
from connectors.readers.source import Source

REFUSED = {
    "camt053.v2.wrong.xml": "line 3, element BkToCstmrStmt",
    "20110729A-invalid.ach": "Line 1 ",
    "betterplace_sepa_snippet_broken.sta": "Line 6 ",
    "self-provided_invalid_statement.sta": "Line 1 ",
}


def files(shared_data: Path, folder: str) -> list[Path]:
    found = sorted((shared_data / "raw/finance" / folder).iterdir())
    assert found
    return [path for path in found if path.name not in REFUSED]


def read_here(path: Path) -> Reading:
    return read(Source(path, sniff(path), path.name))


def kinds(path: Path) -> Counter[str]:
    return Counter(record.kind for record in read_here(path).records)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_file_is_read_or_refused_with_its_place(shared_data: Path) -> None:
    paths = [p for p in sorted((shared_data / "raw/finance").rglob("*")) if p.is_file()]
    for path in paths:
        if path.name in REFUSED:
            with pytest.raises(ReadError) as refused:
                read_file(path)
            assert refused.value.cause == "corrupt"
            assert REFUSED[path.name] in str(refused.value)
            continue
        reading = read_file(path)
        assert reading.blocks, path
        for record in reading.records:
            assert record.block is not None, record
            block = reading.blocks[record.block]
            assert block.kind == "record", record
    assert {path.name for path in paths} > set(REFUSED)


def test_camt(shared_data: Path) -> None:
    for path in files(shared_data, "camt"):
        counts, content = kinds(path), text(path)
        assert counts["transaction"] == len(re.findall(r"<Ntry>", content)), path
        assert counts["balance"] == len(re.findall(r"<Bal>", content)), path
        assert counts["statement"] == len(re.findall(r"<(?:Stmt|Rpt|Ntfctn)>", content)), path


def test_mt940_against_another_library(shared_data: Path) -> None:
    n_transactions = 0
    for path in files(shared_data, "mt940"):
        if path.suffix == ".txt" and "requirements" in path.name:
            assert not read_here(path).records
            continue
        records = read_here(path).records
        ours = [r for r in records if r.kind == "transaction"]
        content = text(path)
        assert len(ours) == len(re.findall(r"^:61:", content, re.MULTILINE)), path
        theirs = [t for part in re.split(r"(?m)^(?=:20:)", content) for t in parsed(part)]
        assert [amount(r.values["amount"]) for r in ours] == [
            t.data["amount"].amount for t in theirs
        ], path
        n_transactions += len(ours)
    assert n_transactions > 40


def parsed(message: str) -> list[Any]:
    if ":61:" not in message:
        return []
    tag = mt940.tags.StatementASNB() if "ASNB" in message else mt940.tags.Statement()
    transactions = mt940.models.Transactions(tags={tag.id: tag})
    transactions.parse(message)
    return list(transactions)


def amount(value: object) -> Decimal:
    assert isinstance(value, Quantity)
    return value.amount


def test_ofx(shared_data: Path) -> None:
    tags: dict[str, Callable[[str], int]] = {
        "transaction": lambda content: content.count("<STMTTRN>"),
        "investment_transaction": lambda content: content.count("<INVTRAN>"),
        "position": lambda content: content.count("<INVPOS>"),
        "security": lambda content: content.count("<SECINFO>"),
        "open_order": lambda content: content.count("<OO>"),
        "institution": lambda content: content.count("<PROFRS>"),
    }
    for path in files(shared_data, "ofx"):
        counts = kinds(path)
        for kind, count in tags.items():
            assert counts[kind] == count(text(path)), (path, kind)


def test_ach(shared_data: Path) -> None:
    for path in files(shared_data, "ach"):
        starts = Counter(line[:1] for line in text(path).splitlines())
        counts = kinds(path)
        assert counts["batch"] == starts["5"], path
        assert counts["transaction"] == starts["6"], path


def test_totals_of_an_ach_file_are_those_that_it_declares(shared_data: Path) -> None:
    path = shared_data / "raw/finance/ach/20180716-IAT-A17-A18.ach"
    control = next(line for line in text(path).splitlines() if line.startswith("90"))
    records = [r for r in read_here(path).records if r.kind == "transaction"]
    for direction, cents in (("debit", control[31:43]), ("credit", control[43:55])):
        total = sum(
            amount(r.values["amount"]) for r in records if r.values["direction"] == direction
        )
        assert total == Decimal(cents) / 100


def test_inline_xbrl(shared_data: Path) -> None:
    for path in files(shared_data, "ixbrl"):
        reading = read_here(path)
        tree = html.fromstring(path.read_bytes())
        tagged = list(tree.iter("ix:nonfraction", "ix:nonnumeric"))
        facts = [record for record in reading.records if record.kind == "fact"]
        assert len(facts) == len(tagged) > 5
        assert all(record.values["context"] for record in facts)
        asked = Counter(element.get("name") for element in tagged)
        assert Counter(fact.values["concept"] for fact in facts) == asked


def test_known_facts_of_two_filings(shared_data: Path) -> None:
    folder = shared_data / "raw/finance/ixbrl"
    apple = read_here(folder / "aapl-10-q-2025-08-01.html")
    sales = [
        r
        for r in apple.records
        if str(r.values["concept"]).endswith("RevenueFromContractWithCustomerExcludingAssessedTax")
        and "dimensions" not in r.values
    ]
    assert Quantity(Decimal(94036000000), "USD") in [r.values["value"] for r in sales]
    assert {r.subject for r in apple.records} == {"company:Apple Inc."}
    assert {r.values["decimals"] for r in sales} == {"-6"}
    statements = [b for b in apple.blocks if b.kind == "table" and "Total net sales" in b.text]
    assert any("94,036" in block.text for block in statements)
