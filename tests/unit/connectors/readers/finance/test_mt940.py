from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.finance.purpose import purpose
from connectors.readers.record import Quantity

Read = Callable[..., Reading]
STATEMENT = """:20:REF1
:25:50880050/0194787400
:28C:00004/00001
:60F:C231229EUR100,00
:61:2312310102D30,5NTRFE1//B77
Supplement
:86:/EREF/E1/NAME/Padaria Sol/REMI/Invoice 7/
:61:2401020102RD10,NMSCNONREF
:86:166?00GUTSCHRIFT?100399?20EREF+END 22?21SVWZ+Miete
 Januar?32KARL?33KAUFMANN?31DE145088?30DRES
:62F:C240102EUR79,50
-
"""


def test_entries_are_signed_and_dated(read_bytes: Read) -> None:
    reading = read_bytes(STATEMENT, "a.txt")
    assert reading.media_type == "application/x-mt940"
    assert not reading.warnings
    paid, reversed_ = [r for r in reading.records if r.kind == "transaction"]
    assert paid.values["amount"] == Quantity(Decimal("-30.5"), "EUR")
    assert paid.values["value_date"] == date(2023, 12, 31)
    assert paid.values["date"] == date(2024, 1, 2)
    assert paid.values["counterparty"] == "Padaria Sol"
    assert paid.values["supplement"] == "Supplement"
    assert (paid.id, paid.subject) == ("B77", "account:50880050/0194787400")
    assert reversed_.values["amount"] == Quantity(Decimal(10), "EUR")
    assert reversed_.values["reversal"] is True
    assert reversed_.values["counterparty"] == "KARL KAUFMANN"
    assert reversed_.values["purpose"] == "Miete Januar"
    assert paid.block is not None
    assert "2023-12-31 Paid 30.5 EUR to Padaria Sol" in reading.blocks[paid.block].text


def test_an_envelope_and_several_messages(read_bytes: Read) -> None:
    text = "{1:F01BANK}{2:O940BANK}{3:}{4:\n" + STATEMENT.replace("\n-\n", "\n-}{5:}\n")
    reading = read_bytes((text + text).replace("\n", "\r\n"), "a.bin")
    assert [r.kind for r in reading.records].count("statement") == 2


def test_an_intraday_report(read_bytes: Read) -> None:
    text = (
        ":20:R\n:25:DE1\n:28C:5/1\n:34F:EURD0,\n:13D:2401021200+0100\n"
        ":61:240102C5,00NTRFX\n:90C:1EUR5,00\n"
    )
    reading = read_bytes(text, "a.942")
    assert reading.title == "Intraday report 5/1 · account DE1"
    assert reading.records[-1].values["amount"] == Quantity(Decimal("5.00"), "EUR")


def test_a_sum_that_is_wrong_and_a_missing_field_give_warnings(read_bytes: Read) -> None:
    text = STATEMENT.replace("EUR79,50", "80,00").replace(":28C:00004/00001\n", "")
    assert read_bytes(text, "a.sta").warnings == (
        "The message at line 1 lacks :28C:, which the format requires: "
        "it may be a part of a statement.",
        "The balance at line 10 has no currency; EUR was taken from the other balance.",
        "The statement at line 1: opening balance and entries give 79.50 EUR, "
        "not the closing balance of 80.00.",
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (":86:166", ":25:166", "Line 9 (':25:166?00GUTSCHRIFT?100399?20') is out of order"),
        ("D30,5", "X30,5", "Line 5 ('2312310102X30,5NTRFE1//B77') is no statement line"),
        ("231231", "231331", "Line 5 ('231331') is no date"),
        ("C231229EUR100,00", "100", "Line 4 ('100') is no balance"),
        ("EUR100,00", "EUR1.00", "Line 4 ('1.00') is no amount"),
        (":20:REF1", "hello", "Line 1 ('hello') comes before the first field"),
    ],
)
def test_broken_lines_are_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(STATEMENT.replace(old, new), "a.sta")
    assert refused.value.cause == "corrupt"
    assert problem in str(refused.value)


def test_ordinary_text_is_not_a_statement(read_bytes: Read) -> None:
    assert read_bytes("Times:\n:25: minutes\nand more", "a.txt").media_type == "text/plain"


def test_lines_with_numbers_and_free_text() -> None:
    assert purpose(["01Rent", "02May", "15Bob"], is_ns=True) == {
        "purpose": "Rent May",
        "counterparty": "Bob",
    }
    assert purpose(["Rent", "May"]) == {"purpose": "Rent May"}
    assert purpose([]) == {}
