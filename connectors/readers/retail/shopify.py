"""Product files of Shopify: rows of variants and images, put together into products."""

from __future__ import annotations

from decimal import Decimal

from connectors.readers.headed import Row
from connectors.readers.ledger import Ledger, joined, named
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.record import Quantity, Value, decimal
from connectors.readers.retail.gtin import product
from connectors.readers.source import Source


def read_rows(source: Source, rows: list[Row]) -> Reading:
    """Read the rows; raises `ReadError` with the line of one without a handle or with a bad price.

    The file has no currency: amounts have no unit.
    """
    products: dict[str, list[Row]] = {}
    for row in rows:
        handle = row.get("handle", "url_handle")
        if not handle:
            row.refuse("has no Handle, so it belongs to no product")
        products.setdefault(handle, []).append(row)
    ledger = Ledger(source)
    ledger.heading("Products", 1)
    for handle, group in products.items():
        _product(ledger, handle, group)
    return ledger.reading(source.media_type)


def _product(ledger: Ledger, handle: str, rows: list[Row]) -> None:
    head = rows[0]
    names = [head.get(f"option{n}_name") for n in (1, 2, 3)]
    variants = [row for row in rows if _is_variant(row)]
    images = [row for row in rows if row.get("image_src", "product_image_url")]
    title = head.get("title") or handle
    prices = [price for row in variants if (price := _price(row, "variant_price", "price"))]
    low, high = min(prices, default=None, key=_amount), max(prices, default=None, key=_amount)
    values: dict[str, Value | None] = {
        "title": title,
        "vendor": head.get("vendor"),
        "type": head.get("type", "product_category", "custom_product_type"),
        "tags": tuple(tag.strip() for tag in head.get("tags").split(",") if tag.strip()),
        "published": _truth(head.get("published", "published_on_online_store")),
        "status": head.get("status"),
        "price": low,
        "price_up_to": high if high != low else None,
        "variants": len(variants),
        "images": len(images),
        "description": _plain(head.get("body_html", "description")),
    }
    told = (named(k.replace("_", " "), v) for k, v in values.items() if k != "title")
    ledger.state(
        joined(title, *told), "product", values, own_id=handle, subject=f"product:{handle}"
    )
    for row in variants:
        _variant(ledger, handle, title, names, row)


def _is_variant(row: Row) -> bool:
    return bool(row.get("variant_price", "price", "option1_value", "variant_sku", "sku"))


def _variant(ledger: Ledger, handle: str, title: str, names: list[str], row: Row) -> None:
    options = [
        f"{name or f'option {n}'}: {value}"
        for n, name in enumerate(names, 1)
        if (value := row.get(f"option{n}_value")) and value != "Default Title"
    ]
    sku, barcode = row.get("variant_sku", "sku"), row.get("variant_barcode", "barcode")
    stock = row.get("variant_inventory_qty", "inventory_quantity")
    weight = decimal(row.get("variant_grams", "weight_value_grams"))
    values: dict[str, Value | None] = {
        "product": handle,
        "options": tuple(options),
        "sku": sku,
        "gtin": barcode,
        "price": _price(row, "variant_price", "price"),
        "compare_at": _price(row, "variant_compare_at_price", "compare_at_price"),
        "stock": int(stock) if stock.lstrip("-").isdigit() else None,
        "weight": Quantity(weight, "g") if weight else None,
        "taxable": _truth(row.get("variant_taxable", "charge_tax")),
    }
    told = (named(k.replace("_", " "), v) for k, v in values.items() if k != "product")
    ledger.line(
        joined(f"Variant of {title}", *told),
        "variant",
        values,
        own_id=sku or joined(handle, *(row.get(f"option{n}_value") for n in (1, 2, 3)), by="/"),
        subject=product(barcode, handle),
    )


def _price(row: Row, *names: str) -> Quantity | None:
    written = row.get(*names)
    if not written:
        return None
    amount = decimal(written.replace(",", "") if "." in written else written.replace(",", "."))
    if amount is None:
        row.refuse(f"has the price {written[:30]!r}, which is not a number")
    return Quantity(amount, "")


def _amount(price: Quantity) -> Decimal:
    return price.amount


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _plain(markup: str) -> str:
    """A description as text: it may be HTML."""
    if "<" not in markup:
        return markup
    from connectors.readers.markup import place_html

    outline = Outline()
    place_html(outline, markup)
    return " ".join(block.text.replace("\n", "; ") for block in outline.blocks)
