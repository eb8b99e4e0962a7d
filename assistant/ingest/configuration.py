"""The configuration of a connector: its fields, and what was given for them, checked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue, SecretStr, ValidationError

from assistant.errors import InvalidRequest, SettingsError
from assistant.ingest.discretion import hide
from connectors import registry
from connectors.contract import Connector, ConnectorError


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a configuration; `kind` is its type in the JSON schema."""

    name: str
    kind: str
    required: bool
    secret: bool
    description: str


def connector_class(name: str) -> type[Connector]:
    """Return an installed connector; raises `InvalidRequest` if it can't be used."""
    try:
        return registry.connector_class(name)
    except ConnectorError as error:
        raise InvalidRequest(str(error)) from error


def fields(config: type[BaseModel]) -> list[Field]:
    """Return the fields in the order of their declaration.

    Raises `SettingsError` if a secret lies deeper than a field: it could not be sealed.
    """
    schema = config.model_json_schema()
    found = [
        Field(
            name,
            _kind(schema["properties"].get(name, {})),
            info.is_required(),
            info.annotation in (SecretStr, SecretStr | None),
            info.description or "",
        )
        for name, info in config.model_fields.items()
    ]
    if _n_secrets(schema) != sum(field.secret for field in found):
        raise SettingsError(
            f"{config.__name__} hides a secret inside a field, where it can't be sealed; its "
            "author must declare each secret as a `SecretStr` field of its own."
        )
    return found


def values(config: type[BaseModel], assignments: Collection[str]) -> dict[str, JsonValue]:
    """Return what `key=value` texts say; a list's key may come several times, or hold JSON."""
    kinds = {field.name: field.kind for field in fields(config)}
    found: dict[str, JsonValue] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise InvalidRequest("`--set` takes a field and its value: --set key=value.")
        value: JsonValue = text
        if kinds.get(key) in {"array", "object"} and text[:1] in {"[", "{"}:
            value = _json(key, text)
        elif kinds.get(key) == "array":
            before = found.get(key, [])
            value = [*(before if isinstance(before, list) else [before]), text]
        found[key] = value
    return found


def checked(
    config: type[BaseModel], given: Mapping[str, JsonValue], secrets: Mapping[str, SecretStr]
) -> dict[str, JsonValue]:
    """Return the values to store, paths absolute and without secrets.

    Raises `InvalidRequest` with a sentence for each field that is unknown, missing or wrong.
    """
    known = {field.name: field for field in fields(config)}
    for name in sorted({*given, *secrets} - set(known)):
        raise InvalidRequest(f"There is no field {name!r}; the fields are: {', '.join(known)}.")
    for name in given:
        if known[name].secret:
            raise InvalidRequest(f"{name!r} is a secret: leave it out and use --secret {name}.")
    for name in secrets:
        if not known[name].secret:
            raise InvalidRequest(f"{name!r} is no secret: use --set {name}=VALUE.")
    try:
        made = config.model_validate({**given, **secrets})
    except ValidationError as error:
        raise InvalidRequest(_advice(error, known, secrets)) from None
    hidden = {name for name, field in known.items() if field.secret}
    stored: dict[str, JsonValue] = made.model_dump(mode="json", exclude_unset=True, exclude=hidden)
    for name in stored:
        if isinstance(path := getattr(made, name), Path):
            stored[name] = str(path.resolve())
    return stored


def problems(error: ValidationError, secrets: Mapping[str, SecretStr]) -> str:
    """Return what is wrong, by field, without any secret."""
    texts = [secret.get_secret_value() for secret in secrets.values()]
    return hide("; ".join(f"{_place(e)}: {e['msg']}" for e in error.errors()), texts)


def _advice(
    error: ValidationError, known: Mapping[str, Field], secrets: Mapping[str, SecretStr]
) -> str:
    missing = [_place(e) for e in error.errors() if e["type"] == "missing"]
    flags = [
        f"--secret {name}" if name in known and known[name].secret else f"--set {name}=VALUE"
        for name in missing
    ]
    if flags:
        return f"Required and missing: {', '.join(missing)}; add {' '.join(flags)}."
    return f"Wrong values: {problems(error, secrets)}. Correct them."


def _place(detail: Any) -> str:
    return ".".join(map(str, detail["loc"])) or "configuration"


def _json(key: str, text: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"The value of {key!r} is not valid JSON; correct it.") from error
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    options = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return str(options[0].get("type", "object")) if options else "object"


def _n_secrets(schema: Any) -> int:
    if isinstance(schema, list):
        return sum(map(_n_secrets, schema))
    if not isinstance(schema, dict):
        return 0
    here = schema.get("format") == "password" and schema.get("writeOnly") is True
    return here + sum(map(_n_secrets, schema.values()))
