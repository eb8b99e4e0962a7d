from __future__ import annotations

from collections.abc import Callable

from connectors.readers import Reading

Read = Callable[..., Reading]


def test_paragraphs_lists_and_headings(read_bytes: Read) -> None:
    text = (
        "SAFETY RULES\n\nWear gloves at\nall times.\n\n1.2 Lockout\n\n"
        "- stop\n- lock\n  and tag\n\nTitle\n=====\n\nBody."
    )
    reading = read_bytes(text, "a.txt")
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "SAFETY RULES"),
        ("paragraph", "Wear gloves at all times."),
        ("heading", "1.2 Lockout"),
        ("list", "- stop\n- lock and tag"),
        ("heading", "Title"),
        ("paragraph", "Body."),
    ]


def test_nul_and_bidi_are_removed(read_bytes: Read) -> None:
    reading = read_bytes("total\x00 \u202e100\u202c BRL\u200b", "a.txt")
    assert reading.blocks[0].text == "total 100 BRL"
