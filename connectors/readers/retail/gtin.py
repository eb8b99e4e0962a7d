"""GTINs: their check digit, and how EPC URNs and GS1 Digital Links hold them."""

from __future__ import annotations

import re

_URN = re.compile(r"urn:epc:(?:id:sgtin|class:lgtin|idpat:sgtin|idpat:lgtin):(\d+)\.(\d)(\d+)\.")
_LINK = re.compile(r"https?://[^\s?#]+/(?:01|gtin)/(\d{8,14})(?:[/?#]|$)")


def check_digit(digits: str) -> str:
    """Return the check digit for all digits before it (GS1 General Specifications 7.9)."""
    weighted = (int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(digits)))
    return str(-sum(weighted) % 10)


def is_gtin(text: str) -> bool:
    """Whether a text is a GTIN of 8, 12, 13 or 14 digits with the right check digit."""
    is_digits = text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)
    return is_digits and check_digit(text[:-1]) == text[-1]


def gtin_of(identifier: str) -> str:
    """Return the GTIN of 14 digits that an EPC or Digital Link is about, else an empty string."""
    if match := _URN.match(identifier):
        company, indicator, item = match.groups()
        digits = indicator + company + item
        return digits + check_digit(digits) if len(digits) == 13 else ""
    if match := _LINK.match(identifier):
        return match.group(1).zfill(14)
    return ""


def product(code: str, *others: str) -> str:
    """Return the subject of records about a product: by its GTIN, else by the first other key."""
    bare = code.strip()
    if is_gtin(bare):
        return f"product:{bare.zfill(14)}"
    return next((f"product:{other}" for other in (*others, bare) if other), "")
