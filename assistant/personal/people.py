"""Dates of birth and names, where a label names them: free text alone never tells a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.personal.finding import LIKELY, LOOSE, Finding
from assistant.personal.labels import label

_MONTH = (
    r"(?:jan(?:uary|eiro)?|feb(?:ruary)?|fev(?:ereiro)?|mar(?:ch|[cç]o)?|apr(?:il)?|abr(?:il)?"
    r"|may|maio?|june?|junho|july?|julho|aug(?:ust)?|ago(?:sto)?|sep(?:t|tember)?|set(?:embro)?"
    r"|oct(?:ober)?|out(?:ubro)?|nov(?:ember|embro)?|dec(?:ember)?|dez(?:embro)?)\.?"
)
_DATE = re.compile(
    r"(?<![\w/.-])(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|(?:18|19|20)\d\d[/.-]\d{1,2}[/.-]"
    r"\d{1,2}|(?:18|19|20)\d\d[01]\d[0-3]\d"
    rf"|\d{{1,2}}(?:º|st|nd|rd|th)?[ -](?:de |of )?{_MONTH}(?:,? (?:de )?|-)(?:18|19|20)\d\d"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:18|19|20)\d\d)(?!\w)",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:^|[\n{,;|·—-])[ \t]*[\"']?(?i:(?:patient|full|customer|employee|account ?holder"
    r"|card ?holder|contact|beneficiary)[ _]?(?:full[ _]?)?name"
    r"|nome[ _](?:completo|d[oa][ _]\w+|social)"
    r"|nome|patient|paciente|titular|benefici[aá]rio|funcion[aá]ri[oa]|segurad[oa])"
    r"[\"']?[ \t]*:[ \t]*[\"']?"
    r"(?P<name>[A-ZÀ-Þ][\w'’.-]*(?:[ ,]{1,2}(?:(?:d[aeo]s?|e|van|von|del)[ ])?[A-ZÀ-Þ][\w'’.-]*)"
    r"{1,6})",
    re.MULTILINE,
)


def birth_dates(text: str) -> Iterator[Finding]:
    """Yield the dates that a label calls somebody's birth."""
    for match in _DATE.finditer(text):
        if label(text, match.start()) == "birth_date":
            yield Finding("birth_date", *match.span(), LIKELY)


def names(text: str) -> Iterator[Finding]:
    """Yield the names in fields that are called so, such as `Patient name: …`."""
    if ":" in text:
        for match in _NAME.finditer(text):
            yield Finding("name", *match.span("name"), LOOSE)
