from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import Limits, ReadError, Reading
from connectors.readers.record import Period, Quantity

Read = Callable[..., Reading]
SHOPIFY = """Handle,Title,Body (HTML),Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price
tee,Tee,"<p>Soft <b>cotton</b>,
two lines</p>",ACME,Size,S,T-S,"1,050.00"
tee,,,,,M,T-M,9
cap,Cap,,ACME,Title,Default Title,,5
"""


def test_variants_are_grouped_into_products(read_bytes: Read) -> None:
    reading = read_bytes(SHOPIFY, "products.csv")
    kinds = [record.kind for record in reading.records]
    assert kinds == ["product", "variant", "variant", "product", "variant"]
    tee = reading.records[0]
    assert (tee.id, tee.values["description"]) == ("tee", "Soft cotton, two lines")
    assert tee.values["price_up_to"] == Quantity(Decimal("1050.00"), "")
    assert reading.records[1].values["options"] == ("Size: S",)
    assert "Variant of Tee; options: Size: M; sku: T-M; price: 9" in reading.blocks[2].text


def test_the_newer_column_names(read_bytes: Read) -> None:
    rows = "Title,URL handle,Description,SKU,Price\nTee,tee,Soft,T-1,9.50\n"
    assert [r.kind for r in read_bytes(rows, "products.csv").records] == ["product", "variant"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("\ntee,,,", "\n,,,", "Line 4 of the table has no Handle"),
        (",9\n", ",nine\n", "Line 4 of the table has the price 'nine'"),
        (",5\n", ",5,x\n", "Line 5 of the table has 9 cells, the header has 8"),
    ],
)
def test_broken_rows_are_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(SHOPIFY.replace(old, new), "products.csv")
    assert problem in str(refused.value)


def test_more_rows_than_allowed_give_a_warning(read_bytes: Read) -> None:
    reading = read_bytes(SHOPIFY, "products.csv", Limits(rows=3))
    assert len(reading.records) == 3
    assert "Only the first 3 records were read" in reading.warnings[0]


def test_reviews_in_rows_and_in_json(read_bytes: Read) -> None:
    rows = "review_id,order_id,review_score,review_comment_message,review_creation_date\n"
    [review] = read_bytes(rows + "R1,O1,5,Ótimo,2018-01-18 00:00:00\n", "olist.csv").records
    assert (review.id, review.values["rating"], review.values["text"]) == (
        "R1",
        Decimal(5),
        "Ótimo",
    )
    assert review.values["date"] == date(2018, 1, 18)
    with pytest.raises(ReadError, match="Line 2 of the table has the rating 'bom'"):
        read_bytes(rows + "R1,O1,bom,Ótimo,2018-01-18\n", "olist.csv")
    lines = [
        {"asin": "B1", "overall": 4.0, "reviewText": "Good", "reviewTime": "03 1, 2014"},
        {"asin": "B1", "rating": 2, "text": "Bad", "timestamp": 1588687728923},
    ]
    text = "\n".join(map(json.dumps, lines))
    first, second = read_bytes(text, "a.jsonl").records
    assert (first.subject, first.values["date"]) == ("product:B1", date(2014, 3, 1))
    assert second.values["date"] == date(2020, 5, 5)


def test_a_shop_of_orders_and_products(read_bytes: Read) -> None:
    shop = {
        "products": {
            "P": {"name": "Mug", "variants": {"V": {"price": 5.5, "options": {"c": "red"}}}}
        },
        "orders": {
            "#1": {
                "order_id": "#1",
                "user_id": "bob",
                "status": "pending",
                "items": [{"name": "Mug", "product_id": "P", "price": 5.5}],
                "payment_history": [{"transaction_type": "payment", "amount": 5.5}],
            }
        },
        "users": {"bob": {"name": {"first_name": "Bob"}}},
    }
    reading = read_bytes(json.dumps(shop), "shop.json")
    kinds = [record.kind for record in reading.records]
    assert kinds == ["product", "variant", "order", "order_item", "payment", "user"]
    assert reading.records[3].subject == "product:P"
    assert reading.records[4].values["amount"] == Quantity(Decimal("5.5"), "")
    assert "Order #1; user id: bob; status: pending; items: Mug" in reading.blocks[4].text


def test_a_catalog_and_what_is_none(read_bytes: Read) -> None:
    items = [{"product": "Tea", "category": "Drinks", "description": "is green"}]
    reading = read_bytes(json.dumps(items), "catalog.json")
    assert (reading.records[0].kind, reading.records[0].subject) == ("product", "product:Tea")
    other = read_bytes('[{"name": "Ana", "category": "A"}, {"name": "Bo"}]', "people.json")
    assert {record.kind for record in other.records} == {"object"}


CVM = (
    "CNPJ_CIA;DT_REFER;VERSAO;DENOM_CIA;CD_CVM;GRUPO_DFP;MOEDA;ESCALA_MOEDA;ORDEM_EXERC;"
    "DT_INI_EXERC;DT_FIM_EXERC;CD_CONTA;DS_CONTA;VL_CONTA;ST_CONTA_FIXA\n"
    "00.000.000/0001-91;2023-12-31;1;BCO BRASIL S.A.;1023;DF Consolidado - Demonstração do "
    "Resultado;REAL;MIL;ÚLTIMO;2023-01-01;2023-12-31;3.01;Receitas;-1234567.8900000000;S\n"
)


def test_statements_of_the_cvm(read_bytes: Read) -> None:
    reading = read_bytes(CVM.encode("latin-1"), "dfp_cia_aberta_DRE_con_2023.csv")
    [fact] = reading.records
    assert reading.lang == "pt"
    assert fact.values["value"] == Quantity(Decimal("-1234567890"), "BRL")
    assert fact.values["period"] == Period(date(2023, 1, 1), date(2023, 12, 31))
    assert fact.subject == "company:BCO BRASIL S.A."
    assert reading.blocks[-1].text == (
        "Receitas (conta 3.01) — 01/01/2023 a 31/12/2023: -R$ 1.234.567.890; "
        "exercício: último; versão: 1"
    )
    with pytest.raises(ReadError, match="Line 2 of the table has VL_CONTA 'n/d', which is not"):
        read_bytes(CVM.replace("-1234567.8900000000", "n/d"), "dfp.csv")
    with pytest.raises(ReadError, match="Line 2 of the table has ESCALA_MOEDA 'DUZIA'"):
        read_bytes(CVM.replace(";MIL;", ";DUZIA;"), "dfp.csv")


def test_funds_and_series(read_bytes: Read) -> None:
    fund = "TP_FUNDO;CNPJ_FUNDO;DT_COMPTC;VL_QUOTA;NR_COTST\nFI;11.1/1-1;2024-01-02;1.5;10\n"
    [day] = read_bytes(fund, "inf_diario.csv").records
    assert day.values["vl_quota"] == Quantity(Decimal("1.5"), "BRL")
    series = '"data";"valor"\n"02/01/2024";"1.011,75"\n'
    reading = read_bytes(series, "selic.csv")
    assert reading.records[0].values == {
        "series": "selic",
        "date": date(2024, 1, 2),
        "value": Decimal("1011.75"),
    }
    assert reading.blocks[-1].text == "selic — 02/01/2024: 1.011,75"
