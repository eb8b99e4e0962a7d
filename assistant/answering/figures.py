"""Whether the facts of a claim occur in its evidence, or follow from it by stated arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation

from assistant.text.numbers import Day, Fact, facts
from assistant.text.units import SCALES, UNITS
from assistant.text.words import fold

_ABOUT = re.compile(
    r"(?:\babout|\baround|\bsome|\broughly|\bapproximately|\bapprox\.?|\bnearly|\balmost|\bover"
    r"|\bcerca de|\baproximadamente|\baprox\.?|\bquase|\bmais de|\bem torno de|\bpor volta de|~|≈)"
    r"[\s(]*$"
)
_FALL = re.compile(
    r"\b(?:loss|losses|lost|decreas\w*|declin\w*|fell|fall|drop\w*|down|negative|outflow\w*|reduc\w*"
    r"|deficit|below|prejuizo\w*|perda\w*|queda|caiu|cairam|recu\w+|negativ\w+|diminu\w+|saida\w*)\b"
)
_ARITHMETIC = re.compile(
    r"\b(?:total\w*|sum|summed|together|combined|differen\w+|increas\w*|decreas\w*|grew|grow\w*"
    r"|rise|rose|fell|drop\w*|more|less|fewer|higher|lower|ratio|times|share|average|mean|net"
    r"|soma\w*|juntos|juntas|diferenca|aument\w*|cresc\w*|subiu|subiram|caiu|cairam|queda|reduc\w*"
    r"|reduz\w*|mais|menos|maior|menor|razao|vezes|media|parcela|equival\w+|equals?)\b|[=+×]"
)
_MOST_OPERANDS = 8


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts of a passage and of its title and headings."""

    facts: tuple[Fact, ...]
    folded: str

    @classmethod
    def of(cls, *texts: str) -> Evidence:
        """Read the texts that may support a claim."""
        found = [fact for text in texts for fact in facts(text, spelled=True)]
        return cls(tuple(found), fold("\n".join(texts)))


def missing(claim: str, evidence: Evidence) -> tuple[Fact, ...]:
    """Return the facts of a claim that neither occur in the evidence nor follow from it.

    A number in words counts only with a unit (`three days`). Arithmetic (sum, difference,
    product, ratio, share, growth) counts if the claim states the operands, the evidence has
    them, and the claim says that it calculates.
    """
    claimed = [f for f in facts(claim, spelled=True) if any(map(str.isdigit, f.text)) or f.unit]
    folded = fold(claim)
    unsupported = [f for f in claimed if not _occurs(f, evidence, folded)]
    if not unsupported or not _ARITHMETIC.search(folded):
        return tuple(unsupported)
    operands = [f for f in claimed if f.kind == "number" and f not in unsupported]
    return tuple(f for f in unsupported if not _follows(f, operands))


def _occurs(fact: Fact, evidence: Evidence, claim: str) -> bool:
    if fact.kind == "code":
        return _code_occurs(fact, evidence)
    if fact.kind == "date":
        return any(_day_occurs(day, evidence) for day in fact.days)
    if fact.kind == "time":
        return any(_clock(other) & fact.values for other in evidence.facts)
    if fact.unit == "hour" and any(
        o.kind == "time" and _clock(o) & _clock(fact) for o in evidence.facts
    ):
        return True
    if _is_year(fact) and _year_occurs(int(next(iter(fact.values))), evidence):
        return True
    return any(_number_agrees(fact, other, evidence, claim) for other in evidence.facts)


def _clock(fact: Fact) -> frozenset[Decimal]:
    """Return minutes since midnight: `17h` may be a time or a number of hours."""
    if fact.kind == "time":
        return fact.values
    if fact.kind == "number" and fact.unit == "hour":
        return frozenset(value * 60 for value in fact.values)
    return frozenset()


def _code_occurs(fact: Fact, evidence: Evidence) -> bool:
    year = next((day[0] for day in fact.days), None)
    for other in evidence.facts:
        if other.kind == "code" and other.code == fact.code:
            other_year = next((day[0] for day in other.days), None)
            if year is None or other_year == year or (other_year is None and _said(year, evidence)):
                return True
    groups = re.findall(r"[a-z]+|\d+", fold(fact.code))
    pattern = r"(?<!\w)" + r"[\s./-]*".join(map(re.escape, groups)) + r"(?!\w)"
    return not fact.days and re.search(pattern, evidence.folded) is not None


def _is_year(fact: Fact) -> bool:
    return (
        fact.kind == "number"
        and not fact.unit
        and not fact.scale
        and re.fullmatch(r"(?:19|20|21)\d\d", fact.text) is not None
    )


def _said(year: int, evidence: Evidence) -> bool:
    return re.search(rf"(?<!\d){year}(?!\d)", evidence.folded) is not None


def _year_occurs(year: int, evidence: Evidence) -> bool:
    return any(day[0] == year for other in evidence.facts for day in other.days)


def _day_occurs(claimed: Day, evidence: Evidence) -> bool:
    for other in evidence.facts:
        for day in other.days if other.kind == "date" else ():
            same = all(a is None or b is None or a == b for a, b in zip(claimed, day, strict=True))
            said_less = any(
                a is not None and b is None for a, b in zip(claimed[1:], day[1:], strict=True)
            )
            year_open = claimed[0] is not None and day[0] is None
            if same and not said_less and not (year_open and not _said(claimed[0] or 0, evidence)):
                return True
    return False


def _number_agrees(fact: Fact, other: Fact, evidence: Evidence, claim: str) -> bool:
    if other.kind != "number" or not _units_agree(fact, other, evidence):
        return False
    values = set(fact.values)
    if fact.scale and not other.scale and _heads_scale(fact.scale, evidence):
        values |= {value.scaleb(-fact.scale).normalize() for value in fact.values}
    if values & other.values:
        return True
    if {-value for value in values} & other.values:
        falls = claim if max(values) > 0 else evidence.folded
        return _FALL.search(falls) is not None
    if _ABOUT.search(claim[: fact.start]):
        half = _half_step(fact)
        return any(abs(a - b) <= half for a in fact.values for b in other.values)
    return False


def _half_step(fact: Fact) -> Decimal:
    """Return half of the last place that a number was written to."""
    return Decimal(1).scaleb(fact.scale - fact.decimals) / 2


def _heads_scale(scale: int, evidence: Evidence) -> bool:
    """Tell whether a heading such as `in millions` or `R$ mil` gives the scale of the figures."""
    words = "|".join(word for word, power in SCALES.items() if power == scale and word != "m")
    pattern = rf"(?:\bin|\bem|\$|€|£|brl|usd|eur)\s*(?:{words})\b(?!\s+\d)"
    return re.search(pattern, evidence.folded) is not None


def _units_agree(fact: Fact, other: Fact, evidence: Evidence) -> bool:
    if not fact.unit or fact.unit == other.unit or {fact.unit, other.unit} == {"$", "USD"}:
        return True
    if other.unit:
        return False
    names = [name for name, unit in UNITS.items() if unit == fact.unit]
    pattern = "|".join(
        rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])" if name[0].isalpha() else re.escape(name)
        for name in names
    )
    return re.search(pattern, evidence.folded) is not None


def _follows(fact: Fact, operands: Sequence[Fact]) -> bool:
    if fact.kind != "number":
        return False
    numbers = [f.values for f in operands if not _is_year(f)][:_MOST_OPERANDS]
    half = _half_step(fact)
    return any(abs(abs(v) - abs(r)) <= half for r in _results(numbers) for v in fact.values)


def _results(numbers: Sequence[Iterable[Decimal]]) -> Iterator[Decimal]:
    """Yield what simple arithmetic makes of the operands."""
    first = [max(values) for values in numbers]
    if len(first) > 2:
        yield sum(first, Decimal(0))
        yield sum(first, Decimal(0)) / len(first)
    for i, values in enumerate(numbers):
        for j, others in enumerate(numbers):
            if i != j:
                for a in values:
                    for b in others:
                        yield from _of_two(a, b)


def _of_two(a: Decimal, b: Decimal) -> Iterator[Decimal]:
    yield from (a + b, a - b, a * b, (a + b) / 2)
    try:
        yield from (a / b, a / b * 100, (a - b) / b * 100)
    except (DivisionByZero, InvalidOperation):
        return
