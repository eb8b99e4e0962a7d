from __future__ import annotations

import pytest

from connectors.readers import vocabularies as v


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeff\nMSH|^~\\&|", v.HL7V2),
        ("\x0bMSH|^~\\&|", v.HL7V2),
        ("BHS#", v.HL7V2),
        ("MSHA is a name", None),
    ],
)
def test_first_words_tell_the_format(text: str, expected: str | None) -> None:
    assert v.of_text(text) == expected
