"""All personal data of a text."""

from __future__ import annotations

import re

from assistant.personal.contacts import addresses, addresses_of_computers, emails, phones
from assistant.personal.finding import Finding, separate
from assistant.personal.numbers import accounts, numbers
from assistant.personal.people import birth_dates, names

_ANY = re.compile(r"[\d@:]")
_DIGIT = re.compile(r"\d")


# Signs that look like those of a number, one for one so that places stay the same.
_PLAIN = str.maketrans("\u00a0\u2007\u202f\u2010\u2011\u2012\u2013\u2212", "   -----")


def find(text: str) -> list[Finding]:
    """Return what was found, in order and without overlaps."""
    if not _ANY.search(text):
        return []
    if not text.isascii():
        text = text.translate(_PLAIN)
    found = [*emails(text), *names(text)]
    if _DIGIT.search(text):
        for detect in (numbers, accounts, phones, addresses_of_computers, birth_dates, addresses):
            found += detect(text)
    return separate(found)
