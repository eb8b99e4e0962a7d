"""Company facts: the JSON form of XBRL filings, worded one fact a line.

The shape is that of the SEC's `companyfacts` service: facts → taxonomy → concept → units → list of
`{start, end, val, fy, fp, form, filed}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.readers.errors import ReadError
from connectors.readers.finance.fact import sentence
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.record import Period, Quantity, Record, day, decimal, valued
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean


@dataclass(frozen=True, slots=True)
class _Fact:
    concept: str
    label: str
    unit: str
    start: str
    end: str
    value: str
    source: str


def is_company_facts(value: Any) -> bool:
    """Whether a JSON value has the shape of company facts."""
    facts = value.get("facts") if isinstance(value, dict) else None
    if not isinstance(facts, dict) or not facts:
        return False
    concepts = [c for taxonomy in facts.values() if isinstance(taxonomy, dict) for c in taxonomy]
    return bool(concepts) and all(
        isinstance(concept, dict) and isinstance(concept.get("units"), dict)
        for taxonomy in facts.values()
        if isinstance(taxonomy, dict)
        for concept in taxonomy.values()
    )


def read(value: dict[str, Any], source: Source) -> Reading:
    """Word company facts, one record a concept, under the name of the entity."""
    found = list(dict.fromkeys(_facts(value["facts"])))
    if not found:
        raise ReadError("empty", "The file holds no facts.")
    warnings = []
    if len(found) > source.limits.rows:
        warnings.append(f"Only the first {source.limits.rows} facts were read.")
        found = found[: source.limits.rows]
    outline = Outline()
    entity = clean(str(value.get("entityName") or value.get("identifier") or ""))
    outline.heading(entity, 1)
    lines: dict[tuple[str, str], list[str]] = {}
    for fact in found:
        lines.setdefault((fact.concept, fact.unit), []).append(
            sentence(
                fact.label,
                fact.concept,
                fact.end + (f" (since {fact.start})" if fact.start else ""),
                fact.value,
                fact.unit,
                f"filed: {fact.source}" if fact.source else "",
            )
        )
    blocks: dict[tuple[str, str], int] = {}
    for key, worded in lines.items():
        blocks[key] = len(outline.blocks)
        outline.record("\n".join(worded))
    return Reading(
        source.media_type,
        best_title(None, entity or None, source.name),
        tuple(outline.blocks),
        records=tuple(_record(f, entity, blocks[f.concept, f.unit]) for f in found),
        warnings=tuple(warnings),
    )


def _facts(taxonomies: dict[str, Any]) -> Iterator[_Fact]:
    for taxonomy in taxonomies.values():
        for concept, about in taxonomy.items() if isinstance(taxonomy, dict) else ():
            label = clean(str(about.get("label") or concept))
            for unit, entries in about["units"].items():
                for entry in entries if isinstance(entries, list) else ():
                    if not isinstance(entry, dict) or entry.get("val") is None:
                        continue
                    start, end = (clean(str(entry.get(key) or "")) for key in ("start", "end"))
                    source = clean(f"{entry.get('form') or ''} {entry.get('filed') or ''}")
                    shown = _written(entry["val"])
                    yield _Fact(concept, label, unit, start, end, shown, source)


def _written(value: Any) -> str:
    return clean(str(getattr(value, "raw", value)))


def _record(fact: _Fact, entity: str, block: int) -> Record:
    amount = decimal(fact.value)
    return Record(
        "fact",
        valued(
            {
                "concept": fact.concept,
                "label": fact.label,
                "period": Period(day(fact.start), day(fact.end)),
                "value": fact.value if amount is None else Quantity(amount, fact.unit),
                "filed": fact.source,
            }
        ),
        subject=f"company:{entity}" if entity else "",
        block=block,
    )
