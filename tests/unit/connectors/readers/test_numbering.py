from __future__ import annotations

import pytest
from lxml import etree

from connectors.readers.numbering import read_numbering, written

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
LISTS = etree.fromstring(
    f"""<w:numbering {W}><w:abstractNum w:abstractNumId="7">
    <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1."/>
    </w:lvl><w:lvl w:ilvl="1"><w:start w:val="3"/><w:numFmt w:val="lowerLetter"/>
    <w:pStyle w:val="H2"/><w:lvlText w:val="%1.%2)"/></w:lvl>
    <w:lvl w:ilvl="2"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl></w:abstractNum>
    <w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>
    <w:num w:numId="2"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0">
    <w:startOverride w:val="5"/></w:lvlOverride></w:num></w:numbering>"""
)


def test_levels_count_as_word_counts_them() -> None:
    lists = read_numbering(LISTS, {})
    labels = [lists.label("1", depth) for depth in (0, 1, 1, 2, 0, 1)]
    assert labels == ["I.", "I.c)", "I.d)", None, "II.", "II.c)"]
    assert [lists.label("2", 0), lists.label("2", 0)] == ["V.", "VI."]
    assert lists.label("9", 0) is None
    assert lists.depth_of("1", "H2") == 1


@pytest.mark.parametrize(
    ("number", "style", "text"),
    [
        (4, "decimal", "4"),
        (4, "decimalZero", "04"),
        (28, "upperLetter", "BB"),
        (1994, "lowerRoman", "mcmxciv"),
        (0, "upperRoman", "0"),
        (3, "unknown", "3"),
    ],
)
def test_formats(number: int, style: str, text: str) -> None:
    assert written(number, style) == text
