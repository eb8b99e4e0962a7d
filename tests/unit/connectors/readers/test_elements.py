from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]


def test_titles_prose_and_leaves(read_bytes: Read) -> None:
    reading = read_bytes(
        '<?xml version="1.0"?><doc xml:lang="pt-BR"><sec><title>Dose</title><p>Tome <b>um</b>.</p>'
        "<item><name>A</name><qty>2</qty></item></sec></doc>",
        "a.xml",
    )
    assert reading.lang == "pt"
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Dose"),
        ("paragraph", "Tome um ."),
        ("record", "name: A\nqty: 2"),
    ]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>', "unsafe_xml"),
        ('<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><r/>', "unsafe_xml"),
        ('<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><r>&b;</r>', "unsafe_xml"),
        ("<r><open></r>", "corrupt"),
        ("<r></r>", "empty"),
    ],
)
def test_refusals(read_bytes: Read, data: str, cause: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes('<?xml version="1.0"?>' + data, "a.xml")
    assert caught.value.cause == cause


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_entities_do_not_hide_in_other_encodings(read_bytes: Read, encoding: str) -> None:
    data = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>'
    with pytest.raises(ReadError) as caught:
        read_bytes(data.encode(encoding), "a.xml")
    assert caught.value.cause == "unsafe_xml"


def test_unusual_encodings_are_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(b'<?xml version="1.0" encoding="UTF-7"?><r>x</r>', "a.xml")
    assert caught.value.cause == "unsafe_xml"
