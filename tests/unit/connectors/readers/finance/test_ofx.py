from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Period, Quantity

Read = Callable[..., Reading]
SGML = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>
<DTSERVER>20240131<LANGUAGE>POR<FI><ORG>Banco Açaí<FID>123</FI></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STMTRS><CURDEF>BRL
<BANKACCTFROM><BANKID>0341<ACCTID>12345-6<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20240101<DTEND>20240131120000[-3:BRT]
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240105120000[-3:BRT]<TRNAMT>-1.234,50<FITID>A1
<CHECKNUM><MEMO>Aluguel &amp; condomínio</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20240110</DTPOSTED><TRNAMT>50.00</TRNAMT>
<FITID>A2</FITID><NAME>Maria</NAME></STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>10,00<DTASOF>20240131</LEDGERBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_sgml_of_a_brazilian_bank_is_worded_in_portuguese(read_bytes: Read) -> None:
    reading = read_bytes(SGML.encode("cp1252"), "extrato.txt")
    assert (reading.media_type, reading.lang) == ("application/x-ofx", "pt")
    assert reading.title == "OFX · Banco Açaí"
    statement, balance, paid, received = reading.records
    assert statement.values["period"] == Period(date(2024, 1, 1), date(2024, 1, 31))
    assert balance.values["amount"] == Quantity(Decimal("10.00"), "BRL")
    assert paid.values["amount"] == Quantity(Decimal("-1234.50"), "BRL")
    assert paid.values["memo"] == "Aluguel & condomínio"
    assert (paid.id, paid.subject) == ("A1", "account:12345-6")
    assert received.values["counterparty"] == "Maria"
    assert paid.block is not None
    assert (
        "05/01/2024 Pagamento de R$ 1.234,50; tipo: DEBIT; histórico: Aluguel & condomínio; id: A1"
        in reading.blocks[paid.block].text
    )
    assert "10/01/2024 Recebimento de R$ 50,00 de Maria" in reading.blocks[-1].text


XML = """<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?>
<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500</CODE><MESSAGE>Bad sign-on</MESSAGE></STATUS>
<LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>
<CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>USD</CURDEF>
<CCACCTFROM><ACCTID>4111</ACCTID></CCACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT</TRNTYPE>
<DTPOSTED>20240105</DTPOSTED><TRNAMT>-9.99</TRNAMT><FITID>B1</FITID><NAME>Cafe</NAME>
<CURRENCY><CURRATE>1.1</CURRATE><CURSYM>EUR</CURSYM></CURRENCY></STMTTRN></BANKTRANLIST>
</CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>"""


def test_a_card_statement_in_xml(read_bytes: Read) -> None:
    reading = read_bytes(XML, "card.qfx")
    assert reading.records[-1].values["amount"] == Quantity(Decimal("-9.99"), "EUR")
    assert reading.blocks[-1].text == ("2024-01-05 Paid 9.99 EUR to Cafe; type: DEBIT; id: B1")
    assert reading.warnings == ("The institution answered with error 15500 Bad sign-on (line 2).",)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("-1.234,50", "viel", "line 12: <TRNAMT> of 'viel' is not a number"),
        ("20240105", "20241305", "line 12: <DTPOSTED> of '20241305120000[-3:BRT]' is not a date"),
        ("<TRNAMT>50.00</TRNAMT>", "", "line 14: <STMTTRN> has no <TRNAMT>"),
        ("</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>", "", "the file ends within <STMTRS>"),
        ("</STMTTRN>\n<", "\n<", "line 16: </BANKTRANLIST> comes before the end of <STMTTRN>"),
        ("</BANKACCTFROM>", "</BANK>", "line 10: </BANK> closes nothing that is open"),
        ("<ACCTID>", "< ACCTID>", "line 10: a '<' begins no tag"),
        ("BANKACCTFROM", "WHOSE", "line 9: <STMTRS> names no account"),
    ],
)
def test_malformed_files_are_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(SGML.replace(old, new), "a.ofx")
    assert refused.value.cause == "corrupt"
    assert problem in str(refused.value)


def test_entities_are_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(f'<!DOCTYPE x [<!ENTITY a "b">]>{XML[21:]}', "a.ofx")
    assert refused.value.cause == "unsafe_xml"


def test_deep_nesting_is_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes("<OFX>" + "<A>" * 1000, "a.ofx")
    assert refused.value.cause == "bomb"
