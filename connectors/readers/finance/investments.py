"""Investment accounts in OFX: trades, positions, open orders, and the securities they name."""

from __future__ import annotations

from connectors.readers.finance.ofx_tree import Node
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.record import Quantity, Value

_SUMS = ("TOTAL", "UNITPRICE", "COMMISSION", "FEES", "TAXES", "MARKUP", "MARKDOWN", "LOAD")


def place(ledger: Ledger, statement: Node, currency: str, account: str) -> None:
    """Add trades, positions and open orders of an investment statement."""
    listed = statement.first("INVTRANLIST")
    for trade in listed.inner if listed else []:
        if (tran := next(trade.every("INVTRAN"), None)) is not None:
            _trade(ledger, trade, tran, currency, account)
    for position in statement.every("INVPOS"):
        _position(ledger, position, currency, account)
    for order in statement.every("OO"):
        _order(ledger, order, currency, account)
    balance = statement.first("INVBAL")
    for name in ("AVAILCASH", "MARGINBALANCE", "SHORTBALANCE", "BUYPOWER"):
        value = balance.number(name) if balance else None
        if value is not None:
            amount = Quantity(value, currency)
            ledger.line(
                f"Balance, {name.lower()}: {worded(amount)}; account {account}",
                "balance",
                {"type": name, "amount": amount, "account": account},
                subject=f"account:{account}",
            )


def place_securities(ledger: Ledger, root: Node) -> None:
    """Add the securities that a file describes."""
    infos = [info for listed in root.every("SECLIST") for info in listed.inner]
    if infos:
        ledger.heading("Securities", 2)
    for info in infos:
        security = info.first("SECINFO")
        if security is None:
            continue
        number = security.value("SECID/UNIQUEID")
        values: dict[str, Value | None] = {
            "name": security.value("SECNAME"),
            "ticker": security.value("TICKER"),
            "scheme": security.value("SECID/UNIQUEIDTYPE"),
            "class": info.name.removesuffix("INFO").lower(),
            "asset_class": info.value("ASSETCLASS"),
            "memo": security.value("MEMO"),
        }
        told = (named(key.replace("_", " "), value) for key, value in values.items())
        ledger.line(
            joined(f"Security {number}", *told),
            "security",
            values,
            own_id=number,
            subject=f"security:{number}",
        )


def _trade(ledger: Ledger, trade: Node, tran: Node, currency: str, account: str) -> None:
    body = next(trade.every("INVBUY", "INVSELL"), trade)
    security = next(trade.every("SECID"), Node("", 0)).value("UNIQUEID")
    unit = body.value("CURRENCY/CURSYM") or currency
    sums = {
        name.lower(): Quantity(value, unit)
        for name in _SUMS
        if (value := body.number(name)) is not None
    }
    values: dict[str, Value | None] = {
        "account": account,
        "type": trade.name,
        "security": security,
        "date": tran.day("DTTRADE"),
        "settled": tran.day("DTSETTLE"),
        "units": body.number("UNITS"),
        "income_type": trade.value("INCOMETYPE"),
        **sums,
        "memo": tran.value("MEMO"),
    }
    ledger.line(
        _told(f"{worded(tran.day('DTTRADE'))} {trade.name}", values),
        "investment_transaction",
        values,
        own_id=tran.value("FITID"),
        subject=f"account:{account}",
    )


def _position(ledger: Ledger, position: Node, currency: str, account: str) -> None:
    unit = position.value("CURRENCY/CURSYM") or currency
    price, market = position.number("UNITPRICE"), position.number("MKTVAL")
    values: dict[str, Value | None] = {
        "account": account,
        "security": position.value("SECID/UNIQUEID"),
        "type": position.value("POSTYPE"),
        "units": position.number("UNITS"),
        "unit_price": None if price is None else Quantity(price, unit),
        "market_value": None if market is None else Quantity(market, unit),
        "date": position.day("DTPRICEASOF"),
        "memo": position.value("MEMO"),
    }
    ledger.line(_told("Position", values), "position", values, subject=f"account:{account}")


def _order(ledger: Ledger, order: Node, currency: str, account: str) -> None:
    limit = order.number("LIMITPRICE")
    values: dict[str, Value | None] = {
        "account": account,
        "security": order.value("SECID/UNIQUEID"),
        "date": order.day("DTPLACED"),
        "units": order.number("UNITS"),
        "limit_price": None if limit is None else Quantity(limit, currency),
        "duration": order.value("DURATION"),
    }
    ledger.line(
        _told("Open order", values),
        "open_order",
        values,
        own_id=order.value("FITID"),
        subject=f"account:{account}",
    )


def _told(head: str, values: dict[str, Value | None]) -> str:
    silent = ("date",) if head[:1].isdigit() else ()
    told = (named(k.replace("_", " "), v) for k, v in values.items() if k not in silent)
    return joined(head, *told)
