from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from stdnum import ean
from stdnum.br import cnpj

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity
from connectors.readers.retail.gtin import check_digit, gtin_of, is_gtin, product
from connectors.readers.retail.nfe import key_digit

Read = Callable[..., Reading]


def test_gtins_agree_with_another_library() -> None:
    for number in ("7891000315507", "4012345123456", "96385074", "10614141073464", "123", "a" * 13):
        assert is_gtin(number) == ean.is_valid(number)
    assert check_digit("789100031550") == "7"


@pytest.mark.parametrize(
    ("identifier", "gtin"),
    [
        ("urn:epc:id:sgtin:0614141.107346.2018", "10614141073464"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "04012345123456"),
        ("urn:epc:idpat:sgtin:4012345.066666.*", "04012345666663"),
        ("https://id.gs1.org/01/70614141123451/21/2017", "70614141123451"),
        ("https://shop.example/01/4012345123456", "04012345123456"),
        ("urn:epc:id:sgln:0614141.07346.1234", ""),
        ("urn:epc:id:sgtin:06.1.2", ""),
    ],
)
def test_a_gtin_inside_an_identifier(identifier: str, gtin: str) -> None:
    assert gtin_of(identifier) == gtin


def test_a_product_is_known_by_its_gtin_or_by_another_key() -> None:
    assert product("4012345123456", "sku") == "product:04012345123456"
    assert product("4012345123457", "sku") == "product:sku"
    assert product("", "") == ""


KEY = "3524011234567800019555001000000001100000001"
ITEM = """<det nItem="1"><prod><cProd>A1</cProd><cEAN>7891000315507</cEAN><xProd>Café 500g</xProd>
<NCM>09012100</NCM><CFOP>5102</CFOP><uCom>UN</uCom><qCom>2.0000</qCom><vUnCom>6.25</vUnCom>
<vProd>12.50</vProd><indTot>1</indTot></prod><imposto><vTotTrib>1.00</vTotTrib><ICMS><ICMS00>
<orig>0</orig><CST>00</CST><vBC>12.50</vBC><pICMS>18.00</pICMS><vICMS>2.25</vICMS></ICMS00></ICMS>
<PIS><PISAliq><CST>01</CST><vBC>12.50</vBC><pPIS>0.65</pPIS><vPIS>0.08</vPIS></PISAliq></PIS>
</imposto></det>"""


def nfe(total: str = "12.50") -> str:
    """An authorised NFC-e with one item."""
    key = KEY + key_digit(KEY)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <nfeProc xmlns="http://www.portalfiscal.inf.br/nfe"><NFe><infNFe Id="NFe{key}"><ide>
    <natOp>Venda</natOp><mod>65</mod><serie>1</serie><nNF>7</nNF>
    <dhEmi>2024-01-05T10:00:00-03:00</dhEmi><finNFe>1</finNFe><tpAmb>1</tpAmb></ide>
    <emit><CNPJ>12345678000195</CNPJ><xNome>Mercado Açaí</xNome>
    <enderEmit><xMun>Recife</xMun><UF>PE</UF></enderEmit></emit>{ITEM}
    <total><ICMSTot><vProd>{total}</vProd><vICMS>2.25</vICMS><vNF>{total}</vNF></ICMSTot></total>
    </infNFe></NFe><protNFe><infProt><chNFe>{key}</chNFe><nProt>1</nProt><cStat>100</cStat>
    <xMotivo>Autorizado</xMotivo></infProt></protNFe></nfeProc>"""


def test_an_invoice_of_brazil_in_portuguese(read_bytes: Read) -> None:
    reading = read_bytes(nfe(), "nota.xml")
    assert (reading.media_type, reading.lang) == ("application/nfe+xml", "pt")
    assert reading.title == "NFC-e nº 7, série 1 · Mercado Açaí"
    assert not reading.warnings
    invoice, item = reading.records
    assert (invoice.kind, invoice.subject) == ("invoice", "company:12345678000195")
    assert cnpj.is_valid("12345678000195")
    assert len(invoice.id) == 44
    assert invoice.values["total"] == Quantity(Decimal("12.50"), "BRL")
    assert invoice.values["issued"] == datetime.fromisoformat("2024-01-05T10:00:00-03:00")
    assert (item.kind, item.id, item.subject) == (
        "invoice_item",
        f"{invoice.id}/1",
        "product:07891000315507",
    )
    assert item.values["quantity"] == Quantity(Decimal("2.0000"), "UN")
    assert item.values["icms"] == Quantity(Decimal("2.25"), "BRL")
    assert (item.values["icms_cst"], item.values["icms_rate"]) == ("00", Decimal("18.00"))
    assert item.values["cfop"] == "5102"
    assert reading.blocks[-1].text == (
        "Item 1 da NFC-e nº 7, série 1: Café 500g; código: A1; GTIN: 7891000315507; NCM: 09012100; "
        "CFOP: 5102; quantidade: 2,0000 UN; valor unitário: R$ 6,25; valor: R$ 12,50; "
        "ICMS: CST/CSOSN 00, 18,00% = R$ 2,25; PIS: CST/CSOSN 01, 0,65% = R$ 0,08"
    )
    assert "emissão: 05/01/2024 10:00" in reading.blocks[1].text
    assert "situação: 100 Autorizado" in reading.blocks[1].text


def test_a_wrong_key_and_a_wrong_total_give_warnings(read_bytes: Read) -> None:
    right = key_digit(KEY)
    wrong = str((int(right) + 1) % 10)
    text = nfe(total="13.00").replace(KEY + right, KEY + wrong)
    first, second = read_bytes(text, "nota.xml").warnings
    assert f"termina em {wrong}; o dígito verificador é {right}" in first
    assert "o total dos produtos é 13,00, os itens somam 12,50" in second


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("Id=", "id=", "element infNFe has the Id '', no access key of 44 digits"),
        ("emit>", "outro>", "element infNFe has no emit"),
        ("det>", "xdet>", "is malformed"),
        (ITEM, "", "element infNFe has no det, so no item"),
        ("<qCom>2.0000</qCom>", "", "element prod has no qCom"),
        ("<vProd>12.50</vProd><ind", "<vProd>12,50</vProd><ind", "('12,50') is not a number"),
        ("infNFe", "outraNFe", "element nfeProc holds neither infNFe nor infEvento"),
    ],
)
def test_broken_invoices_are_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(nfe().replace(old, new), "nota.xml")
    assert problem in str(refused.value)


def test_a_cancellation(read_bytes: Read) -> None:
    text = f"""<procEventoNFe xmlns="http://www.portalfiscal.inf.br/nfe"><evento>
    <infEvento Id="ID1"><chNFe>{KEY}0</chNFe><dhEvento>2024-01-06T09:00:00-03:00</dhEvento>
    <tpEvento>110111</tpEvento><detEvento><descEvento>Cancelamento</descEvento>
    <xJust>Erro de preço</xJust></detEvento></infEvento></evento></procEventoNFe>"""
    [event] = read_bytes(text, "evento.xml").records
    assert (event.kind, event.id, event.values["reason"]) == (
        "invoice_event",
        "ID1",
        "Erro de preço",
    )


UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:c="c">
<c:ID>F-1</c:ID><c:IssueDate>2024-03-02</c:IssueDate>
<c:DocumentCurrencyCode>EUR</c:DocumentCurrencyCode>
<c:AccountingSupplierParty><c:Party><c:PartyName><c:Name>Shop</c:Name></c:PartyName></c:Party>
</c:AccountingSupplierParty>
<c:TaxTotal><c:TaxAmount currencyID="EUR">2.10</c:TaxAmount><c:TaxSubtotal>
<c:TaxableAmount currencyID="EUR">10.00</c:TaxableAmount>
<c:TaxAmount currencyID="EUR">2.10</c:TaxAmount><c:TaxCategory><c:ID>S</c:ID>
<c:Percent>21</c:Percent></c:TaxCategory></c:TaxSubtotal></c:TaxTotal>
<c:LegalMonetaryTotal><c:LineExtensionAmount>10.00</c:LineExtensionAmount>
<c:PayableAmount>12.10</c:PayableAmount></c:LegalMonetaryTotal>
<c:InvoiceLine><c:ID>1</c:ID><c:InvoicedQuantity unitCode="KGM">2.5</c:InvoicedQuantity>
<c:LineExtensionAmount>10.00</c:LineExtensionAmount><c:Item><c:Name>Flour</c:Name></c:Item>
<c:Price><c:PriceAmount>4</c:PriceAmount></c:Price></c:InvoiceLine></Invoice>"""


def test_an_invoice_with_lines_and_taxes(read_bytes: Read) -> None:
    reading = read_bytes(UBL, "a.xml")
    assert reading.title == "Invoice F-1 · Shop"
    invoice, line, tax = reading.records
    assert invoice.values["total"] == Quantity(Decimal("12.10"), "EUR")
    assert invoice.values["date"] == date(2024, 3, 2)
    assert line.values["quantity"] == Quantity(Decimal("2.5"), "KGM")
    assert (line.id, line.subject) == ("F-1/1", "product:Flour")
    assert tax.values["amount"] == Quantity(Decimal("2.10"), "EUR")
    assert not reading.warnings
    text = UBL.replace("<c:LineExtensionAmount>10.00</c:LineExtensionAmount>\n<c:Pay", "<c:Pay")
    assert not read_bytes(text, "a.xml").warnings
    text = UBL.replace(
        "10.00</c:LineExtensionAmount>\n<c:Pay", "11</c:LineExtensionAmount>\n<c:Pay"
    )
    assert read_bytes(text, "a.xml").warnings == (
        "Invoice F-1 (line 10) declares 11 for its lines, they give 10.00.",
    )


def test_an_order_and_a_credit_note(read_bytes: Read) -> None:
    note = UBL.replace("Invoice", "CreditNote").replace("CreditNotedQ", "CreditedQ")
    assert [r.kind for r in read_bytes(note, "a.xml").records] == [
        "credit_note",
        "credit_note_line",
        "tax",
    ]
    order = UBL.replace("Invoice", "Order").replace("<c:OrderLine>", "<c:OrderLine><c:LineItem>")
    order = order.replace("</c:OrderLine>", "</c:LineItem></c:OrderLine>")
    order = order.replace("c:OrderdQuantity", "c:Quantity")
    line = read_bytes(order, "a.xml").records[1]
    assert (line.kind, line.values["quantity"]) == (
        "order_line",
        Quantity(Decimal("2.5"), "KGM"),
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<c:ID>F-1</c:ID>", "", "line 1, element Invoice has no ID"),
        ("InvoiceLine>", "Row>", "line 1, element Invoice has no InvoiceLine"),
        ("c:Item>", "c:Thing>", "line 12, element InvoiceLine has no Item"),
        (">2.5<", ">some<", "element InvoicedQuantity ('some') is not a number"),
    ],
)
def test_broken_documents_are_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(UBL.replace(old, new), "a.xml")
    assert problem in str(refused.value)


FEED = """<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>A</g:id><title>Tea</title><g:price>BRL 1.299,90</g:price><g:gtin>4012345123456</g:gtin>
<g:shipping><g:country>BR</g:country><g:price>5 BRL</g:price></g:shipping></item>
<item><g:id>B</g:id><g:title>Cup</g:title><g:price>free</g:price></item></channel></rss>"""


def test_a_merchant_feed(read_bytes: Read) -> None:
    reading = read_bytes(FEED, "feed.xml")
    tea, cup = reading.records
    assert (tea.id, tea.subject) == ("A", "product:04012345123456")
    assert tea.values["price"] == Quantity(Decimal("1299.90"), "BRL")
    assert tea.values["shipping"] == "country BR, price 5 BRL"
    assert cup.values["price"] == "free"
    assert reading.warnings == ("The price at line 4 ('free') is no amount with a currency.",)
    with pytest.raises(ReadError, match="line 2, element item has no id"):
        read_bytes(FEED.replace("<g:id>A</g:id>", ""), "feed.xml")


def test_a_merchant_feed_in_atom_and_in_rows(read_bytes: Read) -> None:
    atom = FEED.replace("<rss version", "<feed version").replace("</rss>", "</feed>")
    atom = atom.replace("item>", "entry>").replace("<channel>", "").replace("</channel>", "")
    assert [r.id for r in read_bytes(atom, "feed.xml").records] == ["A", "B"]
    rows = "id\ttitle\tlink\tprice\tavailability\nA\tTea\thttp://x\t1,299.90 USD\tin stock\n"
    [tea] = read_bytes(rows, "feed.tsv").records
    assert tea.values["price"] == Quantity(Decimal("1299.90"), "USD")
    with pytest.raises(ReadError, match="Line 2 of the table has no id"):
        read_bytes(rows.replace("\nA\t", "\n\t"), "feed.tsv")
