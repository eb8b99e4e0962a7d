from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]


def record(*parts: tuple[int, str]) -> str:
    """A line of 94 characters with texts at positions that count from 1."""
    line = [" "] * 94
    for at, text in parts:
        line[at - 1 : at - 1 + len(text)] = text
    return "".join(line)


HEAD = record((1, "101 091000019 1234567892401021200A094101"), (41, "FED"), (64, "ACME BANK"))
BATCH = record(
    (1, "5200ACME INC"), (41, "1234567890PPDSALARIES"), (70, "240103"), (79, "1091000010000001")
)
PAID = (
    record((1, "622091000019"), (13, "77-1"), (30, "0000012345"), (40, "EMP1"), (55, "JO SMITH"))[
        :78
    ]
    + "1091000010000001"
)
NOTE = record((1, "705March salary"), (84, "00010000001"))
TAKEN = record((1, "627091000019"), (13, "88-2"), (30, "0000000500"), (55, "BOB"))[:78] + (
    "0091000010000002"
)
END = record((1, "820000000300182000020000000005000000000123451234567890"), (80, "091000010000001"))
FILE = record((1, "9000001000001000000030018200002000000000500000000012345"))


def lines(*changes: tuple[str, str]) -> str:
    text = "\n".join([HEAD, BATCH, PAID, NOTE, TAKEN, END, FILE, *["9" * 94] * 3]) + "\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_entries_with_their_direction(read_bytes: Read) -> None:
    reading = read_bytes(lines(), "pay.txt")
    assert reading.media_type == "application/x-nacha"
    assert reading.title == "ACH file of ACME BANK · 2024-01-02"
    assert not reading.warnings
    paid, taken = reading.records[2:]
    assert paid.values["amount"] == Quantity(Decimal("123.45"), "USD")
    assert (paid.values["direction"], taken.values["direction"]) == ("credit", "debit")
    assert paid.values["date"] == date(2024, 1, 3)
    assert paid.values["information"] == "March salary"
    assert (paid.id, paid.subject) == ("091000010000001", "account:77-1")
    assert (
        "2024-01-03 JO SMITH is credited 123.45 USD; company: ACME INC; account: 77-1; "
        "account type: checking; bank: 091000019; class: PPD; identification: EMP1; "
        "information: March salary"
    ) in reading.blocks[-1].text


def test_one_long_line_is_cut_into_records(read_bytes: Read) -> None:
    reading = read_bytes(lines().replace("\n", ""), "pay.ach")
    assert len(reading.records) == 4


def test_wrong_totals_give_warnings_with_the_line(read_bytes: Read) -> None:
    reading = read_bytes(
        lines(("000000000500000000012345123", "000000000600000000012345123")), "a.ach"
    )
    assert reading.warnings == (
        "Batch 1: the control record at line 6 declares debits, in cents, of 600, "
        "the entries give 500.",
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("094101", "94101 ", "Line 1 of the ACH file: record size, blocking factor"),
        ("PPDSAL", "PDTSAL", "Line 2 of the ACH file: the entry class at positions 51–53 is 'PDT'"),
        ("0000012345E", "00000A2345E", "Line 3 of the ACH file: the amount at positions 30–39"),
        ("622091", "650091", "Line 3 of the ACH file: the transaction code at positions 2–3"),
        ("BOB", "BO", "Line 5 of the ACH file: it has 93 characters"),
        (NOTE + "\n", "", "Line 3 of the ACH file: it announces an addenda record (7)"),
        (END + "\n", "", "Line 2 of the ACH file: the batch has no batch control record (8)"),
        (FILE + "\n", "", "Line 6 of the ACH file: the file ends without a file control record"),
        (BATCH + "\n", "", "Line 2 of the ACH file: a record of type '6' can't stand here"),
        ("101 0", "201 0", "Line 1 of the ACH file: it is no file header"),
    ],
)
def test_broken_records_are_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(lines((old, new)), "a.ach")
    assert refused.value.cause == "corrupt"
    assert problem in str(refused.value)
