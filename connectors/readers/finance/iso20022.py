"""ISO 20022 cash messages: camt.052, 053 and 054 statements, pain.001 and pain.008 payments.

All versions read alike, since elements are found by their local names. Amounts are signed: what
leaves an account is negative. An entry is one `transaction`; where it is a batch, what it is made
of are `transaction_detail` records, which must not be added to it.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from connectors.readers.branches import (
    Element,
    amount_of,
    attribute,
    every,
    first,
    inside,
    local,
    number,
    refuse,
    text,
    texts,
    when,
)
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.finance import payments
from connectors.readers.finance.parties import account, agent, party
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.model import Reading
from connectors.readers.record import Period, Quantity, Value
from connectors.readers.source import Source

_REPORTS = {"Stmt": "Statement", "Rpt": "Account report", "Ntfctn": "Notification"}
_BALANCES = {
    "OPBD": "opening booked",
    "CLBD": "closing booked",
    "ITBD": "interim booked",
    "OPAV": "opening available",
    "CLAV": "closing available",
    "ITAV": "interim available",
    "FWAV": "forward available",
    "PRCD": "previously closed booked",
    "XPCD": "expected",
    "INFO": "information",
}
_STATUSES = {"BOOK": "booked", "PDNG": "pending", "INFO": "information", "FUTR": "future"}


def read(source: Source) -> Reading:
    """Read a message; raises `ReadError` naming line and element where it breaks its format."""
    root = parse(source.path.read_bytes())
    document = root if local(root.tag) == "Document" else next(root.iter("{*}Document"), None)
    message = next(inside(document), None) if document is not None else None
    if message is None:
        raise ReadError("corrupt", "The XML breaks its format: it has no Document with a message.")
    ledger = Ledger(source)
    reports = [child for child in inside(message) if local(child.tag) in _REPORTS]
    if reports:
        for report in reports:
            _report(ledger, report)
    elif every(message, "PmtInf"):
        payments.place(ledger, message)
    else:
        refuse(message, "holds neither Stmt, Rpt, Ntfctn nor PmtInf, one of which is required")
    title = ledger.outline.first_heading
    return ledger.reading(source.media_type, title)


def _report(ledger: Ledger, report: Element) -> None:
    kind = local(report.tag)
    owner_account = first(report, "Acct")
    if owner_account is None:
        refuse(report, "has no Acct, so nobody knows whose it is")
    number_, subject = account(owner_account)
    owner, bank = party(first(owner_account, "Ownr")), agent(first(owner_account, "Svcr"))
    created = when(report, "CreDtTm")
    period = Period(
        when(report, "FrToDt/FrDtTm", "FrToDt/FrDt"), when(report, "FrToDt/ToDtTm", "FrToDt/ToDt")
    )
    entries = every(report, "Ntry")
    ledger.heading(
        joined(f"{_REPORTS[kind]} {text(report, 'Id')}", f"account {number_}", by=" · "), 1
    )
    name = text(owner_account, "Nm")
    ledger.state(
        joined(
            f"{_REPORTS[kind]} {text(report, 'Id')} of account {number_}",
            named("name", name),
            named("owner", owner),
            named("bank", bank),
            named("currency", text(owner_account, "Ccy")),
            named("period", period if period != Period(None, None) else None),
            named("created", created),
            named("entries", len(entries)),
            text(report, "AddtlStmtInf", "AddtlRptInf", "AddtlNtfctnInf"),
        ),
        "statement",
        {
            "account": number_,
            "name": name,
            "owner": owner,
            "bank": bank,
            "currency": text(owner_account, "Ccy"),
            "period": period if period != Period(None, None) else None,
            "created": created,
            "sequence": text(report, "ElctrncSeqNb", "LglSeqNb"),
            "entries": len(entries),
        },
        own_id=text(report, "Id"),
        subject=subject,
    )
    for balance in every(report, "Bal"):
        _balance(ledger, balance, number_, subject)
    for entry in entries:
        _entry(ledger, entry, number_, subject)
    _check(ledger, report, entries)


def _signed(element: Element) -> Quantity:
    """The amount of a balance, entry or detail: positive when it is a credit."""
    amount = first(element, "Amt")
    if amount is None:
        refuse(element, "has no Amt")
    return _directed(element, amount)


def _directed(element: Element, amount: Element) -> Quantity:
    value, currency = amount_of(amount), attribute(amount, "Ccy")
    if not currency:
        refuse(amount, "has no Ccy, so its currency is unknown")
    direction = text(element, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        refuse(element, "has no CdtDbtInd of CRDT or DBIT")
    return Quantity(-value if direction == "DBIT" else value, currency)


def _balance(ledger: Ledger, balance: Element, number_: str, subject: str) -> None:
    code = text(balance, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd", "Tp/Prtry")
    amount = _signed(balance)
    date = when(balance, "Dt/Dt", "Dt/DtTm", "Dt")
    name = _BALANCES.get(code, code.lower())
    ledger.line(
        joined(f"Balance, {name}: {worded(amount)}", f"account {number_}", worded(date)),
        "balance",
        {"type": code, "name": name, "amount": amount, "date": date, "account": number_},
        subject=subject,
    )


def _entry(ledger: Ledger, entry: Element, number_: str, subject: str) -> None:
    details = every(entry, "NtryDtls/TxDtls") or every(entry, "TxDtls")
    amount = _signed(entry)
    only = details[0] if len(details) == 1 else None
    values: dict[str, Value | None] = {
        "account": number_,
        "amount": amount,
        "date": when(entry, "BookgDt/Dt", "BookgDt/DtTm"),
        "value_date": when(entry, "ValDt/Dt", "ValDt/DtTm"),
        "status": _status(entry),
        "reversal": text(entry, "RvslInd").lower() in ("true", "1") or None,
        "bank_reference": text(entry, "AcctSvcrRef"),
        "code": _code(entry),
        "details": len(details) if len(details) > 1 else None,
        **(_detail(only, amount) if only is not None else {}),
        "information": text(entry, "AddtlNtryInf"),
    }
    ledger.line(
        _sentence(amount, values), "transaction", values, own_id=_id(entry, only), subject=subject
    )
    if only is None:
        for detail in details:
            _part(ledger, entry, detail, subject)


def _part(ledger: Ledger, entry: Element, detail: Element, subject: str) -> None:
    whole = _signed(entry)
    values: dict[str, Value | None] = {
        "date": when(entry, "BookgDt/Dt", "BookgDt/DtTm"),
        "entry": text(entry, "AcctSvcrRef", "NtryRef"),
        **_detail(detail, whole),
    }
    amount = _detail_amount(detail, whole)
    values["amount"] = amount
    sentence = _sentence(amount, values) if amount else joined(*_told(values))
    ledger.line(
        f"Part of the batch above: {sentence}",
        "transaction_detail",
        values,
        own_id=_reference(detail),
        subject=subject,
    )


def _detail_amount(detail: Element, whole: Quantity) -> Quantity | None:
    amount = first(detail, "Amt")
    if amount is None:
        amount = first(detail, "AmtDtls/TxAmt/Amt")
    if amount is None or not attribute(amount, "Ccy"):
        return None
    if text(detail, "CdtDbtInd"):
        return _directed(detail, amount)
    value = amount_of(amount)
    return Quantity(-value if whole.amount < 0 else value, attribute(amount, "Ccy"))


def _detail(detail: Element, amount: Quantity) -> dict[str, Value | None]:
    other, theirs = ("Cdtr", "Dbtr") if amount.amount < 0 else ("Dbtr", "Cdtr")
    parties = first(detail, "RltdPties")
    counterparty = ultimate = iban = ""
    if parties is not None:
        counterparty = party(first(parties, other)) or party(first(parties, theirs))
        ultimate = party(first(parties, f"Ultmt{other}"))
        found = first(parties, f"{other}Acct")
        iban = account(found)[0] if found is not None else ""
    agents = first(detail, "RltdAgts")
    original = first(detail, "AmtDtls/InstdAmt/Amt")
    instructed = None
    if original is not None and attribute(original, "Ccy") not in ("", amount.unit):
        instructed = Quantity(amount_of(original), attribute(original, "Ccy"))
    return {
        "counterparty": counterparty,
        "counterparty_account": iban,
        "counterparty_bank": agent(first(agents, f"{other}Agt")) if agents is not None else "",
        "ultimate_party": ultimate,
        "purpose": joined(
            *texts(detail, "RmtInf/Ustrd"),
            *texts(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
            *texts(detail, "RmtInf/Strd/RfrdDocInf/Nb"),
            by=" ",
        ),
        "end_to_end_id": text(detail, "Refs/EndToEndId"),
        "mandate": text(detail, "Refs/MndtId"),
        "instructed": instructed,
        "exchange_rate": number(
            detail, "AmtDtls/TxAmt/CcyXchg/XchgRate", "AmtDtls/InstdAmt/CcyXchg/XchgRate"
        ),
        "return_reason": text(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        "details_information": text(detail, "AddtlTxInf"),
    }


def _sentence(amount: Quantity, values: dict[str, Value | None]) -> str:
    head = "Paid" if amount.amount < 0 else "Received"
    shown = worded(Quantity(abs(amount.amount), amount.unit))
    other = str(values.get("counterparty") or "")
    direction = "to" if amount.amount < 0 else "from"
    who = f" {direction} {other}" if other else ""
    return joined(f"{worded(values.get('date'))} {head} {shown}{who}".strip(), *_told(values))


def _told(values: dict[str, Value | None]) -> list[str]:
    silent = ("amount", "date", "counterparty", "account")
    names = {"counterparty_account": "their account", "counterparty_bank": "their bank"}
    return [
        named(names.get(key, key.replace("_", " ")), value)
        for key, value in values.items()
        if key not in silent and value
    ]


def _status(entry: Element) -> str:
    code = text(entry, "Sts/Cd", "Sts/Prtry", "Sts")
    return _STATUSES.get(code, code.lower())


def _code(entry: Element) -> str:
    found = first(entry, "BkTxCd")
    domain = joined(
        *(text(found, path) for path in ("Domn/Cd", "Domn/Fmly/Cd", "Domn/Fmly/SubFmlyCd")), by="/"
    )
    return domain or text(found, "Prtry/Cd")


def _id(entry: Element, detail: Element | None) -> str:
    return text(entry, "AcctSvcrRef", "NtryRef") or (
        _reference(detail) if detail is not None else ""
    )


def _reference(detail: Element) -> str:
    names = ("TxId", "AcctSvcrRef", "EndToEndId", "InstrId", "MsgId")
    return text(detail, *(f"Refs/{name}" for name in names))


def _check(ledger: Ledger, report: Element, entries: list[Element]) -> None:
    """Warn when opening balance and booked entries don't give the closing balance."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for balance in every(report, "Bal"):
        code, amount = text(balance, "Tp/CdOrPrtry/Cd"), _signed(balance)
        sums[code, amount.unit] += amount.amount
    for entry in entries:
        if text(entry, "Sts/Cd", "Sts") in ("BOOK", ""):
            amount = _signed(entry)
            sums["entries", amount.unit] += amount.amount
    for code, currency in list(sums):
        opening = sums.get(("OPBD", currency), sums.get(("PRCD", currency)))
        if code != "CLBD" or opening is None:
            continue
        expected = opening + sums.get(("entries", currency), Decimal())
        if expected != sums["CLBD", currency]:
            ledger.warn(
                f"{_REPORTS[local(report.tag)]} {text(report, 'Id')} (line {report.sourceline}): "
                f"opening balance and entries give {expected:,f} {currency}, "
                f"not the closing balance of {sums['CLBD', currency]:,f}."
            )
