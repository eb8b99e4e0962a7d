"""Numbers that identify a person, company, card or account: form, checksum and label.

Checksums are those of python-stdnum; PIS and CNS follow the rules of Caixa and DATASUS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum import iban, luhn
from stdnum.br import cnpj, cpf
from stdnum.gb import nhs
from stdnum.us import ssn

from assistant.personal.finding import CERTAIN, LIKELY, LOOSE, Finding, Kind
from assistant.personal.labels import label


def _pattern(body: str, glued: str = "") -> re.Pattern[str]:
    """Return a pattern of a number by itself, or right behind the word `glued`."""
    begin = r"(?<![^\W_])(?<!\d[.,/-])"
    if glued:
        begin = f"(?:{begin}|(?<={glued})|(?<={glued.upper()}))"
    return re.compile(rf"{begin}(?:{body})(?![^\W_]|[.,/-]\d)")


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _weighted(digits: str, weights: range | tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def is_pis(text: str) -> bool:
    """Check a PIS, PASEP, NIS or NIT number."""
    digits = _digits(text)
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    rest = 11 - _weighted(digits[:10], (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return int(digits[10]) == (0 if rest > 9 else rest)


def is_cns(text: str) -> bool:
    """Check the number of a Brazilian health card: final (1, 2) or provisional (7, 8, 9)."""
    digits = _digits(text)
    return (
        len(digits) == 15 and digits[0] in "12789" and _weighted(digits, range(15, 0, -1)) % 11 == 0
    )


def is_cpf(text: str) -> bool:
    """Check a CPF; one of a single repeated digit is a placeholder."""
    digits = _digits(text)
    return len(set(digits)) > 1 and bool(cpf.is_valid(digits))


def is_cnpj(text: str) -> bool:
    """Check a CNPJ, also one with letters as issued since July 2026."""
    compact = re.sub(r"[^\dA-Za-z]", "", text).upper()
    return len(set(compact)) > 1 and bool(cnpj.is_valid(compact))


def is_rg(text: str) -> bool:
    """Check an RG of São Paulo, the one state with a public checksum."""
    compact = re.sub(r"[^\dXx]", "", text).upper()
    if len(compact) != 9 or len(set(compact)) == 1 or "X" in compact[:-1]:
        return False
    rest = 11 - _weighted(compact[:8], range(2, 10)) % 11
    return compact[8] == {10: "X", 11: "0"}.get(rest, str(rest))


_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11,16}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|35[2-8]\d{13}"
    r"|(?:1800|2131)\d{11}|62\d{14,17}|606282\d{10}|(?:636368|627780|636297|504175)\d{10}"
)
_MAESTRO = re.compile(r"(?:5[0678]|6\d)\d{10,17}|35\d{14}")


def is_card(text: str) -> bool:
    """Check a card's number by issuer and Luhn's checksum."""
    digits = _digits(text)
    issued = _ISSUERS.fullmatch(digits) or _MAESTRO.fullmatch(digits)
    return bool(issued) and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def is_ssn(text: str) -> bool:
    """Check a US social security number: numbers that were never given out are refused."""
    return bool(ssn.is_valid(_digits(text)))


@dataclass(frozen=True, slots=True)
class _Number:
    """A kind of number: what it looks like, its check, and which form needs no label."""

    kind: Kind
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    speaks: re.Pattern[str] | None
    """A form that no other number has; without it a label must name the kind."""
    alone: bool = False
    """Whether its checksum suffices where no label says otherwise."""


_NUMBERS = (
    _Number(
        "cpf",
        _pattern(r"\d{3}[. ]?\d{3}[. ]?\d{3}[ ]?[-./ ]?[ ]?\d{2}", "cpf"),
        is_cpf,
        re.compile(r"\d{3}\.\d{3}\.\d{3}[-/ .]\d\d"),
        alone=True,
    ),
    _Number(
        "cnpj",
        _pattern(
            r"[\dA-Z]{2}\.?[\dA-Z]{3}\.?[\dA-Z]{3}[ ]?[/ ]?[ ]?[\dA-Z]{4}[ ]?[- ]?[ ]?\d{2}"
            r"|\d{2} \d{3} \d{3} ?/? ?\d{4} ?-? ?\d{2}",
            "cnpj",
        ),
        is_cnpj,
        re.compile(r".{2}\.?.{3}\.?.{3} ?/ ?.{4} ?-? ?\d\d"),
        alone=True,
    ),
    _Number(
        "pis",
        _pattern(r"\d{3}[. ]?\d{5}[. ]?\d{2}[- ]?\d"),
        is_pis,
        re.compile(r"\d{3}\.\d{5}\.\d\d-\d"),
    ),
    _Number(
        "cns",
        _pattern(r"\d{3}[ .]?\d{4}[ .]?\d{4}[ .]?\d{4}"),
        is_cns,
        re.compile(r"\d{3} \d{4} \d{4} \d{4}"),
    ),
    _Number(
        "rg",
        _pattern(r"\d{1,2}\.?\d{3}\.?\d{3}[- ]?[\dXx]"),
        is_rg,
        re.compile(r"\d\d\.\d{3}\.\d{3}-[\dXx]"),
    ),
    _Number("ssn", _pattern(r"\d{3}([- ]?)\d{2}\1\d{4}"), is_ssn, re.compile(r"\d+-\d+-\d+")),
    _Number("nhs", _pattern(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), lambda t: bool(nhs.is_valid(t)), None),
    _Number(
        "card",
        _pattern(
            r"\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?"
            r"|\d{4}[ -]\d{6}[ -]\d{4,5}|\d{4}([.])\d{4}\2\d{4}\2\d{4}"
        ),
        is_card,
        re.compile(r"\d{16}|\d{4}([ .-])\d{4}\1\d{4}\1\d{4}|3[47]\d\d[ -]?\d{6}[ -]?\d{5}"),
    ),
)

_LABELLED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("rg", _pattern(r"(?:[A-Z]{2}-)?\d{1,2}\.?\d{3}\.?\d{3}(?:[- ]?[\dXx])?")),
    ("passport", _pattern(r"[A-Za-z]{0,2} ?\d{6,9}")),
    ("mrn", _pattern(r"[A-Za-z]{0,4}[-.]?\d{4,12}(?:-\d{1,2})?")),
)

_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]){11,30}(?![^\W_])")


def numbers(text: str) -> Iterator[Finding]:
    """Yield the numbers with a checksum, and those that only their label tells."""
    for number in _NUMBERS:
        for match in number.pattern.finditer(text):
            if not number.check(match.group()):
                continue
            called = label(text, match.start())
            spoken = number.speaks is not None and number.speaks.fullmatch(match.group())
            if called == number.kind or spoken:
                yield Finding(number.kind, *match.span(), CERTAIN)
            elif not called and number.alone:
                yield Finding(number.kind, *match.span(), LIKELY)
    for kind, pattern in _LABELLED:
        for match in pattern.finditer(text):
            if label(text, match.start()) == kind:
                yield Finding(kind, *match.span(), LOOSE)


def accounts(text: str) -> Iterator[Finding]:
    """Yield the IBANs; what stands right behind one is not taken for a part of it."""
    for match in _IBAN.finditer(text):
        found = match.group()
        for end in range(len(found), 14, -1):
            if found[end - 1] in " -" or (end < len(found) and found[end].isalnum()):
                continue
            if iban.is_valid(found[:end].replace("-", "")):
                yield Finding("iban", match.start(), match.start() + end, CERTAIN)
                break
