from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.readers import ReadError, Reading
from connectors.readers.outline import Outline
from connectors.readers.rtf import place_rtf

Read = Callable[..., Reading]

LETTER = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Times;}}
{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}{\info{\title Pol\'edtica}{\author X}}
{\header INJECTED}{\*\unknown INJECTED}
\pard\s1 F\'e9rias\par
\pard\plain Texto com \b negrito\b0  e {\v INJECTED}\u8212?tra\'e7o, {\uc2\u8364 EU}. {\f1\'cf\'f0}
\par\pard{\field{\*\fldinst HYPERLINK "x"}{\fldrslt um link}}\par
\trowd\cellx100\cellx200\intbl Item\cell Valor\cell\row
\trowd\cellx100\cellx200\intbl Hotel\cell 450,00\cell\row
\pard Fim {\pict\bin4 }}{{}
\par}"""


def test_text_headings_and_tables(read_bytes: Read) -> None:
    reading = read_bytes(LETTER, "a.rtf")
    assert reading.media_type == "application/rtf"
    assert reading.title == "Política"
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Férias"),
        ("paragraph", "Texto com negrito e —traço, €. Пр"),
        ("paragraph", "um link"),
        ("table", "Hotel — Valor: 450,00"),
        ("paragraph", "Fim"),
    ]
    assert reading.warnings == ("Hidden text was removed at 1 places.",)


def test_nesting_ends(read_bytes: Read) -> None:
    with pytest.raises(ReadError) as caught:
        read_bytes(b"{\\rtf1 " + b"{" * 200_000 + b"x" + b"}" * 200_000, "a.rtf")
    assert caught.value.cause == "bomb"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    outline = Outline()
    _, n_hidden = place_rtf(outline, b"{\\rtf1 " + data)
    assert n_hidden >= 0
    assert all(block.text for block in outline.blocks)
