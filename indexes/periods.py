"""Quarters, months and years that a text names, in English and Portuguese, written one way.

`3T22`, `Q3 FY2022`, `2022 Q3`, `third quarter of 2022` and `terceiro trimestre de 2022` are all
`2022q3`, `q3` and `2022`; `June 25, 2022`, `25 de junho de 2022` and `2022-06` are `2022m06` and
`2022`. A fiscal quarter isn't turned into one of the calendar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_MONTHS = (
    ("january", "janeiro", "jan"),
    ("february", "fevereiro", "feb", "fev"),
    ("march", "marco", "mar"),
    ("april", "abril", "apr", "abr"),
    ("may", "maio", "mai"),
    ("june", "junho", "jun"),
    ("july", "julho", "jul"),
    ("august", "agosto", "aug", "ago"),
    ("september", "setembro", "sep", "sept", "set"),
    ("october", "outubro", "oct", "out"),
    ("november", "novembro", "nov"),
    ("december", "dezembro", "dec", "dez"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_ORDINALS = {
    **{"first": 1, "second": 2, "third": 3, "fourth": 4},
    **{"primeiro": 1, "segundo": 2, "terceiro": 3, "quarto": 4},
}
_YEAR = r"(?:19|20)\d\d"
_LINK = r"[\s,./'’-]*(?:(?:of|de|do|fy|fiscal|year|ano|exercicio)\b[\s./'’-]*|fy)*"
_QUARTER_WORD = r"(?:fiscal\s+)?(?:quarter|trimestre|trim\b\.?|tri\b\.?)"
_QUARTER = re.compile(
    rf"(?:\b(?P<before>{_YEAR})[\s/-]*)?"
    rf"(?:\bq(?P<a>[1-4])|\b(?P<b>[1-4])\s?[qt](?=\b|\d)"
    rf"|\b(?P<c>[1-4])\s?(?:st|nd|rd|th|o)?\s+{_QUARTER_WORD}"
    rf"|\b(?P<d>{'|'.join(_ORDINALS)})\s+{_QUARTER_WORD})"
    rf"(?:{_LINK}(?P<after>{_YEAR}|(?<=['’/qty1-4])\d\d)\b|\b)"
)
_MONTH = re.compile(
    rf"\b(?P<name>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\b\.?"
    rf"(?:\s+\d\d?(?:st|nd|rd|th)?)?(?:\s*,\s*|\s*/\s*|\s+de\s+|\s+do\s+|\s+of\s+|\s+)"
    rf"(?P<year>{_YEAR})\b"
)
_DATE = re.compile(
    rf"\b(?P<year>{_YEAR})[-/.](?P<month>0[1-9]|1[0-2])(?:\b|[-/.]\d\d)"
    rf"|\b(?:\d\d?[-/.])?(?P<month2>0[1-9]|1[0-2])[-/.](?P<year2>{_YEAR})\b"
)
_BARE_YEAR = re.compile(rf"(?<![\w.,-]){_YEAR}(?![\w-]|[.,]\d)|\bfy\s?['’]?(?P<short>\d\d)\b")


def periods(text: str) -> list[str]:
    """Return each period of a text once, in the order of their kinds."""
    folded = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return list(dict.fromkeys((*_quarters(plain), *_months(plain), *_years(plain))))


def _quarters(text: str) -> Iterator[str]:
    for found in _QUARTER.finditer(text):
        number = found["a"] or found["b"] or found["c"] or _ORDINALS[found["d"]]
        year = found["before"] or found["after"]
        if year:
            year = year if len(year) == 4 else f"20{year}"
            yield from (f"{year}q{number}", year)
        yield f"q{number}"


def _months(text: str) -> Iterator[str]:
    for found in _MONTH.finditer(text):
        yield from (f"{found['year']}m{_MONTH_OF[found['name']]:02}", found["year"])
    for found in _DATE.finditer(text):
        year = found["year"] or found["year2"]
        yield from (f"{year}m{found['month'] or found['month2']}", year)


def _years(text: str) -> Iterator[str]:
    for found in _BARE_YEAR.finditer(text):
        yield f"20{found['short']}" if found["short"] else found.group()
