"""Payment orders: pain.001 credit transfers and pain.008 direct debits."""

from __future__ import annotations

from decimal import Decimal

from connectors.readers.branches import (
    Element,
    amount_of,
    attribute,
    every,
    first,
    local,
    number,
    refuse,
    text,
    texts,
    when,
)
from connectors.readers.finance.parties import account, agent, party
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.record import Quantity, Value


def place(ledger: Ledger, message: Element) -> None:
    """Add the payments of a message, by the order that they are in."""
    header = first(message, "GrpHdr")
    if header is None:
        refuse(message, "has no GrpHdr")
    ledger.heading(
        joined(
            f"Payment message {text(header, 'MsgId')}", party(first(header, "InitgPty")), by=" · "
        ),
        1,
    )
    amounts: list[Decimal] = []
    for order in every(message, "PmtInf"):
        amounts += _order(ledger, order)
    _check(ledger, header, amounts)


def _order(ledger: Ledger, order: Element) -> list[Decimal]:
    is_debit = bool(every(order, "DrctDbtTxInf"))
    payments = every(order, "DrctDbtTxInf") or every(order, "CdtTrfTxInf")
    if not payments:
        refuse(order, "has neither CdtTrfTxInf nor DrctDbtTxInf, one of which is required")
    own = "Cdtr" if is_debit else "Dbtr"
    holder = party(first(order, own))
    found = first(order, f"{own}Acct")
    number_, subject = account(found) if found is not None else ("", "")
    due = when(order, "ReqdExctnDt/Dt", "ReqdExctnDt/DtTm", "ReqdColltnDt", "ReqdExctnDt")
    number_of_order = text(order, "PmtInfId")
    what = "Direct debits" if is_debit else "Credit transfers"
    values: dict[str, Value | None] = {
        "party": holder,
        "account": number_,
        "bank": agent(first(order, f"{own}Agt")),
        "date": due,
        "payments": len(payments),
        "control_sum": number(order, "CtrlSum"),
        "method": text(order, "PmtMtd"),
    }
    told = (named(key.replace("_", " "), value) for key, value in values.items())
    ledger.heading(f"{what} {number_of_order}", 2)
    ledger.state(
        joined(f"{what} {number_of_order}", *told),
        "payment_order",
        values,
        own_id=number_of_order,
        subject=subject,
    )
    shared = {key: values[key] for key in ("party", "account", "date")} | {"order": number_of_order}
    amounts = [_payment(ledger, payment, shared, subject) for payment in payments]
    _check(ledger, order, amounts)
    return amounts


def _payment(
    ledger: Ledger, payment: Element, shared: dict[str, Value | None], subject: str
) -> Decimal:
    is_debit = local(payment.tag) == "DrctDbtTxInf"
    other = "Dbtr" if is_debit else "Cdtr"
    amount = _amount(payment)
    counterparty = party(first(payment, other))
    found = first(payment, f"{other}Acct")
    end_to_end = text(payment, "PmtId/EndToEndId")
    details: dict[str, Value | None] = {
        "counterparty_account": account(found)[0] if found is not None else "",
        "counterparty_bank": agent(first(payment, f"{other}Agt")),
        "purpose": joined(
            *texts(payment, "RmtInf/Ustrd"), *texts(payment, "RmtInf/Strd/CdtrRefInf/Ref"), by=" "
        ),
        "mandate": text(payment, "DrctDbtTx/MndtRltdInf/MndtId"),
        "end_to_end_id": end_to_end,
    }
    deed = f"collects {worded(amount)} from" if is_debit else f"pays {worded(amount)} to"
    told = (named(key.replace("_", " "), value) for key, value in details.items())
    ledger.line(
        joined(f"{worded(shared['date'])} {shared['party']} {deed} {counterparty}".strip(), *told),
        "payment",
        {"amount": amount, "counterparty": counterparty, **shared, **details},
        own_id=end_to_end or text(payment, "PmtId/InstrId"),
        subject=subject,
    )
    return amount.amount


def _amount(payment: Element) -> Quantity:
    paths = ("Amt/InstdAmt", "InstdAmt", "Amt/EqvtAmt/Amt")
    found = next((e for path in paths if (e := first(payment, path)) is not None), None)
    if found is None:
        refuse(payment, "has no InstdAmt")
    if not attribute(found, "Ccy"):
        refuse(found, "has no Ccy, so its currency is unknown")
    return Quantity(amount_of(found), attribute(found, "Ccy"))


def _check(ledger: Ledger, element: Element, amounts: list[Decimal]) -> None:
    """Warn when the declared number or sum of payments is not that of the payments."""
    place = f"{local(element.tag)} (line {element.sourceline})"
    declared, control = number(element, "NbOfTxs"), number(element, "CtrlSum")
    if declared is not None and declared != len(amounts):
        ledger.warn(f"{place} declares {declared} payments, the file has {len(amounts)}.")
    if control is not None and control != sum(amounts):
        ledger.warn(f"{place} declares a sum of {control:,f}, the payments give {sum(amounts):,f}.")
