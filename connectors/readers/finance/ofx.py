"""Open Financial Exchange: statements of bank, card and investment accounts.

Versions 1 (SGML) and 2 (XML), worded in Portuguese where the file declares `LANGUAGE` POR, as
those of Brazilian banks do. Amounts are signed as in the file: what leaves an account is negative.
"""

from __future__ import annotations

import re

from connectors.readers.errors import ReadError
from connectors.readers.finance import investments
from connectors.readers.finance.ofx_tree import Node, tree
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.model import Reading
from connectors.readers.record import Period, Quantity, Value
from connectors.readers.source import Source
from connectors.readers.text import decode

_CHARSET = re.compile(rb"CHARSET\s*:\s*([\w-]+)")
_WORDS = {
    "en": {
        "statement": "Statement",
        "account": "account",
        "bank": "bank",
        "type": "type",
        "currency": "currency",
        "period": "period",
        "entries": "entries",
        "ledger": "ledger",
        "available": "available",
        "balance": "Balance",
        "paid": "Paid",
        "received": "Received",
        "to": "to",
        "from": "from",
        "memo": "memo",
        "check": "check",
        "id": "id",
        "status": "The institution answered with error",
    },
    "pt": {
        "statement": "Extrato",
        "account": "conta",
        "bank": "banco",
        "type": "tipo",
        "currency": "moeda",
        "period": "período",
        "entries": "lançamentos",
        "ledger": "contábil",
        "available": "disponível",
        "balance": "Saldo",
        "paid": "Pagamento de",
        "received": "Recebimento de",
        "to": "a",
        "from": "de",
        "memo": "histórico",
        "check": "cheque",
        "id": "id",
        "status": "A instituição respondeu com erro",
    },
}
_STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS", "LOANSTMTRS")
_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM", "LOANACCTFROM")


def read(source: Source) -> Reading:
    """Read all statements of a file; raises `ReadError` with the line where it is malformed."""
    data = source.path.read_bytes()
    if re.search(rb"<!(ENTITY|DOCTYPE)", data, re.IGNORECASE):
        raise ReadError(
            "unsafe_xml", "The OFX declares a document type or entities; save it without."
        )
    declared = _CHARSET.search(data[:1000])
    charset = declared.group(1).decode("ascii") if declared else None
    root = tree(decode(data, f"cp{charset}" if charset and charset.isdigit() else charset))
    sign_on = next(root.every("SONRS"), Node("", 0))
    lang = "pt" if sign_on.value("LANGUAGE").upper() == "POR" else "en"
    ledger = Ledger(source)
    institution = sign_on.value("FI/ORG", "FI/FID")
    ledger.heading(joined("OFX", institution, by=" · "), 1)
    for status in root.every("STATUS"):
        if status.value("CODE") not in ("", "0"):
            problem = joined(status.value("CODE"), status.value("MESSAGE"), by=" ")
            ledger.warn(f"{_WORDS[lang]['status']} {problem} (line {status.line}).")
    for statement in root.every(*_STATEMENTS):
        _statement(ledger, statement, institution, lang)
    investments.place_securities(ledger, root)
    _profile(ledger, root, institution)
    if not ledger.n_records:
        raise ReadError("empty", "The OFX holds no statement, security or profile.")
    return ledger.reading(
        source.media_type, ledger.outline.first_heading, lang if sign_on.name else None
    )


def _statement(ledger: Ledger, statement: Node, institution: str, lang: str) -> None:
    say = _WORDS[lang]
    holder = next((n for n in statement.inner if n.name in _ACCOUNTS), None)
    if holder is None:
        raise ReadError(
            "corrupt",
            f"The OFX is malformed at line {statement.line}: <{statement.name}> names no account.",
        )
    account = holder.value("ACCTID", "LOANACCTID")
    subject = f"account:{account}" if account else ""
    currency = statement.value("CURDEF")
    listed = next(statement.every("BANKTRANLIST", "INVTRANLIST", "LOANTRANLIST"), Node("", 0))
    period = Period(listed.day("DTSTART"), listed.day("DTEND"))
    entries = list(listed.every("STMTTRN"))
    bank = joined(institution, holder.value("BANKID", "BROKERID"), by=" ")
    ledger.heading(f"{say['statement']} · {say['account']} {account}", 2)
    ledger.state(
        joined(
            f"{say['statement']} · {say['account']} {account}",
            named(say["bank"], bank),
            named(say["type"], holder.value("ACCTTYPE", "LOANACCTTYPE")),
            named(say["currency"], currency),
            named(say["period"], worded(period, lang)),
            named(say["entries"], len(entries)),
        ),
        "statement",
        {
            "account": account,
            "bank": bank,
            "branch": holder.value("BRANCHID"),
            "type": holder.value("ACCTTYPE", "LOANACCTTYPE"),
            "currency": currency,
            "period": None if period == Period(None, None) else period,
            "entries": len(entries),
        },
        subject=subject,
    )
    for name in ("LEDGERBAL", "AVAILBAL"):
        if (balance := statement.first(name)) is not None:
            _balance(ledger, balance, currency, account, lang)
    for entry in entries:
        _entry(ledger, entry, currency, account, lang)
    if statement.name == "INVSTMTRS":
        investments.place(ledger, statement, currency, account)


def _balance(ledger: Ledger, balance: Node, currency: str, account: str, lang: str) -> None:
    say = _WORDS[lang]
    value = balance.number("BALAMT")
    if value is None:
        return
    amount, on = Quantity(value, currency), balance.day("DTASOF")
    name = "ledger" if balance.name == "LEDGERBAL" else "available"
    ledger.line(
        joined(
            f"{say['balance']}, {say[name]}: {worded(amount, lang)}",
            f"{say['account']} {account}",
            worded(on, lang),
        ),
        "balance",
        {"type": balance.name, "name": name, "amount": amount, "date": on, "account": account},
        subject=f"account:{account}",
    )


def _entry(ledger: Ledger, entry: Node, currency: str, account: str, lang: str) -> None:
    say = _WORDS[lang]
    value = entry.number("TRNAMT")
    if value is None:
        raise ReadError(
            "corrupt", f"The OFX is malformed at line {entry.line}: <STMTTRN> has no <TRNAMT>."
        )
    amount = Quantity(value, entry.value("CURRENCY/CURSYM") or currency)
    on = entry.day("DTPOSTED", "DTUSER")
    name = entry.value("NAME", "PAYEE/NAME")
    is_paid = amount.amount < 0
    deed, direction = (say["paid"], say["to"]) if is_paid else (say["received"], say["from"])
    shown = worded(Quantity(abs(amount.amount), amount.unit), lang)
    head = f"{worded(on, lang)} {deed} {shown}" + (f" {direction} {name}" if name else "")
    values: dict[str, Value | None] = {
        "account": account,
        "amount": amount,
        "date": on,
        "value_date": entry.day("DTAVAIL"),
        "type": entry.value("TRNTYPE"),
        "counterparty": name,
        "counterparty_account": entry.value("BANKACCTTO/ACCTID", "CCACCTTO/ACCTID"),
        "memo": entry.value("MEMO"),
        "check": entry.value("CHECKNUM"),
        "reference": entry.value("REFNUM"),
        "original_currency": entry.value("ORIGCURRENCY/CURSYM"),
    }
    ledger.line(
        joined(
            head.strip(),
            named(say["type"], entry.value("TRNTYPE")),
            named(say["memo"], entry.value("MEMO")),
            named(say["check"], entry.value("CHECKNUM")),
            named(say["id"], entry.value("FITID")),
        ),
        "transaction",
        values,
        own_id=entry.value("FITID"),
        subject=f"account:{account}" if account else "",
    )


def _profile(ledger: Ledger, root: Node, institution: str) -> None:
    for profile in root.every("PROFRS"):
        name = profile.value("FINAME") or institution
        sets = [n.name.removesuffix("SET") for n in (profile.first("MSGSETLIST") or profile).inner]
        services = [s for s in sets if s.endswith("MSG")]
        address = joined(
            *(profile.value(k) for k in ("ADDR1", "ADDR2", "ADDR3", "CITY", "STATE", "POSTALCODE")),
            by=", ",
        )
        values: dict[str, Value | None] = {
            "name": name,
            "services": tuple(services),
            "address": address,
            "phone": profile.value("CSPHONE", "TSPHONE"),
            "url": profile.value("URL"),
            "email": profile.value("EMAIL"),
        }
        told = (named(key, value) for key, value in values.items() if key != "name")
        ledger.state(
            joined(f"Profile of the institution {name}".rstrip(), *told),
            "institution",
            values,
            own_id=name,
        )
