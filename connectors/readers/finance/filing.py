"""The facts of a filing, whether they stand in an instance document or inline in its pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectors.readers.finance.context import Context
from connectors.readers.finance.fact import sentence
from connectors.readers.ledger import Ledger, joined
from connectors.readers.markup import place_html
from connectors.readers.plain import place_text
from connectors.readers.record import Quantity, Value, decimal

_EXCERPT_CHARS = 400
_NAMES = ("EntityRegistrantName", "NameOfReportingEntityOrOtherMeansOfIdentification")
_KINDS = ("DocumentType", "DocumentType1")
_ENDS = ("DocumentPeriodEndDate", "DateOfEndOfReportingPeriod2013")


@dataclass(frozen=True, slots=True)
class Fact:
    """A value reported for a concept in a context; `value` is None where it is nil."""

    concept: str
    context_id: str
    context: Context
    value: str | None
    unit: str = ""
    decimals: str = ""
    lang: str = ""
    id: str = ""
    is_hidden: bool = False

    @property
    def is_long(self) -> bool:
        """Return whether the value is running text, such as a note to the statements."""
        return self.value is not None and not self.unit and len(self.value) > _EXCERPT_CHARS


@dataclass(frozen=True, slots=True)
class Filing:
    """All facts of a filing, in the order of the document, and the labels of their concepts."""

    facts: tuple[Fact, ...]
    labels: Mapping[str, str] = field(default_factory=dict)

    def said(self, names: Iterable[str]) -> str:
        """Return the value of the first of these concepts (local names) without dimensions."""
        for name in names:
            for fact in self.facts:
                if fact.concept.rpartition(":")[2] == name and not fact.context.dimensions:
                    return fact.value or ""
        return ""

    @property
    def entity(self) -> str:
        """Return the name of the company, else its identifier."""
        found = next((f.context.entity for f in self.facts if f.context.entity), "")
        return self.said(_NAMES) or found

    @property
    def title(self) -> str:
        """Return `Apple Inc. · 10-Q · 2025-06-28`."""
        return joined(self.entity, self.said(_KINDS), self.said(_ENDS), by=" · ")


def place(ledger: Ledger, filing: Filing) -> None:
    """Add all facts, those of one concept together; a repeated fact is worded once."""
    by_concept: dict[str, list[Fact]] = {}
    for fact in filing.facts:
        by_concept.setdefault(fact.concept, []).append(fact)
    seen: set[Fact] = set()
    for facts in by_concept.values():
        for fact in facts:
            key = replace(fact, id="", is_hidden=False, decimals="")
            _place(ledger, filing, fact, is_again=key in seen)
            seen.add(key)


def place_prose(ledger: Ledger, filing: Filing) -> None:
    """Add the facts that are running text in full, each under its label; HTML as what it shows."""
    seen: set[str] = set()
    for fact in filing.facts:
        if fact.value is None or not fact.is_long:
            continue
        is_again = fact.value in seen
        if not is_again:
            ledger.heading(label_of(filing, fact), 2)
            block = len(ledger.outline.blocks)
            if "</" in fact.value or "<br" in fact.value:
                place_html(ledger.outline, fact.value)
            else:
                place_text(ledger.outline, fact.value, headings=False)
        values = _values(filing, fact, _excerpt(fact.value), is_again=is_again)
        ledger.note("fact", values, own_id=fact.id, subject=_subject(filing), block=block)
        seen.add(fact.value)


def label_of(filing: Filing, fact: Fact) -> str:
    """Return what a fact's concept is called."""
    return filing.labels.get(fact.concept) or spaced(fact.concept)


def _subject(filing: Filing) -> str:
    return f"company:{filing.entity}" if filing.entity else ""


def _excerpt(value: str) -> str:
    return value[:_EXCERPT_CHARS].rsplit(" ", 1)[0] + " …"


def _place(ledger: Ledger, filing: Filing, fact: Fact, *, is_again: bool) -> None:
    value = _excerpt(fact.value) if fact.value is not None and fact.is_long else fact.value
    values = _values(filing, fact, value, is_again=is_again)
    if is_again:
        ledger.again("fact", values, own_id=fact.id, subject=_subject(filing))
        return
    dimensions = (f"{spaced(a)}: {spaced(m)}" for a, m in fact.context.dimensions)
    shown = "not reported" if value is None else value
    told = sentence(
        label_of(filing, fact),
        fact.concept,
        fact.context.when,
        shown,
        fact.unit,
        *dimensions,
        _rounding(fact),
    )
    ledger.line(told, "fact", values, own_id=fact.id, subject=_subject(filing))


def _values(
    filing: Filing, fact: Fact, value: str | None, *, is_again: bool
) -> dict[str, Value | None]:
    amount = decimal(value) if value is not None and fact.unit else None
    return {
        "concept": fact.concept,
        "label": label_of(filing, fact),
        "period": fact.context.period,
        "value": value if amount is None else Quantity(amount, fact.unit),
        "decimals": fact.decimals,
        "context": fact.context_id,
        "dimensions": tuple(f"{axis}={member}" for axis, member in fact.context.dimensions),
        "entity": fact.context.entity,
        "lang": fact.lang,
        "nil": fact.value is None or None,
        "excerpt": fact.is_long or None,
        "hidden": fact.is_hidden or None,
        "duplicate": is_again or None,
    }


def _rounding(fact: Fact) -> str:
    """How exactly a number is reported: `decimals` of -6 are millions."""
    names = {"-3": "thousands", "-6": "millions", "-9": "billions", "0": "units"}
    if not fact.unit or fact.value is None or fact.decimals in ("", "INF"):
        return ""
    return f"rounded to {names.get(fact.decimals, f'{fact.decimals} decimals')}"


def spaced(concept: str) -> str:
    """Return the name of a concept in words: `us-gaap:NetIncomeLoss` is `Net Income Loss`."""
    name = re.sub(r"(Axis|Member|Domain)$", "", concept.rpartition(":")[2]) or concept
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
