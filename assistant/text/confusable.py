"""Letters of other alphabets that look like Latin ones, read as what they look like.

The pairs are those of Unicode's `confusables.txt` (UTS #39) for the small and capital letters of
Cyrillic and Greek that a reader can't tell from Latin; compatibility forms (full-width,
mathematical) are folded by NFKC.
"""

from __future__ import annotations

import re
import unicodedata

_CYRILLIC = dict(
    zip(
        "аеорсухіјѕһԁӏѵԛԝмткввАВЕЅІЈКМНОРСТУХҮ",
        "aeopcyxijshdlvqwmtkbbABESIJKMHOPCTYXY",
        strict=True,
    )
)
_GREEK = dict(zip("ονικρυαχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ovikpuaxABEZHIKMNOPTYX", strict=True))
_LATIN = str.maketrans(_CYRILLIC | _GREEK | {"ı": "i", "ɡ": "g", "ꓐ": "B"})
_WORD = re.compile(r"[^\W\d_]+")


def latin(text: str) -> str:
    """Return a text in which words that mix alphabets, or only look Latin, are Latin."""
    if text.isascii():
        return text
    return _WORD.sub(_folded, unicodedata.normalize("NFKC", text))


def _folded(match: re.Match[str]) -> str:
    word = match[0]
    if word.isascii():
        return word
    folded = word.translate(_LATIN)
    # A word of Russian or Greek has letters that look like no Latin one: it stays.
    return folded if all(_is_latin(c) for c in folded) else word


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")
