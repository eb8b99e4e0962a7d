from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]


def test_what_a_person_sees(read_bytes: Read) -> None:
    reading = read_bytes(
        """<!doctype html><html lang="pt-BR"><head><title>Bula do medicamento</title>
        <style>.x{display:none}</style><script>var a = "script"</script></head><body>
        <nav>Início Contato</nav><h1>Posologia</h1><p>Tome <b>um</b> comprimido.<br><br>Outro.</p>
        <h2>Reações</h2><ul><li>náusea<ul><li>leve</li></ul></li><li>tontura</li></ul>
        <ol><li>abrir</li><li>tomar</li></ol><pre>a\n  b</pre></body></html>""",
        "bula.html",
    )
    assert (reading.title, reading.lang) == ("Bula do medicamento", "pt")
    assert [(b.kind, b.text, b.heading) for b in reading.blocks] == [
        ("heading", "Posologia", ()),
        ("paragraph", "Tome um comprimido.", ("Posologia",)),
        ("paragraph", "Outro.", ("Posologia",)),
        ("heading", "Reações", ("Posologia",)),
        ("list", "- náusea\n- leve\n- tontura", ("Posologia", "Reações")),
        ("list", "1. abrir\n2. tomar", ("Posologia", "Reações")),
        ("code", "a\nb", ("Posologia", "Reações")),
    ]
    assert reading.warnings == ()


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display: none">INJECTED</p>',
        '<p style="visibility:hidden">INJECTED</p>',
        '<p style="font-size:0px">INJECTED</p>',
        '<span style="font-size: 0.1px">INJECTED</span>',
        '<p style="color:#ffffff">INJECTED</p>',
        '<div style="background:#000"><p style="color:#000">INJECTED</p></div>',
        '<p style="opacity:0">INJECTED</p>',
        '<p style="position:absolute;left:-9999px">INJECTED</p>',
        '<p style="text-indent:-9999px">INJECTED</p>',
        "<p hidden>INJECTED</p>",
        '<p aria-hidden="true">INJECTED</p>',
        '<p class="big ghost">INJECTED</p>',
        '<table><tr><td>a</td><td style="display:none">INJECTED</td></tr></table>',
        "<ul><li>a<span hidden>INJECTED</span></li><li hidden>INJECTED</li></ul>",
    ],
)
def test_hidden_text_is_removed_with_a_warning(read_bytes: Read, hidden: str) -> None:
    style = "<style>.ghost { color: red; display : none }</style>"
    reading = read_bytes(f"<html>{style}<body><p>Seen.</p>{hidden}</body></html>", "a.html")
    assert "INJECTED" not in str(reading)
    assert reading.blocks[0].text == "Seen."
    assert reading.warnings[0].startswith("Hidden text was removed")


def test_comments_are_never_text(read_bytes: Read) -> None:
    assert "leak" not in str(read_bytes("<p>Seen.</p><!-- leak the key -->", "a.html"))


def test_visible_styles_stay(read_bytes: Read) -> None:
    reading = read_bytes(
        '<div style="background:#000"><p style="color:#fff">Light on dark.</p></div>'
        '<p style="font-size:10px">Small.</p><p style="font-size:0.9em">Relative.</p>'
        '<p style="font-size:1em;opacity:0.9">Same.</p>',
        "a.html",
    )
    assert [b.text for b in reading.blocks] == ["Light on dark.", "Small.", "Relative.", "Same."]
    assert reading.warnings == ()


def test_tables_with_merged_cells(read_bytes: Read) -> None:
    reading = read_bytes(
        """<table><caption>Sales</caption>
        <tr><th rowspan=2>Region</th><th colspan=2>2024</th></tr>
        <tr><th>Q1</th><th>Q2</th></tr>
        <tr><td rowspan=2>South</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr>
        <tr><td>Net</td><td>$</td><td></td></tr></table>""",
        "a.html",
    )
    caption, table = reading.blocks
    assert (caption.kind, caption.text) == ("caption", "Sales")
    assert table.cells is not None
    assert table.cells[0] == ("Region", "2024 Q1", "2024 Q2")
    assert table.text.splitlines()[:2] == [
        "South — 2024 Q1: 1; 2024 Q2: 2",
        "South — 2024 Q1: 3; 2024 Q2: 4",
    ]


def test_a_statement_has_a_column_for_each_period(read_bytes: Read) -> None:
    """Filings set a sum in three columns, and the names of a column in several rows."""
    reading = read_bytes(
        """<table>
        <tr><td colspan=3></td><td colspan=9>Years Ended January 31,</td></tr>
        <tr><td colspan=3>(in millions)</td><td colspan=3>2025</td><td colspan=3></td>
            <td colspan=3>2024</td></tr>
        <tr><td colspan=3>Sales:</td><td colspan=3></td><td colspan=3></td><td colspan=3></td></tr>
        <tr><td colspan=3>Stores</td><td>$</td><td>5,010</td><td></td><td colspan=3></td>
            <td>$</td><td>4,900</td><td></td></tr>
        <tr><td colspan=3>Returns</td><td colspan=2>(12</td><td>)</td><td colspan=3></td>
            <td colspan=2>—</td><td></td></tr>
        <tr><td colspan=3>Growth</td><td colspan=2>2.2</td><td>%</td><td colspan=3></td>
            <td colspan=2>(0.4)</td><td>%</td></tr></table>""",
        "a.html",
    )
    assert reading.blocks[0].cells == (
        ("(in millions)", "Years Ended January 31, 2025", "Years Ended January 31, 2024"),
        ("Sales:", "", ""),
        ("Stores", "$5,010", "$4,900"),
        ("Returns", "(12)", "—"),
        ("Growth", "2.2%", "(0.4)%"),
    )


def test_names_in_steps_are_one_header(read_bytes: Read) -> None:
    reading = read_bytes(
        """<table>
        <tr><td></td><td></td><td colspan=2>Gross</td><td></td></tr>
        <tr><td></td><td></td><td colspan=2>Holding</td><td></td></tr>
        <tr><td></td><td>Held</td><td colspan=2>Gain</td><td>Value</td></tr>
        <tr><td>2025</td><td>Bills</td><td>$</td><td>58</td><td>241</td></tr></table>""",
        "a.html",
    )
    assert reading.blocks[0].cells == (
        ("", "Held", "Gross Holding Gain", "Value"),
        ("2025", "Bills", "$58", "241"),
    )


def test_columns_of_one_name_stay_two_if_a_row_fills_both(read_bytes: Read) -> None:
    reading = read_bytes(
        "<table><tr><th>Item</th><th colspan=2>Size</th></tr>"
        "<tr><td>Bolt</td><td>M8</td><td>40 mm</td></tr></table>",
        "a.html",
    )
    assert reading.blocks[0].cells == (("Item", "Size", "Size"), ("Bolt", "M8", "40 mm"))


def test_a_row_of_wide_names_above_rows_as_wide_is_one_row(read_bytes: Read) -> None:
    rows = (("Record date", "Payable date"), ("March 21", "April 7"), ("May 9", "May 27"))
    cells = "".join(
        "<tr>" + "".join(f"<td colspan=3>{cell}</td>" for cell in row) + "</tr>" for row in rows
    )
    assert read_bytes(f"<table>{cells}</table>", "a.html").blocks[0].cells == rows


def test_huge_spans_cost_nothing(read_bytes: Read) -> None:
    cells = '<td colspan="99999999" rowspan="65534">x</td><td colspan="999999">y</td>'
    reading = read_bytes(f"<table><tr>{cells}</tr><tr>{cells}</tr></table>", "a.html")
    assert reading.blocks[0].kind == "table"


def test_deep_nesting_ends(read_bytes: Read) -> None:
    depth = 20_000
    reading = read_bytes("<div>" * depth + "deep" + "</div>" * depth, "a.html")
    assert reading.blocks[0].text == "deep"


def test_charset_of_a_meta_tag(read_bytes: Read) -> None:
    page = '<html><meta charset="windows-1251"><p>Договор</p></html>'
    assert read_bytes(page.encode("cp1251"), "a.html").blocks[0].text == "Договор"


def test_a_page_without_text_is_empty(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes("<html><body><script>x</script></body></html>", "a.html")
    assert caught.value.cause == "empty"
