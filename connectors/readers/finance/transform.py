"""Values as they are shown in a page, as values: the transformation registries of inline XBRL.

Registries 1 to 5 (`ixt:`) and that of the SEC (`ixt-sec:`), by local name, for numbers, booleans
and dates; what shortens text (states, exchanges) is kept as it is shown.
"""

from __future__ import annotations

import re
from datetime import date

_ZERO = frozenset({"fixed-zero", "zerodash", "numdash", "fixedzero", "zero-dash"})
_TRUE = frozenset({"fixed-true", "booleantrue"})
_FALSE = frozenset({"fixed-false", "booleanfalse"})
_EMPTY = frozenset({"fixed-empty", "nocontent"})
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: n for n, word in enumerate(_ONES.split())} | {
    w: 20 + 10 * n for n, w in enumerate(_TENS.split())
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}
_NOTHING = frozenset({"no", "none", "nil", "zero", "-", "—", "–", ""})
_MONTHS = {
    name: n
    for n, names in enumerate(
        (
            "jan fev gen ene",
            "feb fév fev",
            "mar mär maa",
            "apr abr avr",
            "may mai mag maj mei",
            "jun jui giu",
            "jul lug",
            "aug ago aoû aou",
            "sep set",
            "oct out okt ott",
            "nov",
            "dec dez dic déc",
        ),
        1,
    )
    for name in names.split()
    if not (name == "fev" and n == 1)
}


def written_number(text: str, form: str) -> str | None:
    """Return the number that a page shows as plain digits, else None."""
    name = form.lower()
    text = text.strip().replace("\u00a0", " ")
    if name in _ZERO or (text in _NOTHING and name):
        return "0"
    if name in ("numwordsen", "num-words-en"):
        return _from_words(text)
    if re.search(r"comma.?decimal$|comma$|commadot$", name) and "dotdecimal" not in name:
        text = text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
    text = re.sub(r"[\s'’`$€£¥%]", "", text)
    is_negative = text.startswith("(") and text.endswith(")")
    text = text.strip("()")
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)", text):
        return None
    return f"-{text}" if is_negative else text


def _from_words(text: str) -> str | None:
    """`one hundred and twenty-three thousand` is 123000; `no` and `none` are 0."""
    text = text.strip().lower()
    if text in _NOTHING:
        return "0"
    if re.fullmatch(r"[\d,]+", text):
        return text.replace(",", "")
    total = part = 0
    for word in re.findall(r"[a-z]+", text):
        if word in _WORDS:
            part += _WORDS[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALES:
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word not in ("and", "a"):
            return None
    return str(total + part)


def text_value(text: str, form: str) -> str:
    """Return the value of a text: booleans and dates in their plain form, others as shown."""
    name = form.lower()
    if name in _TRUE:
        return "true"
    if name in _FALSE:
        return "false"
    if name in _EMPTY:
        return ""
    if name == "boolballotbox":
        return {"☐": "false", "☑": "true", "☒": "true"}.get(text.strip(), text)
    if name.startswith("date") and "quarterend" not in name:
        return _date(text, name) or text
    return text


def _date(text: str, name: str) -> str | None:
    """A day as ISO 8601, or a month and day as `--06-28`; None if the text is another."""
    words = re.findall(r"\d+|[^\W\d_]+", text.lower())
    months = [_MONTHS[w[:3]] for w in words if w[:3] in _MONTHS]
    numbers = [int(w) for w in words if w.isdigit()]
    if months and len(numbers) in (1, 2):
        year = next((n for n in numbers if n > 31), None)
        days = [n for n in numbers if n != year]
        if year is None and len(days) == 1:
            return f"--{months[0]:02d}-{days[0]:02d}"
        return _iso(year, months[0], days[0] if days else None)
    if len(numbers) == 3:
        year_first = name.startswith(("date-year", "dateyear", "dateiso"))
        if year_first:
            return _iso(numbers[0], numbers[1], numbers[2])
        is_us = name.startswith(("date-month", "datemonth", "dateslashus", "datedotus"))
        a, b, year = numbers
        year += 2000 if year < 100 else 0
        return _iso(year, a, b) if is_us else _iso(year, b, a)
    return None


def _iso(year: int | None, month: int, on: int | None) -> str | None:
    if year is None:
        return None
    if on is None:
        return f"{year:04d}-{month:02d}"
    try:
        return date(year, month, on).isoformat()
    except ValueError:
        return None
