from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]
ENTRY = """
<Ntry>
  <Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
  <BookgDt><Dt>2024-03-02</Dt></BookgDt><AcctSvcrRef>R{n}</AcctSvcrRef>
  <NtryDtls>{details}</NtryDtls>
</Ntry>
"""
DETAIL = """
<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>
<RltdPties><Cdtr><Pty><Nm>Padaria {n}</Nm></Pty></Cdtr>
<CdtrAcct><Id><IBAN>PT50 0002 {n}</IBAN></Id></CdtrAcct></RltdPties>
<RmtInf><Ustrd>Invoice {n}</Ustrd></RmtInf></TxDtls>
"""


def statement(*entries: str, opening: str = "100.00", closing: str = "69.50") -> str:
    """A camt.053 of version 10 with a prefix, an opening and a closing balance."""
    return f"""<?xml version="1.0"?>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.10"><BkToCstmrStmt>
    <GrpHdr><MsgId>M1</MsgId></GrpHdr>
    <Stmt><Id>S1</Id><Acct><Id><IBAN>DE02 1203 0000</IBAN></Id><Ccy>EUR</Ccy></Acct>
    <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{opening}</Amt>
    <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-03-01</Dt></Dt></Bal>
    <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{closing}</Amt>
    <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-03-02</Dt></Dt></Bal>
    {"".join(entries)}</Stmt></BkToCstmrStmt></Document>"""


def test_an_entry_with_one_detail_is_one_transaction(read_bytes: Read) -> None:
    detail = DETAIL.format(n=1, amount="30.50")
    text = statement(ENTRY.format(n=1, amount="30.50", direction="DBIT", details=detail))
    reading = read_bytes(text, "a.xml")
    assert not reading.warnings
    [entry] = [record for record in reading.records if record.kind == "transaction"]
    assert entry.id == "R1"
    assert entry.subject == "account:DE0212030000"
    assert entry.values["amount"] == Quantity(Decimal("-30.50"), "EUR")
    assert entry.values["date"] == date(2024, 3, 2)
    assert entry.values["status"] == "booked"
    assert entry.values["counterparty_account"] == "PT5000021"
    assert entry.block is not None
    assert (
        "2024-03-02 Paid 30.50 EUR to Padaria 1; status: booked; bank reference: R1; "
        "their account: PT5000021; purpose: Invoice 1; end to end id: E1"
    ) in reading.blocks[entry.block].text


def test_a_batch_names_its_parts_apart_from_the_entry(read_bytes: Read) -> None:
    details = DETAIL.format(n=1, amount="10.00") + DETAIL.format(n=2, amount="20.50")
    text = statement(ENTRY.format(n=1, amount="30.50", direction="DBIT", details=details))
    reading = read_bytes(text, "a.xml")
    kinds = [record.kind for record in reading.records]
    assert kinds == ["statement", "balance", "balance", "transaction", *["transaction_detail"] * 2]
    assert reading.records[-1].values["amount"] == Quantity(Decimal("-20.50"), "EUR")
    assert reading.records[-1].id == "E2"


def test_balances_that_do_not_add_up_give_a_warning_with_the_line(read_bytes: Read) -> None:
    reading = read_bytes(statement(closing="99.00"), "a.xml")
    assert reading.warnings == (
        "Statement S1 (line 4): opening balance and entries give 100.00 EUR, "
        "not the closing balance of 99.00.",
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("30.50<", "30,50<", "line 11, element Amt ('30,50') is not a number"),
        ("DBIT", "OUT", "line 10, element Ntry has no CdtDbtInd of CRDT or DBIT"),
        ('<Amt Ccy="EUR">30.50', "<Amt>30.50", "element Amt ('30.50') has no Ccy"),
        ("Acct>", "Account>", "element Stmt has no Acct"),
        ("Stmt>", "Other>", "element BkToCstmrOther holds neither Stmt, Rpt, Ntfctn nor PmtInf"),
        ("</Document>", "", "The XML is malformed"),
    ],
)
def test_a_broken_message_is_refused_with_its_place(
    read_bytes: Read, old: str, new: str, problem: str
) -> None:
    text = statement(ENTRY.format(n=1, amount="30.50", direction="DBIT", details=""))
    with pytest.raises(ReadError) as refused:
        read_bytes(text.replace(old, new), "a.xml")
    assert refused.value.cause == "corrupt"
    assert problem in str(refused.value)


PAYMENT = """<p:Document xmlns:p="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
<p:CstmrCdtTrfInitn><p:GrpHdr><p:MsgId>P1</p:MsgId><p:NbOfTxs>2</p:NbOfTxs>
<p:CtrlSum>99.00</p:CtrlSum><p:InitgPty><p:Nm>ACME</p:Nm></p:InitgPty></p:GrpHdr>
<p:PmtInf><p:PmtInfId>O1</p:PmtInfId><p:ReqdExctnDt><p:Dt>2024-05-01</p:Dt></p:ReqdExctnDt>
<p:Dbtr><p:Nm>ACME</p:Nm></p:Dbtr><p:DbtrAcct><p:Id><p:IBAN>DE1</p:IBAN></p:Id></p:DbtrAcct>
<p:CdtTrfTxInf><p:PmtId><p:EndToEndId>E1</p:EndToEndId></p:PmtId>
<p:Amt><p:InstdAmt Ccy="CHF">12500.00</p:InstdAmt></p:Amt><p:Cdtr><p:Nm>Bob</p:Nm></p:Cdtr>
<p:RmtInf><p:Ustrd>Rent</p:Ustrd></p:RmtInf></p:CdtTrfTxInf></p:PmtInf>
</p:CstmrCdtTrfInitn></p:Document>"""


def test_payments_of_an_order(read_bytes: Read) -> None:
    reading = read_bytes(PAYMENT, "pain.xml")
    order, payment = reading.records
    assert (order.kind, order.id, order.subject) == ("payment_order", "O1", "account:DE1")
    assert (payment.kind, payment.id) == ("payment", "E1")
    assert payment.values["amount"] == Quantity(Decimal("12500.00"), "CHF")
    assert reading.blocks[-1].text == (
        "2024-05-01 ACME pays 12,500.00 CHF to Bob; purpose: Rent; end to end id: E1"
    )
    assert reading.warnings == (
        "GrpHdr (line 2) declares 2 payments, the file has 1.",
        "GrpHdr (line 2) declares a sum of 99.00, the payments give 12,500.00.",
    )


def test_direct_debits(read_bytes: Read) -> None:
    text = PAYMENT.replace("pain.001.001.09", "pain.008.001.02")
    text = (
        text.replace("CdtTrfTxInf", "DrctDbtTxInf").replace("<p:Amt>", "").replace("</p:Amt>", "")
    )
    reading = read_bytes(text.replace("p:Dbtr", "p:X").replace("p:Cdtr", "p:Dbtr"), "pain.xml")
    assert "collects 12,500.00 CHF from Bob" in reading.blocks[-1].text
