"""Every number, date, time and code of a text, in a form that compares across writing habits.

A notation with two readings keeps both (`1.234` is 1234 or 1.234; `03/04/2025` is a day in April
or in March): two facts agree when one reading of each does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from assistant.text.units import ENGLISH_MONTHS, MONTHS, ORDINALS, SCALES, SPELLED, UNITS
from assistant.text.words import fold

Day = tuple[int | None, int | None, int | None]
"""year, month, day; None where it isn't said."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number, date, time or code as written at `start:end`, with its possible readings.

    `values` hold numbers, times in minutes since midnight; `unit` is canonical (`%`, `BRL`,
    `day`) or empty; `scale` is the power of ten that a word such as `million` gave; `code` is in
    capitals without hyphens.
    """

    kind: Literal["number", "date", "time", "code"]
    text: str
    start: int
    end: int
    values: frozenset[Decimal] = frozenset()
    days: frozenset[Day] = frozenset()
    unit: str = ""
    scale: int = 0
    code: str = ""
    decimals: int = 0


_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_UNIT = "|".join(re.escape(u) for u in sorted(UNITS, key=len, reverse=True))
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
_SPELLED = "|".join(sorted(SPELLED, key=len, reverse=True))
_CURRENCY = r"r\$|us\$|u\$s|\$|€|£|¥|brl|usd|eur|gbp"
_DIGITS = r"\d+(?:[.,'\u00a0\u202f\u2009]\d+)*"

_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?![\w-]*\d)")
_NUMERIC_DATE = re.compile(
    r"(?<![\w/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\w/]|[.-]\d)"
    r"|(?<![\w/.])(\d{1,2})/(\d{4})(?![\w/])"
)
_NAMED_DATE = re.compile(
    rf"(?<!\w)(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th|º|o|°)?[\s/-]+(?:of\s+|de\s+|do\s+)?)?"
    rf"(?P<m>{_MONTH})\b\.?(?:\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|[.,]\d|:)(?=\W|$))?"
    rf"(?:(?:\s*,?\s*|\s+(?:of|de|do)\s+|[/-])(?P<y>(?:19|20|21)\d\d)(?!\d))?"
)
_QUARTER = re.compile(
    r"(?<!\w)(?:q([1-4])[\s/-]*(?:of\s+|de\s+)?((?:20)?\d\d)?|([1-4])[tq]((?:20)?\d\d)?)(?!\w)"
    r"|(?<!\w)([1-4])[oº°]\s*tri(?:m|mestre)?(?!\w)"
    rf"|(?<!\w)({'|'.join(ORDINALS)})\s+(?:quarter|trimestre)(?!\w)"
)
_TIME = re.compile(
    r"(?<![\w:,.])([01]?\d|2[0-3])(?::([0-5]\d)(?::[0-5]\d)?\s*([ap]\.?m\b\.?)?h?"
    r"|h([0-5]\d)(?:min)?|\s*([ap]\.?m\b\.?))(?![\w:])"
)
_CODE = re.compile(
    rf"(?<![\w$])(?!(?:{_DIGITS})(?:{_UNIT}|{_SCALE}|st|nd|rd|th)(?![\w-]))"
    r"(?:(?=[\w/.-]*\d)(?=[\w/.-]*[a-z])[a-z\d]+(?:[-/.][a-z\d]+)*"
    r"|\d+(?:-\d+){2,}|\d+(?:\.\d{1,2}){2,}(?![.,]?\d))(?!\w)"
)
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<pre>{_CURRENCY})?\s*(?P<sign>(?<![\w)%-])[-–−+]\s?)?"
    rf"(?P<pre2>{_CURRENCY})?\s*(?<![\w])(?P<digits>{_DIGITS})"
    rf"(?P<ordinal>st\b|nd\b|rd\b|th\b|º|ª|°(?!\s?[cf]\b))?"
    rf"(?:\s?(?P<scale>{_SCALE})\b\.?)?(?P<close>\s*\))?"
    rf"(?:\s?-?(?:de\s+|of\s+)?(?P<unit>{_UNIT})(?![^\W\d_]))?"
)
_SPELLED_NUMBER = re.compile(
    rf"\b(?P<w>{_SPELLED})(?:[\s-](?:e\s)?(?P<w2>{_SPELLED}))?\b"
    rf"(?:\s\(\d+\))?(?:\s(?P<scale>{_SCALE})\b)?(?:[\s-](?P<unit>{_UNIT})\b)?"
)
_ALSO_WORDS = frozenset({"set", "out", "may", "mar", "ago", "dez"})
_KEPT = frozenset("ºª\u00a0\u202f\u2009")
_SHORT_SCALES = frozenset({"k", "m", "mm", "b"})
_LIST_NUMBER = re.compile(r"^\s*\(?\d{1,2}[.)]\s+")
_SPELLED_BEFORE = re.compile(rf"(?:{_SPELLED}|{_SCALE})\s*$")


def facts(text: str, *, spelled: bool = False) -> list[Fact]:
    """Return the facts of a text in order; `spelled` adds numbers in words (`three`, `três`)."""
    folded = _fold_in_place(text)
    taken = bytearray(len(folded))
    found: list[Fact] = []
    if match := _LIST_NUMBER.match(folded):
        taken[: match.end()] = b"\1" * match.end()
    readers = [
        (_ISO_DATE, _iso_date),
        (_NUMERIC_DATE, _numeric_date),
        (_NAMED_DATE, _named_date),
        (_QUARTER, _quarter),
        (_TIME, _time),
        (_CODE, _code),
        (_NUMBER, _number),
    ]
    for pattern, read in readers + ([(_SPELLED_NUMBER, _spelled)] if spelled else []):
        for match in pattern.finditer(folded):
            if any(taken[match.start() : match.end()]):
                continue
            if fact := read(match, text):
                found.append(fact)
                taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    return sorted(found, key=lambda fact: fact.start)


def _fold_in_place(text: str) -> str:
    """Fold letter by letter so that offsets stay those of `text`."""
    return "".join(f if len(f := fold(c)) == 1 and c not in _KEPT else c for c in text)


def _at(match: re.Match[str], text: str) -> tuple[str, int, int]:
    start, end = match.span()
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return text[start:end], start, end


def _valid(year: int | None, month: int | None, day: int | None) -> bool:
    return (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31)


def _year(text: str | None) -> int | None:
    return None if not text else int(text) + (2000 if len(text) == 2 else 0)


def _date(match: re.Match[str], text: str, *days: Day) -> Fact | None:
    valid = frozenset(day for day in days if _valid(*day))
    return Fact("date", *_at(match, text), days=valid) if valid else None


def _iso_date(match: re.Match[str], text: str) -> Fact | None:
    year, month, day = match.groups()
    return _date(match, text, (int(year), int(month), int(day) if day else None))


def _numeric_date(match: re.Match[str], text: str) -> Fact | None:
    first, _, second, year, month_only, year_only = match.groups()
    if month_only:
        return _date(match, text, (int(year_only), int(month_only), None))
    a, b, y = int(first), int(second), _year(year)
    return _date(match, text, (y, b, a), (y, a, b))


def _named_date(match: re.Match[str], text: str) -> Fact | None:
    day = match["d1"] or match["d2"]
    if not match["y"] and not (day and _names_a_month(match)):
        return None
    return _date(match, text, (_year(match["y"]), MONTHS[match["m"]], int(day) if day else None))


def _names_a_month(match: re.Match[str]) -> bool:
    """Without a year `may 2`, `5 out of 10` and `set 30` are no dates, `5 de out` is."""
    if match["d2"]:
        return match["m"] != "may" and match["m"] in ENGLISH_MONTHS
    return match["m"] not in _ALSO_WORDS or re.search(r"\b(?:de|of)\s", match.group()) is not None


def _quarter(match: re.Match[str], text: str) -> Fact | None:
    en, en_year, pt, pt_year, ordinal, word = match.groups()
    if pt and not pt_year:
        return None
    number = en or pt or ordinal or str(ORDINALS[word])
    year = _year(en_year or pt_year)
    days = frozenset({(year, None, None)}) if year else frozenset[Day]()
    return Fact("code", *_at(match, text), days=days, code=f"Q{number}")


def _time(match: re.Match[str], text: str) -> Fact | None:
    hour, minute, half, minute_h, half_only = match.groups()
    hours, minutes = int(hour), int(minute or minute_h or 0)
    if meridian := half or half_only:
        hours = hours % 12 + (12 if meridian[0] == "p" else 0)
    return Fact("time", *_at(match, text), values=frozenset({Decimal(hours * 60 + minutes)}))


def _code(match: re.Match[str], text: str) -> Fact | None:
    written, start, end = _at(match, text)
    return Fact("code", written, start, end, code=re.sub(r"[-/.]", "", written).upper())


def _number(match: re.Match[str], text: str) -> Fact | None:
    digits = match["digits"]
    pre = match["pre"] or match["pre2"]
    scale_word, unit_word = match["scale"] or "", match["unit"] or ""
    if scale_word in _SHORT_SCALES and not pre:
        unit_word = unit_word or scale_word
        scale_word = "" if scale_word in UNITS or scale_word == "b" else scale_word
    scale = SCALES.get(scale_word, 0)
    signs = _signs(match)
    values = frozenset(
        (value * sign).scaleb(scale).normalize() for value in _readings(digits) for sign in signs
    )
    unit = UNITS[pre] if pre else UNITS.get(unit_word, "")
    fraction = re.split(r"[.,]", digits)
    decimals = len(fraction[-1]) if len(fraction) > 1 else 0
    written, start, end = _at(match, text)
    if match["open"] and not match["close"]:
        written, start = written[1:].lstrip(), start + 1
    return Fact(
        "number", written, start, end, values=values, unit=unit, scale=scale, decimals=decimals
    )


def _signs(match: re.Match[str]) -> tuple[int, ...]:
    """`(1,234)` is negative as accountants write it, `thirty (30)` or `fee (30 days)` is not."""
    sign = (match["sign"] or "").strip()
    if sign:
        return (1,) if sign == "+" else (-1,)
    if not (match["open"] and match["close"]):
        return (1,)
    before = match.string[: match.start()].rstrip()
    grouped = any(c in match["digits"] for c in ".,") or bool(match["pre"] or match["pre2"])
    if before[-1:].isalpha() and (not grouped or _SPELLED_BEFORE.search(before)):
        return (1,)
    return (-1,)


def _readings(digits: str) -> set[Decimal]:
    """Return the values that a run of digits, points and commas may mean."""
    digits = re.sub(r"['\u00a0\u202f\u2009]", "", digits)
    separators = re.sub(r"\d", "", digits)
    if not separators:
        return {Decimal(digits)}
    last = separators[-1]
    whole, _, fraction = digits.rpartition(last)
    found: set[Decimal] = set()
    grouped = re.fullmatch(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*", digits)
    if grouped:
        found.add(Decimal(re.sub(r"[.,]", "", digits)))
    if separators.count(last) == 1 and (len(separators) == 1 or last not in separators[:-1]):
        found.add(Decimal(re.sub(r"[.,]", "", whole) + "." + fraction))
    return found or {Decimal(re.sub(r"[.,]", "", digits))}


def _spelled(match: re.Match[str], text: str) -> Fact | None:
    value = SPELLED[match["w"]] + SPELLED.get(match["w2"] or "", 0)
    scale = SCALES.get(match["scale"] or "", 0)
    unit = UNITS.get(match["unit"] or "", "")
    number = frozenset({Decimal(value).scaleb(scale).normalize()})
    return Fact("number", *_at(match, text), values=number, unit=unit, scale=scale)
