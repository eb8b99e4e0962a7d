"""SWIFT MT940 and MT942: statements of an account, and what happened during a day.

Fields are `:tag:value` over one or more lines, perhaps in a SWIFT envelope (`{4:…-}`). Amounts
are signed: debits and reversed credits are negative. What banks often do differently is read with
a warning; a field out of its order or a broken amount is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NoReturn

from connectors.readers.errors import ReadError
from connectors.readers.finance.purpose import purpose
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value
from connectors.readers.source import Source
from connectors.readers.text import clean, decode

_FIELD = re.compile(r"^:(\d{2}[A-Z]?|NS):(.*)$")
_ENVELOPE = re.compile(r"^\{1:.*?\{4:\s*|^\{4:\s*|^-\}.*$|^-$")
_ORDER = ("20", "21", "25", "28", "34", "13", "60", "61", "90", "62", "64", "65", "86")
_BALANCE = re.compile(r"^([CD])(\d{6})([A-Z]{3})?(\d[\d.]*,?\d*)$")
_ENTRY = re.compile(
    r"^(?P<day>\d{6})(?P<entry>\d{4}|\s{4})?(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>\d+,?\d*)(?P<code>[A-Z][A-Z0-9]{3})?(?P<ref>.*?)(?://(?P<bank>.*))?$"
)
_BALANCES = {
    "60F": "opening",
    "60M": "intermediate opening",
    "62F": "closing",
    "62M": "intermediate closing",
    "64": "available",
    "65": "forward available",
}


@dataclass(frozen=True, slots=True)
class _Field:
    tag: str
    lines: tuple[str, ...]
    number: int

    @property
    def value(self) -> str:
        return self.lines[0].strip()


@dataclass
class _Message:
    """The fields of one message, in their order."""

    fields: list[_Field] = field(default_factory=list)

    def text(self, *tags: str) -> str:
        """Return the value of the first of these fields, else an empty string."""
        return next((clean(" ".join(f.lines)) for f in self.fields if f.tag in tags), "")


def read(source: Source) -> Reading:
    """Read all messages of a file; raises `ReadError` with the line that breaks the format."""
    ledger = Ledger(source)
    messages = list(_messages(decode(source.path.read_bytes())))
    if not messages:
        raise ReadError(
            "corrupt", "Line 1 has no MT940 field such as :20:; this is not a statement."
        )
    for message in messages:
        _place(ledger, message)
    return ledger.reading(source.media_type, ledger.outline.first_heading)


def _messages(text: str) -> Iterator[_Message]:
    message = _Message()
    open_field: tuple[str, list[str], int] | None = None
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = _ENVELOPE.sub("", raw.strip("\x00\x01\x03\x1a\ufeff"))
        found = _FIELD.match(line)
        if found is None:
            if open_field is not None:
                open_field[1].append(line)
            elif line.strip():
                _refuse(number, line, "comes before the first field such as :20:")
            continue
        if open_field is not None:
            message.fields.append(_Field(open_field[0], tuple(open_field[1]), open_field[2]))
        if found[1] == "20" and message.fields:
            yield message
            message = _Message()
        open_field = (found[1], [found[2]], number)
    if open_field is not None:
        message.fields.append(_Field(open_field[0], tuple(open_field[1]), open_field[2]))
        yield message


def _refuse(number: int, line: str, problem: str) -> NoReturn:
    raise ReadError("corrupt", f"Line {number} ({clean(line)[:30]!r}) {problem}.")


def _place(ledger: Ledger, message: _Message) -> None:
    _check_order(message)
    account = re.sub(r"\s", "", message.text("25", "25P"))
    subject = f"account:{account}" if account else ""
    sequence = message.text("28C", "28")
    kind = "Intraday report" if message.text("34F", "13D", "13") else "Statement"
    required: tuple[tuple[str, ...], ...] = (("20",), ("25", "25P"), ("28C", "28"))
    if kind == "Statement":
        required += (("60F", "60M"), ("62F", "62M"))
    missing = [f":{tags[0]}:" for tags in required if not message.text(*tags)]
    if missing:
        ledger.warn(
            f"The message at line {message.fields[0].number} lacks {', '.join(missing)}, which "
            "the format requires: it may be a part of a statement."
        )
    title = joined(f"{kind} {sequence}".strip(), f"account {account}" if account else "", by=" · ")
    ledger.heading(title, 1)
    balances = {f.tag: _balance(ledger, message, f) for f in message.fields if f.tag in _BALANCES}
    currency = next(iter(balances.values())).unit if balances else message.text("34F")[:3]
    entries = [f for f in message.fields if f.tag == "61"]
    values: dict[str, Value | None] = {
        "account": account,
        "reference": message.text("20"),
        "sequence": sequence,
        "currency": currency,
        "entries": len(entries),
    }
    told = (named(key, value) for key, value in values.items() if key != "sequence")
    ledger.state(
        joined(f"{kind} {sequence}".strip(), *told, named("information", _closing_note(message))),
        "statement",
        values,
        own_id=joined(message.text("20"), sequence, by="/"),
        subject=subject,
    )
    for found in message.fields:
        if found.tag in _BALANCES:
            _state_balance(ledger, found, balances[found.tag], account, subject)
        elif found.tag == "61":
            _state_entry(ledger, message, found, currency, account, subject)
    _check_sum(ledger, message, balances, currency)


def _check_order(message: _Message) -> None:
    """Refuse a field that stands where it can't: twice, or after one that follows it."""
    seen = 0
    for found in message.fields:
        place = _ORDER.index(found.tag[:2]) if found.tag[:2] in _ORDER else None
        if place is None or found.tag[:2] in ("86", "61", "90", "13", "34", "65"):
            continue
        after_entries = any(
            f.tag == "61" and f.number < found.number for f in message.fields
        ) and found.tag[:2] in ("20", "21", "25", "28", "60")
        if after_entries or place < seen:
            _refuse(
                found.number,
                f":{found.tag}:{found.value}",
                f"is out of order: field :{found.tag}: can't follow what stands above it",
            )
        seen = place


def _balance(ledger: Ledger, message: _Message, found: _Field) -> Quantity:
    match = _BALANCE.match(found.value.replace(" ", ""))
    if match is None:
        _refuse(found.number, found.value, "is no balance (C or D, date, currency, amount)")
    currency = match[3] or ""
    if not currency:
        currency = (
            next(
                (
                    m[3]
                    for f in message.fields
                    if f.tag in _BALANCES and (m := _BALANCE.match(f.value))
                ),
                "",
            )
            or ""
        )
        ledger.warn(
            f"The balance at line {found.number} has no currency; "
            f"{currency or 'none'} was taken from the other balance."
        )
    amount = _number(found.number, match[4])
    return Quantity(-amount if match[1] == "D" else amount, currency)


def _state_balance(
    ledger: Ledger, found: _Field, amount: Quantity, account: str, subject: str
) -> None:
    name = _BALANCES[found.tag]
    on = _day(found.number, found.value[1:7])
    ledger.line(
        joined(
            f"Balance, {name}: {worded(amount)}",
            f"account {account}" if account else "",
            worded(on),
        ),
        "balance",
        {"type": found.tag, "name": name, "amount": amount, "date": on, "account": account},
        subject=subject,
    )


def _state_entry(
    ledger: Ledger,
    message: _Message,
    found: _Field,
    currency: str,
    account: str,
    subject: str,
) -> None:
    match = _ENTRY.match(found.value)
    if match is None:
        _refuse(found.number, found.value, "is no statement line (date, C or D, amount, type)")
    amount = Quantity(_signed(found.number, match), currency)
    value_date = _day(found.number, match["day"])
    following = message.fields[message.fields.index(found) + 1 :][:1]
    note = following[0].lines if following and following[0].tag in ("86", "NS") else ()
    told = purpose(note, is_ns=bool(following) and following[0].tag == "NS")
    reference = clean(match["ref"] or "")
    values: dict[str, Value | None] = {
        "account": account,
        "amount": amount,
        "date": _entry_date(found.number, match["entry"], value_date),
        "value_date": value_date,
        "code": match["code"],
        "reversal": match["mark"].startswith("R") or None,
        "reference": "" if reference == "NONREF" else reference,
        "bank_reference": clean(match["bank"] or ""),
        "supplement": clean(" ".join(found.lines[1:])),
        **told,
    }
    shown = worded(Quantity(abs(amount.amount), amount.unit))
    deed, direction = ("Paid", "to") if amount.amount < 0 else ("Received", "from")
    other = told.get("counterparty", "")
    head = f"{worded(value_date)} {deed} {shown}" + (f" {direction} {other}" if other else "")
    silent = ("account", "amount", "date", "value_date", "counterparty")
    details = (
        named(key.replace("_", " "), value)
        for key, value in values.items()
        if key not in silent and value
    )
    ledger.line(
        joined(head, *details),
        "transaction",
        values,
        own_id=clean(match["bank"] or "") or str(values["reference"]),
        subject=subject,
    )


def _signed(number: int, match: re.Match[str]) -> Decimal:
    amount = _number(number, match["amount"])
    # RC is a reversed credit, so money that leaves; EC and ED are expected ones.
    return -amount if match["mark"] in ("D", "RC", "ED") else amount


def _number(number: int, text: str) -> Decimal:
    if text.count(",") > 1 or "." in text:
        _refuse(number, text, "is no amount: decimals follow one comma")
    return Decimal(text.replace(",", ".").rstrip("."))


def _day(number: int, text: str) -> date:
    try:
        year = int(text[:2])
        return date((1900 if year >= 70 else 2000) + year, int(text[2:4]), int(text[4:6]))
    except ValueError:
        _refuse(number, text, "is no date (YYMMDD)")


def _entry_date(number: int, text: str | None, value_date: date) -> date:
    """The booking day, which has no year of its own: that nearest to the value date."""
    if not text or not text.strip():
        return value_date
    near = []
    for year in (value_date.year - 1, value_date.year, value_date.year + 1):
        try:
            near.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not near:
        _refuse(number, text, "is no date (MMDD)")
    return min(near, key=lambda on: abs(on - value_date))


def _closing_note(message: _Message) -> str:
    """A field 86 after the last balance speaks of the whole statement."""
    last = message.fields[-1]
    before = message.fields[-2].tag if len(message.fields) > 1 else ""
    is_last = last.tag == "86" and before in ("62F", "62M", "64", "65", "90C", "90D")
    return clean(" ".join(last.lines)) if is_last else ""


def _check_sum(
    ledger: Ledger, message: _Message, balances: dict[str, Quantity], currency: str
) -> None:
    """Warn when opening balance and entries don't give the closing balance."""
    opening = balances.get("60F") or balances.get("60M")
    closing = balances.get("62F") or balances.get("62M")
    if opening is None or closing is None or opening.unit != closing.unit:
        return
    entries = [f for f in message.fields if f.tag == "61"]
    matches = [(f.number, m) for f in entries if (m := _ENTRY.match(f.value))]
    total = opening.amount + sum(_signed(number, m) for number, m in matches)
    if total != closing.amount:
        ledger.warn(
            f"The statement at line {message.fields[0].number}: opening balance and entries give "
            f"{total:,f} {currency}, not the closing balance of {closing.amount:,f}."
        )
