"""JSON and NDJSON: objects as `key: value` records, arrays of flat objects as tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, cast

from connectors.readers import facts
from connectors.readers.errors import ReadError
from connectors.readers.health import fhir, trials
from connectors.readers.industry import aas, work_orders
from connectors.readers.media import NDJSON
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.record import Record, Value, decimal, valued
from connectors.readers.retail import epcis, reviews, shop
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, decode, language

MAX_DEPTH = 64
_SHAPES: tuple[tuple[Callable[[Any], bool], Callable[[Any, Source], Reading]], ...] = (
    (facts.is_company_facts, facts.read),
    (aas.is_environment, aas.read),
    (trials.is_study, trials.read_json),
    (work_orders.is_annotated, work_orders.read_annotated),
    (work_orders.is_json, work_orders.read_json),
    (epcis.is_epcis, epcis.read_json),
    (shop.is_shop, shop.read),
    (reviews.is_reviews, reviews.read_json),
    (shop.is_catalog, shop.read_catalog),
)
_TITLE_KEYS = ("title", "name", "subject", "entityName", "label", "titulo", "nome")


class Figure(float):
    """A JSON number that remembers how it was written (`1.10`, `1e3`)."""

    raw: str

    def __new__(cls, raw: str) -> Figure:
        """Read a number and keep its text."""
        figure = super().__new__(cls, raw)
        figure.raw = raw
        return figure


def read(source: Source) -> Reading:
    """Read a JSON or NDJSON file; FHIR resources and company facts word themselves."""
    text = decode(source.path.read_bytes()).lstrip("\ufeff")
    value, is_lines = _parsed(text)
    if _depth_exceeds(value, MAX_DEPTH):
        raise _too_deep()
    resources = fhir.resources_of(value)
    if resources:
        return fhir.reading_of_resources(resources, source)
    for fits, read_shape in _SHAPES:
        if fits(value):
            return read_shape(value, source)
    warnings: list[str] = []
    outline = Outline()
    _place(outline, value, 1, source.limits.rows, warnings)
    if not outline.blocks:
        raise ReadError("empty", "The JSON holds no values.")
    title = lang = None
    if isinstance(value, dict):
        found = [value[key] for key in _TITLE_KEYS if isinstance(value.get(key), str)]
        title = found[0] if found else None
        declared = value.get("lang") or value.get("language")
        lang = language(declared) if isinstance(declared, str) else None
    return Reading(
        NDJSON if is_lines else source.media_type,
        best_title(title, outline.first_heading, source.name),
        tuple(outline.blocks),
        lang,
        tuple(_records(value)[: source.limits.rows]),
        tuple(warnings),
    )


def _parsed(text: str) -> tuple[Any, bool]:
    """The value of a JSON text, or the list of values of an NDJSON text."""
    try:
        return _loads(text), False
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].rstrip()[-1:] in "}]":
            try:
                return [_loads(line) for line in lines], True
            except ValueError:
                pass
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ReadError("corrupt", f"The JSON is malformed{place}.") from error
    except RecursionError as error:
        raise _too_deep() from error


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=Figure, parse_constant=lambda _: None)


def _too_deep() -> ReadError:
    return ReadError("bomb", f"The JSON is nested deeper than {MAX_DEPTH} levels; flatten it.")


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def display(value: Any) -> str:
    """A JSON scalar as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.raw if isinstance(value, Figure) else clean(str(value))


def label(key: str) -> str:
    """A key as words: `unitPrice` → `unit price`, `unit_price` → `unit price`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key.replace("_", " "))
    return clean(words.lower() if words != key and key[:1].islower() else words)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _is_flat(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_scalar, value.values()))


def _records(value: Any) -> list[Record]:
    """The flat objects of the outermost array, as structured values."""
    if isinstance(value, dict):
        arrays = [item for item in value.values() if isinstance(item, list)]
        value = arrays[0] if len(arrays) == 1 else [value]
    flat = [item for item in value if _is_flat(item)] if isinstance(value, list) else []
    return [Record("object", valued((k, _typed(v)) for k, v in item.items())) for item in flat]


def _typed(value: Any) -> Value | None:
    if isinstance(value, Figure):
        return decimal(value.raw)
    return clean(value) if isinstance(value, str) else cast("Value | None", value)


def _place(outline: Outline, value: Any, level: int, cap: int, warnings: list[str]) -> None:
    if isinstance(value, list):
        _place_list(outline, value, level, cap, warnings)
    elif isinstance(value, dict):
        fields, nested = _split(value)
        outline.record("\n".join(fields))
        for key, child in nested:
            outline.heading(label(key), level)
            _place(outline, child, level + 1, cap, warnings)
    else:
        outline.paragraph(display(value))


def _place_list(
    outline: Outline, values: list[Any], level: int, cap: int, warnings: list[str]
) -> None:
    if len(values) > cap:
        warnings.append(f"Only the first {cap} entries of an array were read.")
        values = values[:cap]
    if len(values) > 1 and all(map(_is_flat, values)):
        keys = list(dict.fromkeys(key for value in values for key in value))
        if len(keys) > 1 and len(keys) <= 60:
            rows = [[display(value.get(key)) for key in keys] for value in values]
            outline.table([[label(key) for key in keys], *rows])
            return
    if all(map(_is_scalar, values)):
        outline.items([f"- {display(value)}" for value in values if display(value)])
        return
    for value in values:
        if isinstance(value, dict):
            outline.record("\n".join(_flattened(value, "")))
        else:
            _place(outline, value, level, cap, warnings)


def _split(value: dict[str, Any]) -> tuple[list[str], list[tuple[str, Any]]]:
    """Scalars and small parts as lines; arrays of objects and big parts for their own blocks."""
    fields: list[str] = []
    nested: list[tuple[str, Any]] = []
    for key, child in value.items():
        if _is_scalar(child):
            if shown := display(child):
                fields.append(f"{label(key)}: {shown}")
        elif isinstance(child, list) and all(map(_is_scalar, child)):
            fields.append(f"{label(key)}: {', '.join(filter(None, map(display, child)))}")
        elif _is_flat(child) and len(child) <= 6:
            fields += _flattened(child, label(key))
        else:
            nested.append((key, child))
    return fields, nested


def _flattened(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        lines = []
        for key, child in value.items():
            lines += _flattened(child, f"{path} {label(key)}".strip())
        return lines
    if isinstance(value, list):
        if all(map(_is_scalar, value)):
            shown = ", ".join(filter(None, map(display, value)))
            return [f"{path}: {shown}"] if shown else []
        return [line for child in value for line in _flattened(child, path)]
    shown = display(value)
    return [f"{path}: {shown}" if path else shown] if shown else []
