"""Google Merchant Center feeds: products in RSS 2.0, in Atom, or in tab-separated text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.readers.branches import Element, content, inside, local, refuse, text
from connectors.readers.elements import parse
from connectors.readers.headed import Row
from connectors.readers.ledger import Ledger, joined, named
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal, snake
from connectors.readers.retail.gtin import product
from connectors.readers.source import Source
from connectors.readers.text import language

_PRICE = re.compile(r"^\s*([A-Z]{3})?\s*(-?[\d.,]+)\s*([A-Z]{3})?\s*$")
_PRICES = frozenset({"price", "sale_price", "cost_of_goods_sold", "auto_pricing_min_price"})
_FIRST = ("brand", "price", "sale_price", "availability", "condition")


def read(source: Source) -> Reading:
    """Read an XML feed; raises `ReadError` with the line of a product that has no id."""
    root = parse(source.path.read_bytes())
    channel = next(root.iter("{*}channel"), root)
    ledger = Ledger(source)
    title = text(channel, "title")
    ledger.heading(title or "Products", 1)
    for item in root.iter("{*}item", "{*}entry"):
        fields = _fields(item)
        if not fields.get("id"):
            refuse(item, "has no id")
        _product(ledger, fields, f"line {item.sourceline}")
    if not ledger.n_records:
        refuse(root, "has neither item nor entry, so no product")
    return ledger.reading(source.media_type, title or None, language(text(channel, "language")))


def read_rows(source: Source, rows: list[Row]) -> Reading:
    """Read a feed of rows; raises `ReadError` with the line of a product that has no id."""
    ledger = Ledger(source)
    ledger.heading("Products", 1)
    for row in rows:
        fields = {snake(name): value for name, value in row.cells.items() if value}
        if not fields.get("id"):
            row.refuse("has no id")
        _product(ledger, fields, f"line {row.line}")
    return ledger.reading(source.media_type)


def _fields(item: Element) -> dict[str, str]:
    fields: dict[str, str] = {}
    for child in inside(item):
        name = local(child.tag)
        if name == "link" and child.get("href"):
            value = str(child.get("href"))
        elif len(child):
            value = joined(*(f"{local(c.tag)} {content(c)}" for c in inside(child)), by=", ")
        else:
            value = content(child)
        if value:
            fields[name] = joined(fields.get(name, ""), value)
    return fields


def _product(ledger: Ledger, fields: Mapping[str, str], place: str) -> None:
    values: dict[str, Value | None] = {}
    for name, written in fields.items():
        values[name] = written
        if name in _PRICES:
            values[name] = price(written) or written
            if isinstance(values[name], str):
                ledger.warn(
                    f"The {name} at {place} ({written[:30]!r}) is no amount with a currency."
                )
    number = str(values.pop("id"))
    title = fields.get("title", number)
    order = [*_FIRST, *(k for k in values if k not in (*_FIRST, "title", "description"))]
    told = [named(k.replace("_", " "), values[k]) for k in order if values.get(k)]
    ledger.state(
        joined(title, f"id: {number}", *told, fields.get("description", "")),
        "product",
        values,
        own_id=number,
        subject=product(fields.get("gtin", ""), number),
    )


def price(written: str) -> Quantity | None:
    """Return an amount such as `15.00 USD` or `R$`-less `BRL 1.299,90`, else None."""
    match = _PRICE.match(written)
    currency = (match[1] or match[3]) if match else None
    if match is None or not currency:
        return None
    digits = match[2]
    if "," in digits:
        is_decimal = len(digits) - digits.rfind(",") == 3 and digits.rfind(",") > digits.rfind(".")
        digits = (
            digits.replace(".", "").replace(",", ".") if is_decimal else digits.replace(",", "")
        )
    amount = decimal(digits)
    return None if amount is None else Quantity(amount, currency)
