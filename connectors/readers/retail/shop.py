"""Data of a shop in JSON: products with variants, orders with items and payments, users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.readers.ledger import Ledger, joined, named
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal
from connectors.readers.source import Source
from connectors.readers.text import clean

_PRODUCT_NAMES = ("name", "title", "product", "product_name", "productName")
_PRODUCT_HINTS = frozenset(
    {"price", "sku", "brand", "category", "variants", "product_id", "gtin", "categories"}
)
_PRODUCT_IDS = ("product_id", "id", "sku", "asin", "gtin")


def is_shop(value: Any) -> bool:
    """Whether a JSON value has orders with items or products with variants."""
    if not isinstance(value, dict):
        return False
    orders, products = _entries(value.get("orders")), _entries(value.get("products"))
    return any(_is_order(o) for _, o in orders[:1]) or any(
        isinstance(p.get("variants"), dict | list) for _, p in products[:1]
    )


def is_catalog(value: Any) -> bool:
    """Whether a JSON value is a list of products: each with a name and a category or price."""
    items = value[:50] if isinstance(value, list) else []
    return (
        bool(items)
        and all(
            isinstance(item, dict) and _PRODUCT_HINTS & item.keys() and _name(item)
            for item in items
        )
        and any("product" in item or {"price", "sku", "brand"} & item.keys() for item in items)
    )


def read_catalog(value: list[dict[str, Any]], source: Source) -> Reading:
    """Read a list of products."""
    ledger = Ledger(source)
    ledger.heading("Products", 1)
    for item in value:
        _product(ledger, "", item)
    return ledger.reading(source.media_type)


def read(value: dict[str, Any], source: Source) -> Reading:
    """Read the products, orders and users of a shop, and other lists as records of their own."""
    ledger = Ledger(source)
    for key, listed in value.items():
        entries = _entries(listed)
        if not entries:
            continue
        ledger.heading(key.replace("_", " ").capitalize(), 1)
        for number, entry in entries:
            if key == "products" or "variants" in entry:
                _product(ledger, number, entry)
            elif _is_order(entry):
                _order(ledger, number, entry)
            else:
                _other(ledger, key, number, entry)
    return ledger.reading(source.media_type)


def _entries(listed: Any) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, or of an object whose keys are their ids."""
    if isinstance(listed, dict):
        return [(str(k), v) for k, v in listed.items() if isinstance(v, dict)]
    return [("", v) for v in listed if isinstance(v, dict)] if isinstance(listed, list) else []


def _is_order(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("items"), list) and bool(
        {"order_id", "orderId", "status", "payment_history"} & entry.keys()
    )


def _product(ledger: Ledger, number: str, product: dict[str, Any]) -> None:
    name = _name(product)
    number = number or next((_text(product[k]) for k in _PRODUCT_IDS if product.get(k)), "")
    variants = _entries(product.get("variants"))
    told = dict(_plain(product, {"variants", *_PRODUCT_NAMES, "description", "product_id"}))
    price = _price(product)
    description = _text(product.get("description"))
    values: dict[str, Value | None] = {
        "name": name,
        **told,
        "price": price,
        "variants": len(variants) or None,
        "description": description,
    }
    subject = f"product:{number or name}"
    shown = (
        named(k.replace("_", " "), v) for k, v in values.items() if k not in ("name", "description")
    )
    ledger.state(
        joined(name, named("id", number), *shown, description),
        "product",
        values,
        own_id=number,
        subject=subject,
    )
    for key, variant in variants:
        item = _text(variant.get("item_id") or variant.get("id") or variant.get("sku")) or key
        options = tuple(f"{k}: {v}" for k, v in _plain(variant.get("options") or {}, set()))
        facts: dict[str, Value | None] = {
            "product": number or name,
            "name": name,
            "options": options,
            "price": _price(variant),
            "available": variant["available"]
            if isinstance(variant.get("available"), bool)
            else None,
        }
        shown = (
            named(k, v) for k, v in facts.items() if k not in ("product", "name") and v is not None
        )
        ledger.line(
            joined(f"{name}, variant {item}", *shown),
            "variant",
            facts,
            own_id=item,
            subject=subject,
        )


def _order(ledger: Ledger, number: str, order: dict[str, Any]) -> None:
    number = _text(order.get("order_id") or order.get("orderId") or order.get("id")) or number
    items = [item for item in order["items"] if isinstance(item, dict)]
    payments = [p for p in order.get("payment_history") or [] if isinstance(p, dict)]
    told = dict(_plain(order, {"order_id", "orderId", "items", "payment_history"}))
    bought = [
        joined(_name(i), ", ".join(v for _, v in _plain(i.get("options") or {}, set())), by=" ")
        for i in items
    ]
    values: dict[str, Value | None] = {**told, "items": tuple(bought)}
    user = _text(order.get("user_id") or order.get("customer_id"))
    shown = (named(key.replace("_", " "), value) for key, value in values.items())
    subject = f"customer:{user}" if user else ""
    ledger.state(joined(f"Order {number}", *shown), "order", values, own_id=number, subject=subject)
    for n, item in enumerate(items, 1):
        product = _text(item.get("product_id") or item.get("sku"))
        facts: dict[str, Value | None] = {
            "order": number,
            "name": _name(item),
            "item": _text(item.get("item_id")),
            "options": tuple(f"{k}: {v}" for k, v in _plain(item.get("options") or {}, set())),
            "price": _price(item),
            "quantity": decimal(_text(item.get("quantity"))),
        }
        shown = (named(k, v) for k, v in facts.items() if k not in ("order", "name"))
        ledger.line(
            joined(f"Item {n} of order {number}: {facts['name']}", *shown),
            "order_item",
            facts,
            own_id=f"{number}/{n}",
            subject=f"product:{product}" if product else "",
        )
    for payment in payments:
        paid = {**dict(_plain(payment, {"amount"})), "amount": _price(payment, "amount")}
        ledger.line(
            joined(
                f"Payment of order {number}",
                *(named(k.replace("_", " "), v) for k, v in paid.items()),
            ),
            "payment",
            {"order": number, **paid},
            subject=subject,
        )


def _other(ledger: Ledger, key: str, number: str, entry: dict[str, Any]) -> None:
    kind = key.removesuffix("s") or "object"
    values = dict(_plain(entry, set()))
    id_ = _text(entry.get(f"{kind}_id") or entry.get("id")) or number
    shown = (named(k.replace("_", " "), v) for k, v in values.items())
    subject = f"customer:{id_}" if kind in ("user", "customer") else ""
    ledger.state(
        joined(f"{kind.capitalize()} {id_}", *shown),
        kind,
        dict(values),
        own_id=id_,
        subject=subject,
    )


def _plain(
    entry: Any, left_out: set[str], path: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    """Everything in an object as texts under joined keys; lists as one text."""
    for key, value in entry.items() if isinstance(entry, dict) else ():
        name = f"{path}_{key}".strip("_")
        if key in left_out or name in ("price", "amount"):
            continue
        if isinstance(value, dict) and depth < 6:
            yield from _plain(value, left_out, name, depth + 1)
        elif isinstance(value, list):
            if shown := ", ".join(filter(None, map(_shown, value))):
                yield name, shown
        elif shown := _text(value):
            yield name, shown


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{k} {v}" for k, v in _plain(value, set(), depth=5))
    if isinstance(value, list):
        return " ".join(map(_shown, value))
    return _text(value)


def _price(entry: dict[str, Any], key: str = "price") -> Quantity | None:
    amount = decimal(_text(entry.get(key)))
    currency = _text(entry.get("currency") or entry.get("currencyCode"))
    return None if amount is None else Quantity(amount, currency)


def _name(entry: dict[str, Any]) -> str:
    return next((_text(entry[k]) for k in _PRODUCT_NAMES if isinstance(entry.get(k), str)), "")


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(str(getattr(value, "raw", value)))
