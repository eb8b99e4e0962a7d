"""Real files of retail: the records of an independent count, and sums that the files declare."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from stdnum import ean

from connectors.readers import Reading, read_file, sniff
from connectors.readers.child import read
from connectors.readers.record import Quantity
from connectors.readers.source import Source

NFE = "{http://www.portalfiscal.inf.br/nfe}"


def files(shared_data: Path, folder: str) -> list[Path]:
    found = sorted((shared_data / "raw/retail" / folder).iterdir())
    assert found
    return found


def read_here(path: Path) -> Reading:
    return read(Source(path, sniff(path), path.name))


def kinds(path: Path) -> Counter[str]:
    return Counter(record.kind for record in read_here(path).records)


def test_every_file_is_read(shared_data: Path) -> None:
    paths = [p for p in sorted((shared_data / "raw/retail").rglob("*")) if p.is_file()]
    for path in paths:
        reading = read_file(path)
        assert reading.blocks, path
        assert reading.records or path.suffix == ".md", path
        for record in reading.records:
            assert record.block is not None, (path, record)
            assert reading.blocks[record.block].kind == "record", (path, record)


def events_of(value: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = value["epcisBody"]["eventList"]
    return events


def test_epcis(shared_data: Path) -> None:
    n_events = 0
    for path in files(shared_data, "gs1_epcis"):
        counts, text = kinds(path), path.read_text(encoding="utf-8")
        if path.suffix == ".jsonld":
            events = events_of(json.loads(text))
            asked = len(events)
            quantities = len(re.findall(r'"quantity"', text))
            reports = len(re.findall(r'"sensorReport"', text))
            assert counts["sensor_report"] >= reports, path
        else:
            root = ElementTree.fromstring(text)
            names = [element.tag.rpartition("}")[2] for element in root.iter()]
            asked = sum(
                name.endswith("Event")
                for element in root.iter("EventList")
                for name in (child.tag for child in element)
            )
            quantities = names.count("quantityElement")
            assert counts["sensor_report"] == names.count("sensorReport"), path
        assert counts["event"] == asked, path
        assert counts["event_quantity"] == quantities, path
        n_events += asked
    assert n_events > 25


def test_ubl(shared_data: Path) -> None:
    for path in files(shared_data, "ubl_invoice"):
        text, counts = path.read_text(encoding="utf-8"), kinds(path)
        kind = "credit_note" if "creditnote" in path.name else "invoice"
        tag = "CreditNoteLine" if kind == "credit_note" else "InvoiceLine"
        assert counts[kind] == 1
        assert counts[f"{kind}_line"] == text.count(f"<cac:{tag}>"), path
        assert counts["tax"] == text.count("<cac:TaxSubtotal>"), path
        payable = re.search(r"<cbc:PayableAmount[^>]*>([^<]+)<", text)
        assert payable
        document = next(r for r in read_here(path).records if r.kind == kind)
        assert amount(document.values["total"]) == Decimal(payable[1])


def amount(value: object) -> Decimal:
    assert isinstance(value, Quantity)
    return value.amount


def test_nfe(shared_data: Path) -> None:
    for path in files(shared_data, "nfe_brazil"):
        reading = read_here(path)
        root = ElementTree.parse(path).getroot()
        items = [r for r in reading.records if r.kind == "invoice_item"]
        invoice = reading.records[0]
        assert len(items) == len(root.findall(f".//{NFE}det"))
        assert invoice.id == re.sub(r"\D", "", root.find(f".//{NFE}infNFe").attrib["Id"])  # type: ignore[union-attr]
        for tag, key in (("vProd", "products"), ("vNF", "total"), ("vICMS", "icms")):
            declared = root.findtext(f".//{NFE}ICMSTot/{NFE}{tag}")
            assert amount(invoice.values[key]) == Decimal(str(declared)), (path, tag)
        assert sum(amount(item.values["amount"]) for item in items) == amount(
            invoice.values["products"]
        )
        codes = [e.text for e in root.iter(f"{NFE}cEAN") if ean.is_valid(e.text or "")]
        assert [item.values["gtin"] for item in items if "gtin" in item.values] == codes
        assert not any("dígito verificador" in warning for warning in reading.warnings)


def test_shopify(shared_data: Path) -> None:
    path = shared_data / "raw/retail/shopify_csv/apparel.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = kinds(path)
    assert counts["product"] == len({row["Handle"] for row in rows})
    assert counts["variant"] == sum(bool(row["Variant Price"]) for row in rows)


def test_shop_data(shared_data: Path) -> None:
    path = shared_data / "raw/retail/shop_db/retail_orders_users_products.json"
    data, counts = json.loads(path.read_text(encoding="utf-8")), kinds(path)
    assert counts == {
        "product": len(data["products"]),
        "variant": sum(len(p["variants"]) for p in data["products"].values()),
        "user": len(data["users"]),
        "order": len(data["orders"]),
        "order_item": sum(len(o["items"]) for o in data["orders"].values()),
        "payment": sum(len(o["payment_history"]) for o in data["orders"].values()),
    }


@pytest.mark.parametrize("name", ["catalog/products-ecommerce.json"])
def test_catalog(shared_data: Path, name: str) -> None:
    path = shared_data / "raw/retail" / name
    assert kinds(path) == {"product": len(json.loads(path.read_text(encoding="utf-8")))}
