from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.finance.transform import text_value, written_number
from connectors.readers.record import Period, Quantity

Read = Callable[..., Reading]
RESOURCES = """
<xbrli:context id="y"><xbrli:entity><xbrli:identifier scheme="lei">X1</xbrli:identifier>
</xbrli:entity><xbrli:period><xbrli:startDate>2024-01-01</xbrli:startDate>
<xbrli:endDate>2024-12-31</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="p"><xbrli:entity><xbrli:identifier scheme="lei">X1</xbrli:identifier>
<xbrli:segment><xbrldi:explicitMember dimension="a:ProductAxis">a:ToyMember</xbrldi:explicitMember>
</xbrli:segment></xbrli:entity><xbrli:period><xbrli:instant>2024-12-31T00:00:00</xbrli:instant>
</xbrli:period></xbrli:context>
<xbrli:unit id="u"><xbrli:measure>iso4217:EUR</xbrli:measure></xbrli:unit>
<xbrli:unit id="e"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:EUR</xbrli:measure>
</xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure>
</xbrli:unitDenominator></xbrli:divide></xbrli:unit>
"""
NAMES = (
    'xmlns:xbrli="http://www.xbrl.org/2003/instance" xmlns:xbrldi="http://xbrl.org/2006/xbrldi" '
    'xmlns:a="http://example.com/a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:link="http://www.xbrl.org/2003/linkbase" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
PAGE = f"""<html xmlns="http://www.w3.org/1999/xhtml"
xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" {NAMES} xml:lang="en"><head><title>t</title></head>
<body><div style="display:none"><ix:header><ix:hidden>
<ix:nonNumeric name="dei:EntityRegistrantName" contextRef="y">Toy SE</ix:nonNumeric></ix:hidden>
<ix:resources>{RESOURCES}</ix:resources></ix:header></div>
<h1>Results</h1><p>Loss was
<ix:nonFraction name="a:Loss" contextRef="y" unitRef="u" decimals="-3" scale="3" sign="-"
 format="ixt:num-dot-decimal" id="f1">1,234.5</ix:nonFraction> thousand, again
<ix:nonFraction name="a:Loss" contextRef="y" unitRef="u" decimals="-3" sign="-"
 format="ixt:num-comma-decimal">1.234.500</ix:nonFraction>; toys
<ix:nonFraction name="a:Stock" contextRef="p" unitRef="u" decimals="0" scale="6"
 format="ixt:fixed-zero">—</ix:nonFraction>; per share
<ix:nonFraction name="a:PerShare" contextRef="y" unitRef="e" decimals="2">1.50</ix:nonFraction>;
none <ix:nonFraction name="a:None" contextRef="y" unitRef="u" xsi:nil="true"/>.</p>
<p><ix:nonNumeric name="a:Note" contextRef="y" continuedAt="c1">First
<ix:exclude>Page 3</ix:exclude> part</ix:nonNumeric></p>
<p><ix:continuation id="c1">and second.</ix:continuation></p></body></html>"""


def test_inline_facts_with_what_makes_them_facts(read_bytes: Read) -> None:
    reading = read_bytes(PAGE, "report.html")
    assert reading.media_type == "application/inline-xbrl+xml"
    assert (reading.title, reading.lang) == ("Toy SE", "en")
    facts = {str(r.values["concept"]): r for r in reading.records}
    assert len(reading.records) == 7
    assert {r.subject for r in reading.records} == {"company:Toy SE"}
    loss, again = [r for r in reading.records if r.values["concept"] == "a:Loss"]
    assert loss.id == "f1"
    assert loss.values == {
        "concept": "a:Loss",
        "label": "Loss",
        "period": Period(date(2024, 1, 1), date(2024, 12, 31)),
        "value": Quantity(Decimal(-1234500), "EUR"),
        "decimals": "-3",
        "context": "y",
        "entity": "X1",
    }
    assert again.values == {**loss.values, "duplicate": True}
    assert again.block == loss.block
    assert facts["a:Stock"].values["value"] == Quantity(Decimal(0), "EUR")
    assert facts["a:Stock"].values["dimensions"] == ("a:ProductAxis=a:ToyMember",)
    assert facts["a:Stock"].values["period"] == Period(None, date(2024, 12, 30))
    assert facts["a:PerShare"].values["value"] == Quantity(Decimal("1.50"), "EUR/shares")
    assert facts["a:None"].values["nil"] is True
    assert facts["a:Note"].values["value"] == "First part and second."
    assert facts["dei:EntityRegistrantName"].values["hidden"] is True
    text = "\n".join(block.text for block in reading.blocks)
    assert "Loss was 1,234.5 thousand" in text
    assert "Loss (a:Loss) — 2024-12-31 (since 2024-01-01): -1,234,500 (EUR)" in text
    assert text.count("Loss (a:Loss)") == 1


def test_undeclared_prefixes_are_forgiven_with_a_warning(read_bytes: Read) -> None:
    page = PAGE.replace('xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"', "")
    reading = read_bytes(page, "report.html")
    assert len(reading.records) == 7
    assert "The XHTML is careless at line 3" in reading.warnings[0]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('contextRef="p"', 'contextRef="q"', "names the context 'q', which is not in the file"),
        ('unitRef="e"', 'unitRef="x"', "names the unit 'x', which is not in the file"),
        ("1,234.5<", "about 5<", "('about 5') is not a number of format 'num-dot-decimal'"),
        ("</body></html>", "", "The XHTML is malformed: line"),
    ],
)
def test_broken_tagging_is_refused(read_bytes: Read, old: str, new: str, problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(PAGE.replace(old, new), "report.xhtml")
    assert refused.value.cause == "corrupt"
    assert problem in str(refused.value)


INSTANCE = f"""<?xml version="1.0"?><xbrli:xbrl {NAMES}>{RESOURCES}
<a:Lucro contextRef="y" unitRef="u" decimals="INF">12.30</a:Lucro>
<a:Nota contextRef="y" xml:lang="pt">Texto</a:Nota>
<link:labelLink><link:loc xlink:href="a.xsd#a_Lucro" xlink:label="l"/>
<link:label xlink:label="t" xml:lang="pt">Lucro líquido</link:label>
<link:labelArc xlink:from="l" xlink:to="t"/></link:labelLink></xbrli:xbrl>"""


def test_an_instance_with_labels_inside(read_bytes: Read) -> None:
    reading = read_bytes(INSTANCE, "a.xml")
    assert reading.media_type == "application/xbrl+xml"
    assert reading.lang == "pt"
    assert [block.text for block in reading.blocks][-1].splitlines()[0] == (
        "Lucro líquido (a:Lucro) — 2024-12-31 (since 2024-01-01): 12.30 (EUR)"
    )
    assert reading.records[0].values["value"] == Quantity(Decimal("12.30"), "EUR")


def test_an_instance_whose_fact_has_no_context_is_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError, match=r"element Lucro \('12.30'\) names the context 'z'"):
        read_bytes(INSTANCE.replace('Lucro contextRef="y"', 'Lucro contextRef="z"'), "a.xml")


@pytest.mark.parametrize(
    ("text", "form", "number"),
    [
        ("1,234.5", "num-dot-decimal", "1234.5"),
        ("1.234,5", "numcommadecimal", "1234.5"),
        ("1 234,5", "numspacecomma", "1234.5"),
        ("1 234.5", "numspacedot", "1234.5"),
        ("(12)", "", "-12"),
        ("—", "fixed-zero", "0"),
        ("none", "numwordsen", "0"),
        ("one hundred and twenty-three thousand", "numwordsen", "123000"),
        ("about", "", None),
        ("some", "numwordsen", None),
    ],
)
def test_numbers_as_shown(text: str, form: str, number: str | None) -> None:
    assert written_number(text, form) == number


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("June 28, 2025", "date-month-day-year", "2025-06-28"),
        ("28. Juni 2025", "date-day-monthname-year-de", "2025-06-28"),
        ("28/06/2025", "date-day-month-year", "2025-06-28"),
        ("6/28/25", "dateslashus", "2025-06-28"),
        ("September 27", "date-monthname-day-en", "--09-27"),
        ("☒", "boolballotbox", "true"),
        ("nothing", "fixed-empty", ""),
        ("California", "stateprovnameen", "California"),
        ("soon", "date-month-day-year", "soon"),
    ],
)
def test_texts_as_shown(text: str, form: str, value: str) -> None:
    assert text_value(text, form) == value


def test_the_notes_of_an_instance_are_read_in_full(read_bytes: Read) -> None:
    rows = "".join(f"<tr><td>Unit {n}</td><td>{n * 100}</td></tr>" for n in range(1, 4))
    note = f"<p>{'We lease our stores. ' * 30}</p><table><tr><th>Store</th><th>Rent</th></tr>"
    escaped = (note + rows + "</table>").replace("&", "&amp;").replace("<", "&lt;")
    told = INSTANCE.replace(
        "</xbrli:xbrl>",
        f'<a:LeasesTextBlock contextRef="y">{escaped}</a:LeasesTextBlock></xbrli:xbrl>',
    )
    assert told != INSTANCE
    reading = read_bytes(told, "a.xml")
    (table,) = [block for block in reading.blocks if block.kind == "table"]
    assert table.heading[-1] == "Leases Text Block"
    assert table.cells is not None
    assert table.cells[3] == ("Unit 3", "300")
    record = next(r for r in reading.records if r.values["concept"] == "a:LeasesTextBlock")
    assert record.block is not None
    assert reading.blocks[record.block].text.count("We lease our stores.") == 30
    assert record.values["excerpt"] is True
