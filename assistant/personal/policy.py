"""What a collection does with each kind of personal data: keep it, mask it, refuse the file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from assistant.personal.find import find
from assistant.personal.finding import KINDS, Finding, Kind

Outcome = Literal["keep", "mask", "refuse"]
Table = Mapping[str, Mapping[Kind | Literal["any"], Outcome]]
"""Outcomes by collection and kind; the collection `*` and the kind `any` stand for all others."""

RULES = 1
"""Raised when other things are found than before: what a policy masks is then looked at again."""

_ENGLISH: dict[Kind, str] = {
    "cpf": "CPF",
    "cnpj": "CNPJ",
    "rg": "RG",
    "pis": "PIS",
    "cns": "CNS",
    "ssn": "SSN",
    "nhs": "NHS number",
    "passport": "passport",
    "mrn": "record number",
    "card": "card number",
    "iban": "IBAN",
    "email": "e-mail",
    "phone": "phone",
    "address": "address",
    "ip": "IP address",
    "birth_date": "date of birth",
    "name": "name",
}
_PORTUGUESE: dict[Kind, str] = {
    "nhs": "número NHS",
    "passport": "passaporte",
    "mrn": "prontuário",
    "card": "número do cartão",
    "phone": "telefone",
    "address": "endereço",
    "ip": "endereço IP",
    "birth_date": "data de nascimento",
    "name": "nome",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The outcome of each kind in one collection; kinds that are not named are kept."""

    outcomes: Mapping[Kind, Outcome]

    @property
    def digest(self) -> str:
        """Return a name of what this policy does to documents; one that keeps all does nothing."""
        changing = sorted(f"{k}={o}" for k, o in self.outcomes.items() if o != "keep")
        if not changing:
            return "keep"
        return hashlib.sha256(f"{RULES} {' '.join(changing)}".encode()).hexdigest()[:16]

    def outcome(self, kind: Kind) -> Outcome:
        """Return what is done with a kind."""
        return self.outcomes.get(kind, "keep")

    def refused(self, found: Iterable[Kind]) -> dict[Kind, int]:
        """Return the kinds that this policy refuses among those found, with their numbers."""
        return dict(Counter(kind for kind in found if self.outcome(kind) == "refuse"))

    def masked(self, text: str, findings: Iterable[Finding], lang: str) -> str:
        """Return a text with what this policy masks replaced by the name of its kind."""
        names = _ENGLISH | _PORTUGUESE if lang == "pt" else _ENGLISH
        pieces: list[str] = []
        at = 0
        for one in findings:
            if self.outcome(one.kind) != "keep":
                pieces += (text[at : one.start], f"[{names[one.kind]}]")
                at = one.end
        return "".join((*pieces, text[at:]))

    def apply(self, text: str, lang: str) -> str:
        """Return a text without what this policy masks or refuses."""
        if all(outcome == "keep" for outcome in self.outcomes.values()):
            return text
        return self.masked(text, find(text), lang)


def policy_of(table: Table, collection: str) -> Policy:
    """Return a collection's policy: its own kinds, its `any`, then those of `*`."""
    own, shared = table.get(collection, {}), table.get("*", {})
    named = ((kind, own.get(kind, own.get("any"))) for kind in KINDS)
    chosen = ((k, o or shared.get(k, shared.get("any", "keep"))) for k, o in named)
    return Policy({kind: outcome for kind, outcome in chosen if outcome != "keep"})
