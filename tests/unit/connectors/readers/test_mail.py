from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]


def letter(body: str = "Segue o relatório.\n\nAbraço,\nAna") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ana <ana@example.com>"
    message["To"] = "Bruno <bruno@example.com>"
    message["Date"] = "Fri, 02 Feb 2024 10:00:00 -0300"
    message["Subject"] = "Relatório de crédito"
    message.set_content(body)
    return message


def test_envelope_text_and_attachments(read_bytes: Read) -> None:
    message = letter()
    message.add_alternative("<p>Segue o <b>relatório</b> em HTML.</p>", subtype="html")
    message.add_attachment(b"%PDF-1.7 cut", maintype="application", subtype="pdf", filename="r.pdf")
    reading = read_bytes(message.as_bytes(), "a.eml")
    assert reading.title == "Relatório de crédito"
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Relatório de crédito"),
        (
            "record",
            "From: Ana <ana@example.com> · To: Bruno <bruno@example.com> · "
            "Date: 2024-02-02T10:00:00-03:00 · Attachments: r.pdf",
        ),
        ("paragraph", "Segue o relatório."),
        ("paragraph", "Abraço, Ana"),
    ]
    assert reading.records[0].values["from"] == "Ana <ana@example.com>"
    assert reading.records[0].values["attachments"] == ("r.pdf",)
    assert reading.warnings == (
        "The attachment r.pdf was not read: The PDF is damaged and can't be opened.",
    )


def test_attachments_are_read_by_their_own_readers(read_bytes: Read) -> None:
    inner = letter("The inner text.")
    inner.replace_header("Subject", "Inner")
    inner.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="t.csv")
    message = letter()
    message.add_attachment(b"# Note\n\nBody.", maintype="text", subtype="markdown", filename="n.md")
    message.add_attachment(inner)
    reading = read_bytes(message.as_bytes(), "a.eml")
    found = [(b.heading[1:], b.text) for b in reading.blocks if len(b.heading) > 1]
    assert (("n.md", "Note"), "Body.") in found
    assert (("Inner", "Inner"), "The inner text.") in found
    assert (("Inner", "Inner", "t.csv"), "1 — b: 2") in found
    kinds = [record.values["subject"] for record in reading.records if record.kind == "email"]
    assert kinds == ["Relatório de crédito", "Inner"]
    for record in reading.records:
        assert record.block is not None
        assert reading.blocks[record.block].kind == "record"


def test_mails_inside_mails_end(read_bytes: Read) -> None:
    message = letter("innermost")
    for i in range(5):
        around = letter(f"level {i}")
        around.add_attachment(message)
        message = around
    reading = read_bytes(message.as_bytes(), "a.eml")
    texts = [block.text for block in reading.blocks]
    assert "level 4" in texts
    assert "level 2" in texts
    assert "level 1" not in texts
    assert any("nested deeper than 2" in warning for warning in reading.warnings)


def test_inline_pictures_are_no_attachments(read_bytes: Read) -> None:
    message = letter()
    message.add_attachment(
        b"\x89PNG\r\n",
        maintype="image",
        subtype="png",
        filename="logo.png",
        disposition="inline",
        cid="<logo>",
    )
    assert read_bytes(message.as_bytes(), "a.eml").warnings == ()


def test_html_if_there_is_nothing_else(read_bytes: Read) -> None:
    message = letter()
    message.set_content("<p>Seen</p><p hidden>INJECTED</p>", subtype="html")
    reading = read_bytes(message.as_bytes(), "a.eml")
    assert reading.blocks[-1].text == "Seen"
    assert "INJECTED" not in str(reading)


@pytest.mark.parametrize(
    "data",
    [
        b'From: a@b.c\nTo: d@e.f\nContent-Type: multipart/encrypted; boundary="x"\n\n--x--',
        b"From: a@b.c\nTo: d@e.f\nContent-Type: application/pkcs7-mime; name=smime.p7m\n\nMIIB",
        b"From: a@b.c\nTo: d@e.f\nSubject: x\n\n-----BEGIN PGP MESSAGE-----\nabc",
    ],
)
def test_encrypted_mail(read_bytes: Read, data: bytes) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(data, "a.eml")
    assert caught.value.cause == "encrypted"


def test_broken_headers_survive(read_bytes: Read) -> None:
    data = (
        b"From: =?utf-8?b?////?= <<<>>\nTo: ;;,,@\nDate: soon\nMIME-Version: 1.0\n"
        b"Subject: caf\xe9\nContent-Type: text/plain; charset=nonsense\n\nol\xe1 mundo\n"
    )
    reading = read_bytes(data, "a.eml")
    assert reading.blocks[-1].text == "olá mundo"
