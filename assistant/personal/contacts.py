"""How a person is reached: e-mail, phone, street address, and the IP address of a computer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import phonenumbers

from assistant.personal.finding import CERTAIN, LIKELY, LOOSE, Finding
from assistant.personal.labels import is_called_phone, label

REGIONS = ("BR", "US", "PT", "GB")
"""Where a number without a country code may be from."""

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'&-]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,24}(?![^\W_])"
)


def emails(text: str) -> Iterator[Finding]:
    """Yield the e-mail addresses."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            found = match.group()
            start = match.start() + len(found) - len(found.lstrip(".'%&-"))
            yield Finding("email", start, match.end(), CERTAIN)


_PHONE = re.compile(
    r"(?<![\w@+])(?<!\d[.,/:-])(?:\+ ?|00(?=\d))?(?:\(\+?\d{1,4}\)|\d)(?:[ ]?[ .\-–/()\u00a0][ (]?"
    r"(?=\d|\(\d)|\d){5,20}(?:\d|(?<=\d))(?: ?(?:x|ext\.?|ramal|r\.)[ ]?\d{1,6})?(?![^\W_]|[,:]\d)",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r" ?(?:x|ext\.?|ramal|r\.) ?\d+$", re.IGNORECASE)
# Forms that only phone numbers have: Brazil, the United States, Portugal and the United Kingdom.
_SPOKEN = re.compile(
    r"(?<![\w+])(?<!\d[.,/:-])(?:"
    r"(?:\+?55[ -]?)?\(0?\d{2}\)[ -]?9? ?\d{4}[ .-]?\d{4}"
    r"|(?:\+?55[ -]?)?\b[1-9]\d[ -]9 ?\d{4}-\d{4}"
    r"|(?:\+?1[ .-]?)?\(\d{3}\) ?\d{3}[ .-]\d{4}"
    r"|(?:\+?1[ .-])?\b[2-9]\d\d([.-])[2-9]\d\d\1\d{4}"
    r"|0[38]00[ -]\d{3}[ -]\d{3,4}|\b1-8\d\d-\d{3}-\d{4}"
    r"|\+\d{1,3}(?:[ .\-()]{1,2}\d{1,5}){2,6}|\+\d{9,15}"
    r")(?: ?(?:x|ext\.?|ramal) ?\d{1,6})?(?![^\W_]|[.,:/-]\d)",
    re.IGNORECASE,
)
# A Brazilian mobile written as one number, which no checksum tells from others.
_MOBILE = re.compile(r"(?<![\w+])(?<!\d[.,/:-])(?:55)?[1-9]\d9\d{8}(?![^\W_]|[.,:/-]\d)")
_NO_PHONE = re.compile(
    r"\d{4}-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,3}(?:\.\d{3})+(?:,\d\d)?$"
    r"|\d{4} ?[-–/] ?\d{2,4}$|\d{5}-\d{3}$"
)


def phones(text: str) -> Iterator[Finding]:
    """Yield the phone numbers: international, in a form of their own, or with a label."""
    for match in _SPOKEN.finditer(text):
        if label(text, match.start()) not in {"other", "ssn", "card", "cns"} and _is_possible(
            match.group()
        ):
            yield Finding("phone", *match.span(), CERTAIN)
    for match in _PHONE.finditer(text):
        start, end = match.span()
        found = match.group()
        if text.count("(", start, end) != text.count(")", start, end):
            continue
        called = label(text, start) == "phone" or is_called_phone(text, end)
        if called and _is_possible(found) and (_is_valid(found) or not _NO_PHONE.match(found)):
            yield Finding("phone", start, end, LIKELY)
    for match in _MOBILE.finditer(text):
        if not label(text, match.start()) and _is_valid(match.group(), ("BR",)):
            yield Finding("phone", *match.span(), LOOSE)


def _is_possible(found: str) -> bool:
    """Say whether a number has as many digits as a phone's, and isn't one digit again and again."""
    digits = [c for c in _EXTENSION.sub("", found) if c.isdigit()]
    return 7 <= len(digits) <= 15 and len(set(digits)) > 1


def _is_valid(found: str, regions: tuple[str, ...] = REGIONS) -> bool:
    """Say whether a number exists in one of the regions."""
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(found, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_LARGE_OCTET = 32
"""A section number has none as large: 4.1.2.3 is no address unless it is called one."""


def addresses_of_computers(text: str) -> Iterator[Finding]:
    """Yield the IP addresses, versions 4 and 6."""
    if ":" in text:
        for match in _IPV6.finditer(text):
            found = match.group()
            if any(c.isdigit() for c in found) and len(found) > 6 and _is_ip(found):
                yield Finding("ip", *match.span(), CERTAIN)
    for match in _IPV4.finditer(text):
        found = match.group()
        called = label(text, match.start())
        large = max(map(int, found.split("."))) >= _LARGE_OCTET
        if _is_ip(found) and (called == "ip" or (large and called not in {"other", "phone"})):
            yield Finding("ip", *match.span(), CERTAIN)


def _is_ip(found: str) -> bool:
    try:
        return not ipaddress.ip_address(found).is_unspecified
    except ValueError:
        return False


_CAPITAL = r"(?:[A-ZÀ-Þ][\w'’.-]*|d[aeo]s?|de|of|the|\d{1,2}(?:st|nd|rd|th))"
_STREETS = re.compile(
    r"\b(?:Rua|R\.|Avenida|Av\.?|Alameda|Al\.|Travessa|Tv\.|Rodovia|Rod\.|Pra[cç]a|Estrada|Largo"
    rf"|Quadra|Via)[ ](?:{_CAPITAL}[ ]?){{1,6}}(?:, ?|[ ])(?:n[ºo°.]* ?)?\d{{1,5}}\b"
    rf"|(?<![\w.,-])\d{{1,5}}[ ][A-Z][\w'’.-]*[ ](?:{_CAPITAL}[ ]){{0,3}}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane"
    r"|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Terrace|Way|Parkway|Pkwy|Highway|Hwy)\b\.?"
)
_BOX = re.compile(r"\b(?:P\.? ?O\.? Box|Caixa Postal) ?\d{1,6}\b", re.IGNORECASE)
_POSTCODE = re.compile(
    r"\bCEP:? ?\d{5}-?\d{3}\b|\b\d{2}\.?\d{3}-\d{3}(?=[ ,]*[–-]? ?[A-ZÀ-Þ][a-z])"
)


def addresses(text: str) -> Iterator[Finding]:
    """Yield street addresses with a number, post boxes and Brazilian postcodes."""
    for pattern in (_STREETS, _BOX, _POSTCODE):
        for match in pattern.finditer(text):
            yield Finding("address", *match.span(), LOOSE)
