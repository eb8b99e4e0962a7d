"""Spreadsheet values as people read them: number formats (ECMA-376 18.8.30) and dates."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    44: "#,##0.00",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    49: "@",
}
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_BRACKET = re.compile(r"\[[^\]]*\]")


def shown_number(value: float, code: str, *, since_1904: bool = False) -> str:
    """A number under a format code: dates as ISO, else grouping, decimals, percent, currency."""
    if not code or code in ("General", "@"):
        return plain_number(value)
    kind = _kind(code)
    if kind:
        return _moment(value, kind, since_1904=since_1904)
    sections = _split(code)
    section = sections[1] if value < 0 and len(sections) > 1 else sections[0]
    if value == 0 and len(sections) > 2:
        section = sections[2]
    return _figure(value, section, is_negative=value < 0 and len(sections) < 2)


def plain_number(value: float) -> str:
    """A number without a format: as few digits as it takes, at most 15."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}"


@lru_cache(maxsize=1024)
def _kind(code: str) -> str:
    """`date`, `time`, `both` or nothing, by the letters of a format's first section."""
    bare = _BRACKET.sub(lambda m: m.group() if m.group().lower() in ("[h]", "[hh]") else "", code)
    bare = _LITERAL.sub("", bare.split(";")[0]).lower().replace("am/pm", "h").replace("general", "")
    has_date = bool(re.search(r"[yd]|m{3}", bare))
    has_time = bool(re.search(r"[hs]", bare))
    if not (has_date or has_time) and re.fullmatch(r"m+", bare):
        has_date = True
    return {(True, True): "both", (True, False): "date", (False, True): "time"}.get(
        (has_date, has_time), ""
    )


def _moment(value: float, kind: str, *, since_1904: bool) -> str:
    epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
    try:
        moment = epoch + timedelta(seconds=round(value * 86400))
    except (OverflowError, ValueError):
        return plain_number(value)
    if kind == "time":
        if value >= 1:
            hours, seconds = divmod(round(value * 86400), 3600)
            return f"{hours}:{seconds // 60:02d}"
        return moment.strftime("%H:%M:%S").removesuffix(":00")
    if kind == "date" or (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


def _split(code: str) -> list[str]:
    return re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)


def _figure(value: float, section: str, *, is_negative: bool) -> str:
    section = _CURRENCY.sub(lambda m: f'"{m.group(1)}"', section)
    section = _BRACKET.sub("", section)
    digits = re.search(r"[0#?][0#?,.]*(?:E[+-][0#]+)?", _blank_literals(section))
    if digits is None:
        literal = _words(section)
        return literal.strip() or plain_number(value)
    pattern = digits.group()
    before = _words(section[: digits.start()]).lstrip()
    after = _words(section[digits.end() :]).rstrip()
    amount = abs(value)
    if "%" in section:
        amount *= 100
    thousands = len(pattern) - len(pattern.rstrip(","))
    amount /= 1000**thousands
    pattern = pattern.rstrip(",")
    return ("-" if is_negative else "") + before + _digits(amount, pattern) + after


def _digits(amount: float, pattern: str) -> str:
    if "E" in pattern:
        return f"{amount:.{len(pattern.split('E')[0].partition('.')[2])}E}"
    whole, _, decimals = pattern.partition(".")
    comma = "," if "," in whole else ""
    # Spreadsheets round halves up, and round what they show, not the binary fraction.
    step = Decimal(1).scaleb(-len(decimals))
    exact = Decimal(f"{amount:.15g}").quantize(step, ROUND_HALF_UP)
    text = f"{exact:{comma}f}"
    optional = len(decimals) - len(decimals.rstrip("#?"))
    if optional and "." in text:
        head, tail = text[: len(text) - optional], text[len(text) - optional :]
        text = (head + tail.rstrip("0")).rstrip(".")
    width = whole.replace(",", "").count("0")
    return text.zfill(width) if not comma and "." not in text else text


def _blank_literals(section: str) -> str:
    return _LITERAL.sub(lambda m: "\x00" * len(m.group()), section)


def _words(section: str) -> str:
    """The literal text of a part of a format; padding is dropped."""
    return _LITERAL.sub(lambda m: m.group(1) or m.group(2) or "", section).strip("?#")
