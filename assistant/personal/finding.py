"""The kinds of personal data that are looked for, and where one stands in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "cpf",
    "cnpj",
    "rg",
    "pis",
    "cns",
    "ssn",
    "nhs",
    "passport",
    "mrn",
    "card",
    "iban",
    "email",
    "phone",
    "address",
    "ip",
    "birth_date",
    "name",
]

KINDS: tuple[Kind, ...] = get_args(Kind)

CERTAIN, LIKELY, LOOSE = 3, 2, 1
"""How sure a finding is: its form and checksum alone, with a label, by a label only."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at `start` to `end` of a text; of two that overlap the surer one stays."""

    kind: Kind
    start: int
    end: int
    sure: int = CERTAIN


def separate(findings: list[Finding]) -> list[Finding]:
    """Return findings that don't overlap, in order: the surest first, then the longest."""
    kept: list[Finding] = []
    for one in sorted(findings, key=lambda f: (-f.sure, f.start - f.end, f.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda f: f.start)
