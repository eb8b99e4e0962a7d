"""The fields of a form, from the JSON schema of a connector's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ui.text import mark

Input = Literal["text", "secret", "flag", "choice", "number", "lines", "json"]


class Unfit(Exception):
    """What was typed doesn't fit its field; `message` can be translated."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `kind` says how it is typed in, `item` is the JSON type of a value or of a line."""

    name: str
    title: str
    about: str
    kind: Input
    item: str
    required: bool
    default: Any = None
    options: tuple[str, ...] = ()
    example: str = ""

    @property
    def typed(self) -> str:
        """Return the default as it would be typed in."""
        if self.default is None or self.kind in {"flag", "choice", "secret"}:
            return ""
        if self.kind == "lines":
            return "\n".join(map(str, self.default))
        if self.kind == "json":
            return json.dumps(self.default, indent=2, ensure_ascii=False) if self.default else ""
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    def parsed(self, typed: Any) -> Any:
        """Return the value of what was typed in; None where the field is to be left out.

        Raises `Unfit`.
        """
        if self.kind == "flag":
            return bool(typed)
        text = str(typed or "")
        text = text if self.kind == "secret" else text.strip()
        if not text:
            if self.required:
                raise Unfit(mark("This is required."))
            return self._emptied()
        if self.kind == "number":
            return _number(text, self.item)
        if self.kind == "lines":
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            return [_number(line, self.item) for line in lines] if _counts(self.item) else lines
        return _json(text, self.item) if self.kind == "json" else text

    def _emptied(self) -> Any:
        """Return the value of a field that was emptied: nothing, unless its default is more."""
        if self.kind == "text" and self.default:
            return ""
        return [] if self.kind == "lines" and self.default else None


def fields(schema: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a schema, the required ones first."""
    required = schema.get("required", ())
    found = [
        _field(name, _resolved(part, schema), name in required, schema)
        for name, part in schema.get("properties", {}).items()
    ]
    return sorted(found, key=lambda field: not field.required)


def _field(name: str, part: Mapping[str, Any], required: bool, schema: Mapping[str, Any]) -> Field:
    kind, item = _kind(part, schema)
    return Field(
        name=name,
        title=str(part.get("title") or name),
        about=str(part.get("description", "")),
        kind=kind,
        item=item,
        required=required,
        default=part.get("default"),
        options=tuple(map(str, part.get("enum", ()))),
        example=_example(part, schema) if kind == "json" else "",
    )


def _kind(part: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Input, str]:
    kind = str(part.get("type", "object"))
    if part.get("writeOnly"):
        return "secret", "string"
    if "enum" in part:
        return "choice", "string"
    if kind == "boolean":
        return "flag", kind
    if _counts(kind):
        return "number", kind
    if kind == "array":
        item = str(_resolved(part.get("items", {}), schema).get("type", "object"))
        return ("json", kind) if item in {"object", "array"} else ("lines", item)
    return ("text", kind) if kind == "string" else ("json", kind)


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part with its reference followed and its `null` left out."""
    options = part.get("anyOf") or part.get("oneOf") or part.get("allOf")
    if options:
        chosen = [one for one in options if one.get("type") != "null"]
        inner = _resolved(chosen[0], schema) if chosen else {}
        return {**inner, **{key: value for key, value in part.items() if key not in _COMBINED}}
    if "$ref" in part:
        named = schema.get("$defs", {}).get(str(part["$ref"]).rpartition("/")[2], {})
        return {**_resolved(named, schema), **{k: v for k, v in part.items() if k != "$ref"}}
    return dict(part)


_COMBINED = ("anyOf", "oneOf", "allOf")


def _example(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    return json.dumps(_shape(part, schema), indent=2, ensure_ascii=False)


def _shape(part: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value that shows which fields a nested part has to have."""
    part = _resolved(part, schema)
    if part.get("type") == "array":
        return [_shape(part.get("items", {}), schema, depth + 1)] if depth < 4 else []
    if part.get("type") == "object" or "properties" in part:
        required: Sequence[str] = part.get("required", ())
        properties: Mapping[str, Any] = part.get("properties", {})
        return {name: _shape(properties[name], schema, depth + 1) for name in required}
    return {"integer": 0, "number": 0, "boolean": False}.get(str(part.get("type")), "…")


def _counts(item: str) -> bool:
    return item in {"integer", "number"}


def _number(text: str, item: str) -> int | float:
    try:
        return int(text) if item == "integer" else float(text)
    except ValueError:
        raise Unfit(
            mark("Whole numbers only, such as 12.")
            if item == "integer"
            else mark("Numbers only, such as 2.5.")
        ) from None


def _json(text: str, item: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        raise Unfit(mark("This is not valid JSON. Write it like the example.")) from None
    if item == "array" and not isinstance(found, list):
        raise Unfit(mark("A list is needed, in square brackets."))
    if item == "object" and not isinstance(found, dict):
        raise Unfit(mark("An object is needed, in curly brackets."))
    return found
