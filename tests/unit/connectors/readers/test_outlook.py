from __future__ import annotations

from pathlib import Path

import pytest

from connectors.readers import ReadError
from connectors.readers.child import read
from connectors.readers.compressed import inflated_rtf
from connectors.readers.media import MSG, sniff
from connectors.readers.source import Source


def test_messages_and_their_attachments(shared_data: Path) -> None:
    path = shared_data / "parsing/docling/email/msg_with_attachment.msg"
    assert sniff(path) == MSG
    reading = read(Source(path, MSG, path.name))
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Email with Attachment"),
        (
            "record",
            "From: Alice Example <alice@example.com> · To: Bob Example <bob@example.com> · "
            "Date: 2026-05-20T10:30:00+00:00 · Attachments: test.txt, report.pdf",
        ),
        ("paragraph", "This email contains an attachment."),
        ("heading", "test.txt"),
        ("paragraph", "This is a test attachment file. It contains some dummy content."),
    ]
    assert reading.warnings == (
        "The attachment report.pdf was not read: The PDF is damaged and can't be opened.",
    )


def test_damaged_messages(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "parsing/unstructured/normal/fake-email.msg").read_bytes()
    causes = set()
    for end in range(600, len(whole), 1_100):
        path = tmp_path / "cut.msg"
        path.write_bytes(whole[:end])
        try:
            read(Source(path, MSG, path.name))
        except ReadError as error:
            causes.add(error.cause)
    assert causes
    assert causes <= {"corrupt", "empty"}


def test_compressed_rtf() -> None:
    # "{\\rtf1" from the dictionary (offset 0, length 6), "ab", then the end: offset = position.
    packed = bytes([0b1001, 0x00, 0x04, 0x61, 0x62, 0x0D, 0x70])
    head = b"\x13\x00\x00\x00\x08\x00\x00\x00LZFu\x00\x00\x00\x00"
    assert inflated_rtf(head + packed) == b"{\\rtf1ab"
    assert inflated_rtf(head.replace(b"LZFu", b"MELA") + b"{\\rtf}") == b"{\\rtf}"
    for damaged in (b"\x00" * 10, head.replace(b"LZFu", b"XXXX")):
        with pytest.raises(ReadError):
            inflated_rtf(damaged)
