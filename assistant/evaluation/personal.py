"""How well personal data is found, on texts with labelled spans.

A file of that layout has a JSON object a line: `text`, and `spans` of `type`, `start`, `end`. A
span counts as found if a finding of its kind overlaps it, a finding as right if it overlaps a span
of its kind. Types that no kind stands for are left out, and so are findings on top of them.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.errors import InvalidRequest
from assistant.personal.find import find
from assistant.personal.finding import KINDS, Finding, Kind

_TYPES: dict[str, Kind] = {
    "CREDIT_CARD": "card",
    "CREDIT_CARD_NUMBER": "card",
    "CARD_NUMBER": "card",
    "IBAN_CODE": "iban",
    "EMAIL_ADDRESS": "email",
    "E_MAIL": "email",
    "PHONE_NUMBER": "phone",
    "TELEPHONE": "phone",
    "TELEFONE": "phone",
    "IP_ADDRESS": "ip",
    "STREET_ADDRESS": "address",
    "LOCATION_ADDRESS": "address",
    "DATE_OF_BIRTH": "birth_date",
    "DOB": "birth_date",
    "MEDICAL_RECORD": "mrn",
    "MEDICAL_RECORD_NUMBER": "mrn",
    "SOCIAL_SECURITY_NUMBER": "ssn",
    "PASSPORT_NUMBER": "passport",
    "NHS_NUMBER": "nhs",
    "PIS_PASEP": "pis",
    "PERSON": "name",
}
_COUNTRY = re.compile(r"^(?:US|UK|BR|EN|PT|EU)_|_(?:US|UK|BR)$")


@dataclass(slots=True)
class Tally:
    """How many spans of one kind there were and were found, and how many findings were wrong."""

    n_spans: int = 0
    n_found: int = 0
    n_right: int = 0
    n_wrong: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        """Return the share of the spans that was found."""
        return self.n_found / self.n_spans if self.n_spans else None

    @property
    def precision(self) -> float | None:
        """Return the share of the findings that was right."""
        n = self.n_right + self.n_wrong
        return self.n_right / n if n else None


def kind_of(name: str) -> Kind | None:
    """Return the kind that a type of label stands for: `US_SSN`, `br_cpf` and `CPF` alike."""
    plain = _COUNTRY.sub("", re.sub(r"[\s-]+", "_", name.strip().upper()))
    return _TYPES.get(plain) or next((k for k in KINDS if k.upper() == plain), None)


def evaluate(path: Path) -> dict[Kind, Tally]:
    """Look for personal data in every text of a file, or of the files of a folder.

    Raises `InvalidRequest` if there is no file of the layout.
    """
    tallies: dict[Kind, Tally] = {}
    n_texts = 0
    for record in _records(path):
        n_texts += 1
        _compare(record["text"], record["spans"], tallies)
    if not n_texts:
        raise InvalidRequest(
            f"{path} holds no texts with labelled spans: a JSON object a line, with `text` and "
            "`spans` of `type`, `start` and `end`."
        )
    return {kind: tallies[kind] for kind in KINDS if kind in tallies}


def _compare(text: str, spans: list[dict[str, Any]], tallies: dict[Kind, Tally]) -> None:
    found = find(text)
    labelled = [(kind_of(s["type"]), int(s["start"]), int(s["end"])) for s in spans]
    right: set[Finding] = set()
    for kind, start, end in labelled:
        if kind is None:
            continue
        tally = tallies.setdefault(kind, Tally())
        hits = {f for f in found if f.kind == kind and f.start < end and start < f.end}
        right |= hits
        tally.n_spans += 1
        tally.n_found += bool(hits)
        if not hits:
            tally.missed.append(text[start:end])
    for one in found:
        tally = tallies.setdefault(one.kind, Tally())
        if one in right:
            tally.n_right += 1
        elif not any(k is None and one.start < e and s < one.end for k, s, e in labelled):
            tally.n_wrong += 1


def _records(path: Path) -> Iterator[dict[str, Any]]:
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl*"))
    for file in files:
        opened = gzip.open if file.suffix == ".gz" else open
        with opened(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if isinstance(record, dict) and isinstance(record.get("spans"), list):
                    yield record
