from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
BOOK = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>Guia da bomba</dc:title><dc:language>pt-BR</dc:language></metadata><manifest>
<item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="x" href="../../../etc/passwd" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/><itemref idref="x"/></spine>
</package>"""
HEAD = '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "xhtml11.dtd">'


def book(extra: dict[str, str] | None = None) -> bytes:
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": BOOK,
        "OEBPS/one.xhtml": f"{HEAD}<html><head><title/></head><body><a id='x'/><h1>Um</h1>"
        "<p>Primeiro.</p></body></html>",
        "OEBPS/two b.xhtml": f"{HEAD}<html><body><h1>Dois</h1><p hidden=''>INJECTED</p></body>"
        "</html>",
        "OEBPS/nav.xhtml": "<html><body><p>Um, Dois</p></body></html>",
        **(extra or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_chapters_in_the_order_of_the_spine(read_bytes: Read) -> None:
    reading = read_bytes(book(), "a.epub")
    assert (reading.title, reading.lang) == ("Guia da bomba", "pt")
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Um"),
        ("paragraph", "Primeiro."),
        ("heading", "Dois"),
    ]
    assert reading.warnings == (
        "Hidden text was removed at 1 place.",
        "A chapter that the book lists is missing.",
    )


@pytest.mark.parametrize(
    ("part", "text", "cause"),
    [
        ("OEBPS/one.xhtml", '<!DOCTYPE html [<!ENTITY a SYSTEM "file:///etc/passwd">]><p>&a;</p>',
         "unsafe_xml"),
        ("OEBPS/book.opf", f'{" " * 3000}<!DOCTYPE x [<!ENTITY a "b">]>{BOOK}', "unsafe_xml"),
        ("META-INF/encryption.xml",
         '<e xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod '
         'Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></e>', "encrypted"),
        ("META-INF/container.xml", "<container/>", "corrupt"),
    ],
)  # fmt: skip
def test_protected_and_hostile_books(read_bytes: Read, part: str, text: str, cause: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(book({part: text}), "a.epub")
    assert caught.value.cause == cause
