from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]

NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
    )
)


def package(kind: str, body: str, styles: str = "", extra: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr(
            "content.xml",
            f"<office:document-content {NAMES}><office:automatic-styles>{styles}"
            f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
            "</office:body></office:document-content>",
        )
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_text_documents(read_bytes: Read) -> None:
    body = """
        <text:p text:style-name="P1">Política de férias</text:p>
        <text:h text:outline-level="1">Prazo</text:h>
        <text:p>Trinta<text:s text:c="2"/>dias<text:note><text:note-citation>1</text:note-citation>
        <text:note-body><text:p>Corridos.</text:p></text:note-body></text:note>.</text:p>
        <text:list text:style-name="L1"><text:list-item><text:p>pedir</text:p>
        <text:list><text:list-item><text:p>por escrito</text:p></text:list-item></text:list>
        </text:list-item><text:list-item><text:p>gozar</text:p></text:list-item></text:list>
        <table:table><table:table-row><table:table-cell/><table:table-cell
        table:number-columns-spanned="2"><text:p>Dias</text:p></table:table-cell>
        <table:covered-table-cell/></table:table-row>
        <table:table-row><table:table-cell><text:p>Ano</text:p></table:table-cell>
        <table:table-cell><text:p>Saldo</text:p></table:table-cell>
        <table:table-cell><text:p>Uso</text:p></table:table-cell></table:table-row>
        <table:table-row><table:table-cell><text:p>2024</text:p></table:table-cell>
        <table:table-cell table:number-columns-repeated="2"><text:p>12</text:p></table:table-cell>
        </table:table-row></table:table>
        <text:p><text:span text:style-name="T1">INJECTED</text:span>Fim.</text:p>
        <text:tracked-changes><text:p>INJECTED</text:p></text:tracked-changes>"""
    styles = """
        <style:style style:name="P1" style:parent-style-name="Title"/>
        <style:style style:name="T1"><style:text-properties text:display="none"/></style:style>
        <text:list-style style:name="L1"><text:list-level-style-number text:level="1"
        style:num-format="1"/></text:list-style>"""
    reading = read_bytes(package("text", body, styles), "a.odt")
    assert reading.title == "Política de férias"
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Política de férias"),
        ("heading", "Prazo"),
        ("paragraph", "Trinta dias."),
        ("list", "1. pedir\n- por escrito\n2. gozar"),
        ("table", "2024 — Dias Saldo: 12; Dias Uso: 12"),
        ("paragraph", "Fim."),
        ("paragraph", "1 Corridos."),
    ]
    assert reading.warnings == ("Hidden text was removed at 1 places.",)


def test_presentations(read_bytes: Read) -> None:
    frame = "<draw:frame {}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    body = (
        "<draw:page>"
        + frame.format('presentation:class="title"', "Plano")
        + frame.format("", "Primeiro passo")
        + frame.format('presentation:class="footer"', "INJECTED")
        + "<presentation:notes>"
        + frame.format('presentation:class="notes"', "Falar devagar")
        + '</presentation:notes></draw:page><draw:page draw:style-name="D1">'
        + frame.format("", "INJECTED")
        + "</draw:page>"
    )
    styles = (
        '<style:style style:name="D1"><style:drawing-page-properties '
        'presentation:visibility="hidden"/></style:style>'
    )
    reading = read_bytes(package("presentation", body, styles), "a.odp")
    assert [(b.page, b.kind, b.text) for b in reading.blocks] == [
        (1, "heading", "Plano"),
        (1, "paragraph", "Primeiro passo"),
        (1, "heading", "Notes"),
        (1, "paragraph", "Falar devagar"),
    ]
    assert reading.warnings == ("Hidden slides were left out: 2.",)


def test_passwords_and_entities(read_bytes: Read) -> None:
    manifest = (
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry>'
        "<m:encryption-data/></m:file-entry></m:manifest>"
    )
    for extra, cause in (
        ({"META-INF/manifest.xml": manifest}, "encrypted"),
        ({"styles.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x/>'}, "unsafe_xml"),
    ):
        with pytest.raises(ReadError) as caught:
            read_bytes(package("text", "<text:p>x</text:p>", extra=extra), "a.odt")
        assert caught.value.cause == cause
