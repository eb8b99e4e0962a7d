"""What field 86 of an MT940 tells about an entry: German subfields, slash codes, or free text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.readers.text import clean

_GERMAN = re.compile(r"^\s*(\d{3})(.)(?=\d{2})")
_SLASH = re.compile(r"/([A-Z]{2,5})/")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+ ?")
_SEPA_NAMES = {
    "EREF": "end_to_end_id",
    "KREF": "customer_reference",
    "MREF": "mandate",
    "CRED": "creditor_id",
    "DEBT": "originator_id",
    "SVWZ": "purpose",
    "ABWA": "ultimate_party",
    "ABWE": "ultimate_party",
    "IBAN": "counterparty_account",
    "BIC": "counterparty_bank",
}
_SLASH_NAMES = {
    "EREF": "end_to_end_id",
    "MARF": "mandate",
    "CSID": "creditor_id",
    "REMI": "purpose",
    "NAME": "counterparty",
    "IBAN": "counterparty_account",
    "BIC": "counterparty_bank",
    "TRTP": "text",
}
_NS_NAMES = {"15": "counterparty", "17": "text"}


def purpose(lines: Sequence[str], *, is_ns: bool = False) -> Mapping[str, str]:
    """Return what is told of an entry, by snake_case names; empty for no lines."""
    whole = clean(" ".join(lines))
    if not whole:
        return {}
    if is_ns:
        return _by_line(lines)
    german = _GERMAN.match("".join(lines))
    if german:
        return _german("".join(lines), german)
    if _SLASH.match(whole):
        return _slashed("".join(lines))
    return {"purpose": whole}


def _german(text: str, start: re.Match[str]) -> dict[str, str]:
    """Subfields `?NN` after a transaction code of three digits (DFÜ-Abkommen, Anlage 3)."""
    mark = re.escape(start[2])
    parts = re.split(rf"{mark}(?=\d{{2}})", text[start.end() - 1 :])
    fields: dict[str, list[str]] = {}
    for part in parts:
        if re.match(r"\d{2}", part):
            fields.setdefault(part[:2], []).append(part[2:])
    if not fields:
        return {"purpose": clean(text)}
    numbers = [*range(20, 30), *range(60, 64)]
    used = "".join(_wrapped(piece) for n in numbers for piece in fields.get(str(n), []))
    told = {
        "transaction_code": start[1],
        "text": "".join(fields.get("00", [])),
        "counterparty": " ".join(fields.get("32", []) + fields.get("33", [])),
        "counterparty_account": "".join(fields.get("38", []) or fields.get("31", [])),
        "counterparty_bank": "".join(fields.get("30", [])),
        **_sepa(used),
    }
    return {key: clean(value) for key, value in told.items() if clean(value)}


def _wrapped(piece: str) -> str:
    """A subfield holds 27 characters: a full one goes on in the next, a shorter one has ended."""
    return piece if len(piece) >= 27 else f"{piece} "


def _sepa(text: str) -> dict[str, str]:
    pieces = _SEPA.split(text)
    told = {
        _SEPA_NAMES[name]: value for name, value in zip(pieces[1::2], pieces[2::2], strict=True)
    }
    lead = pieces[0].strip()
    return {"purpose": lead, **told} if lead else told


def _slashed(text: str) -> dict[str, str]:
    """Codes between slashes (`/EREF/…/REMI/…`), as in the Netherlands and by structured MT940."""
    pieces = _SLASH.split(text)
    told: dict[str, list[str]] = {}
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        told.setdefault(_SLASH_NAMES.get(name, "purpose"), []).append(value.strip("/"))
    return {key: clean(" ".join(values)) for key, values in told.items() if clean(" ".join(values))}


def _by_line(lines: Sequence[str]) -> dict[str, str]:
    """Lines that begin with two digits, as some German banks write (`:NS:`)."""
    told: dict[str, list[str]] = {}
    for line in lines:
        number, value = line[:2], line[2:].strip()
        key = _NS_NAMES.get(number)
        if key is None and number.isdigit() and int(number) <= 14:
            key = "purpose"
        if key and value:
            told.setdefault(key, []).append(value)
    return {key: clean(" ".join(values)) for key, values in told.items()}
