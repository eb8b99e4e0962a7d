"""Contexts and units of XBRL 2.1: whom and which days a fact speaks of, and in what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from connectors.readers.branches import Element, attribute, content
from connectors.readers.record import Period, day


@dataclass(frozen=True, slots=True)
class Context:
    """The entity, the period, and the dimensions: `(axis, member)` pairs."""

    entity: str
    period: Period
    dimensions: tuple[tuple[str, str], ...]

    @property
    def when(self) -> str:
        """Return the period in words."""
        start, end = self.period.start, self.period.end
        if end is None:
            return "always" if start is None else f"since {start}"
        return f"{end} (since {start})" if start else f"{end}"


def contexts(root: Element) -> dict[str, Context]:
    """Return all contexts beneath an element by their ids."""
    return {attribute(found, "id"): _context(found) for found in _named(root, "context")}


def units(root: Element) -> dict[str, str]:
    """Return all units by their ids, as `USD`, `shares`, `pure` or `USD/shares`."""
    return {attribute(found, "id"): _unit(found) for found in _named(root, "unit")}


def _named(root: Element, name: str) -> list[Element]:
    return [
        found
        for found in root.iter()
        if isinstance(found.tag, str) and found.tag.rpartition("}")[2].rpartition(":")[2] == name
    ]


def _context(element: Element) -> Context:
    entity = _at(element, "identifier")
    start, end = _at(element, "startDate"), _at(element, "endDate") or _at(element, "instant")
    members = [*_named(element, "explicitMember"), *_named(element, "typedMember")]
    return Context(
        entity,
        Period(day(start) if start else None, _last_day(end)),
        tuple((attribute(m, "dimension"), content(m)) for m in members),
    )


def _last_day(text: str) -> date | None:
    """The last day that a period includes: an end at midnight is the end of the day before."""
    found = day(text)
    is_midnight = found is not None and text[10:].startswith("T00:00:00")
    return found - timedelta(days=1) if found and is_midnight else found


def _at(element: Element, name: str) -> str:
    return next((content(found) for found in _named(element, name)), "")


def _unit(element: Element) -> str:
    below = _named(element, "unitDenominator")
    above = _named(element, "unitNumerator")
    if above and below:
        return f"{_product(above[0])}/{_product(below[0])}"
    return _product(element)


def _product(element: Element) -> str:
    return "*".join(content(measure).rpartition(":")[2] for measure in _named(element, "measure"))
