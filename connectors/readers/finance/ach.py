"""NACHA files: batches of ACH entries in records of 94 characters (Nacha Operating Rules, App. 3).

Structure is refused where it is broken, with its line. Totals that don't agree with the entries
become warnings, also with their line. Debits take money from the receiver's account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from connectors.readers.errors import ReadError
from connectors.readers.finance import ach_iat
from connectors.readers.finance.ach_line import Line
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value
from connectors.readers.source import Source
from connectors.readers.text import decode

WIDTH = 94
_MAY_BE_SHORT = frozenset("19")
"""Records that end with blanks, which editors and mails cut off."""

_CREDITS = frozenset({"21", "22", "23", "24", "31", "32", "33", "34", "41", "42", "43", "44"})
_CREDITS_MORE = frozenset({"51", "52", "53", "54", "81", "83", "85", "87"})
_CLASSES = """
    ACK ADV ARC ATX BOC CCD CIE COR CTX DNE ENR IAT MTE POP POS PPD RCK SHR TEL TRC TRX WEB XCK
"""
_PRENOTES = frozenset({"23", "28", "33", "38", "43", "48", "53"})
_ACCOUNTS = {"2": "checking", "3": "savings", "4": "general ledger", "5": "loan", "8": "accounting"}
_CODES = frozenset(f"{a}{b}" for a in "234" for b in "12346789") | frozenset(
    {"51", "52", "53", "54", "55", "56", *(f"8{n}" for n in range(1, 9))}
)


@dataclass
class _Sums:
    """What a control record declares: counts, hash of the routing numbers, totals in cents."""

    n_lines: int = 0
    hash: int = 0
    debits: int = 0
    credits: int = 0

    def add(self, other: _Sums) -> None:
        """Add the sums of a batch to those of the file."""
        self.n_lines += other.n_lines
        self.hash += other.hash
        self.debits += other.debits
        self.credits += other.credits


@dataclass
class _Batch:
    header: Line
    entries: list[tuple[Line, list[Line]]] = field(default_factory=list)
    sums: _Sums = field(default_factory=_Sums)

    @property
    def kind(self) -> str:
        """Return the standard entry class; a change of an international entry (IATCOR) is one."""
        kind = self.header.cut(51, 53)
        return "IAT" if kind == "COR" and self.header.text[4:7] == "IAT" else kind


def read(source: Source) -> Reading:
    """Read a file of batches; raises `ReadError` with the line that breaks the format."""
    lines = list(_lines(decode(source.path.read_bytes())))
    if not lines or lines[0].text[:3] != "101":
        raise ReadError("corrupt", "Line 1 of the ACH file: it is no file header (101).")
    ledger = Ledger(source)
    head = lines[0]
    if (layout := head.text[34:40]) != "094101":
        head.refuse(
            f"record size, blocking factor and format at positions 35–40 are {layout!r}, not "
            "'094101': a field before them has the wrong length"
        )
    origin, destination = head.cut(64, 86), head.cut(41, 63)
    created = _day(head.cut(24, 29))
    ledger.heading(
        joined(f"ACH file of {origin or head.cut(14, 23)}", worded(created), by=" · "), 1
    )
    ledger.state(
        joined(
            f"ACH file from {origin} ({head.cut(14, 23)}) to {destination} ({head.cut(4, 13)})",
            named("created", created),
            named("reference", head.cut(87, 94)),
        ),
        "ach_file",
        {"origin": origin, "destination": destination, "created": created},
        own_id=joined(
            head.cut(14, 23), head.cut(24, 33).replace(" ", ""), head.cut(34, 34), by="-"
        ),
    )
    control = lines[-1]
    if control.text[:1] != "9":
        control.refuse("the file ends without a file control record (9)")
    total, n_batches = _batches(ledger, lines)
    _check_file(ledger, control, total, n_batches, len(lines))
    return ledger.reading(source.media_type, ledger.outline.first_heading)


def _lines(text: str) -> Iterator[Line]:
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(rows) == 1 or (len(rows) == 2 and not rows[1].strip()):
        row = rows[0]
        if len(row) > WIDTH and len(row) % WIDTH == 0:
            rows = [row[i : i + WIDTH] for i in range(0, len(row), WIDTH)]
    for number, row in enumerate(rows, 1):
        if not row.strip() or (set(row.strip()) == {"9"} and len(row.strip()) > 10):
            continue  # filler up to a whole block of ten records
        line = Line(number, row)
        if len(row) > WIDTH and row[WIDTH:].strip():
            line.refuse(f"it has {len(row)} characters, a record has {WIDTH}")
        if len(row) < WIDTH and row[0] not in _MAY_BE_SHORT:
            line.refuse(f"it has {len(row)} characters, a record of type {row[0]} has {WIDTH}")
        yield Line(number, row[:WIDTH].ljust(WIDTH))


def _batches(ledger: Ledger, lines: list[Line]) -> tuple[_Sums, int]:
    total, n_batches = _Sums(), 0
    batch: _Batch | None = None
    for line in lines[1:-1]:
        kind = line.text[0]
        if kind == "5" and batch is None:
            batch = _Batch(line)
        elif kind == "6" and batch is not None:
            batch.entries.append((line, []))
        elif kind == "7" and batch is not None and batch.entries:
            batch.entries[-1][1].append(line)
        elif kind == "8" and batch is not None:
            _place(ledger, batch, line)
            total.add(batch.sums)
            n_batches += 1
            batch = None
        else:
            where = "inside a batch" if batch is not None else "outside a batch"
            line.refuse(f"a record of type {kind!r} can't stand here, {where}")
    if batch is not None:
        batch.header.refuse("the batch has no batch control record (8)")
    return total, n_batches


def _place(ledger: Ledger, batch: _Batch, control: Line) -> None:
    header = batch.header
    company = header.cut(5, 20)
    if batch.kind == "IAT":
        company = header.cut(41, 50)
    if batch.kind not in _CLASSES.split():
        header.refuse(
            f"the entry class at positions 51–53 is {batch.kind!r}, not one such as PPD or CCD"
        )
    number = header.whole(88, 94, "the batch number")
    about = joined(header.cut(54, 63), batch.kind, by=", ")
    ledger.heading(joined(f"Batch {number}", company, about, by=" · "), 2)
    due = _day(header.cut(70, 75))
    values: dict[str, Value | None] = {
        "company": company,
        "company_id": header.cut(41, 50),
        "class": batch.kind,
        "description": header.cut(54, 63),
        "effective": due,
        "entries": len(batch.entries),
    }
    told = (named(k.replace("_", " "), v) for k, v in values.items() if k != "company")
    ledger.state(
        joined(f"Batch {number} of {company}", *told),
        "batch",
        values,
        own_id=str(number),
        subject=f"company:{company}" if company else "",
    )
    for entry, addenda in batch.entries:
        _entry(ledger, batch, entry, addenda, company, due)
    _check_batch(ledger, batch, control)


def _entry(
    ledger: Ledger,
    batch: _Batch,
    entry: Line,
    addenda: list[Line],
    company: str,
    due: date | None,
) -> None:
    code = entry.cut(2, 3)
    if code not in _CODES:
        entry.refuse(f"the transaction code at positions 2–3 is {code!r}, which does not exist")
    is_adv, is_iat = batch.kind == "ADV", batch.kind == "IAT"
    cents = entry.whole(28 if is_adv else 30, 39, "the amount")
    is_credit = code in _CREDITS or code in _CREDITS_MORE
    batch.sums.n_lines += 1 + len(addenda)
    batch.sums.hash += entry.whole(4, 11, "the routing number")
    batch.sums.credits += cents if is_credit else 0
    batch.sums.debits += 0 if is_credit else cents
    amount = Quantity(Decimal(cents).scaleb(-2), "USD")
    account = entry.cut(13, 27)
    trace = entry.cut(80, 94)
    details: dict[str, Value | None] = {}
    if is_iat:
        account, details = entry.cut(40, 74), ach_iat.details(addenda)
    elif is_adv:
        details = {"counterparty": entry.cut(55, 76), "advice_routing": entry.cut(40, 48)}
        trace = ""
    else:
        details = {"counterparty": entry.cut(55, 76), "identification": entry.cut(40, 54)}
        details |= ach_iat.addenda_details(addenda)
    if batch.kind in ("CTX", "ENR") and not is_iat:
        details["counterparty"] = entry.cut(59, 74)
    values: dict[str, Value | None] = {
        "amount": amount,
        "direction": "credit" if is_credit else "debit",
        "date": due,
        "company": company,
        "account": account,
        "account_type": _ACCOUNTS.get(code[:1], ""),
        "bank": entry.cut(4, 12),
        "code": code,
        "class": batch.kind,
        "prenote": code in _PRENOTES or None,
        **details,
    }
    deed = "is credited" if is_credit else "is debited"
    who = str(details.get("counterparty") or f"account {account}")
    silent = ("amount", "direction", "date", "counterparty", "code")
    told = (named(k.replace("_", " "), v) for k, v in values.items() if k not in silent and v)
    ledger.line(
        joined(f"{worded(due)} {who} {deed} {worded(amount)}".strip(), *told),
        "transaction",
        values,
        own_id=trace,
        subject=f"account:{account}" if account else "",
    )
    if entry.text[78:79] == "1" and not addenda and not is_adv:
        entry.refuse("it announces an addenda record (7), which doesn't follow")


def _check_batch(ledger: Ledger, batch: _Batch, control: Line) -> None:
    wide = batch.kind == "ADV"
    taken, given = ((21, 40), (41, 60)) if wide else ((21, 32), (33, 44))
    declared = _Sums(
        control.whole(5, 10, "the entry and addenda count"),
        control.whole(11, 20, "the entry hash"),
        control.whole(*taken, "the total of debits"),
        control.whole(*given, "the total of credits"),
    )
    name = f"Batch {batch.header.cut(88, 94).lstrip('0')}"
    _compare(ledger, control, name, declared, batch.sums)


def _check_file(ledger: Ledger, control: Line, total: _Sums, n_batches: int, n_lines: int) -> None:
    wide = control.text[31:71].isdigit()  # as in files of ADV batches only
    taken, given = ((32, 51), (52, 71)) if wide else ((32, 43), (44, 55))
    declared = _Sums(
        control.whole(14, 21, "the entry and addenda count"),
        control.whole(22, 31, "the entry hash"),
        control.whole(*taken, "the total of debits"),
        control.whole(*given, "the total of credits"),
    )
    _compare(ledger, control, "The file", declared, total)
    if (count := control.whole(2, 7, "the batch count")) != n_batches:
        ledger.warn(
            f"The file control at line {control.number} declares {count} batches, "
            f"the file has {n_batches}."
        )


def _compare(ledger: Ledger, control: Line, name: str, declared: _Sums, found: _Sums) -> None:
    for what, said, is_ in (
        ("a number of entries and addenda of", declared.n_lines, found.n_lines),
        ("an entry hash of", declared.hash, found.hash % 10**10),
        ("debits, in cents, of", declared.debits, found.debits),
        ("credits, in cents, of", declared.credits, found.credits),
    ):
        if said != is_:
            ledger.warn(
                f"{name}: the control record at line {control.number} declares "
                f"{what} {said:,}, the entries give {is_:,}."
            )


def _day(text: str) -> date | None:
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None
