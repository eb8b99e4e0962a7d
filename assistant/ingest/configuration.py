"""The configuration of a connector: its fields, and what was given for them, checked."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue, SecretStr, ValidationError
from pydantic_core import to_jsonable_python

from assistant.errors import InvalidRequest, SettingsError
from assistant.ingest.discretion import hide
from connectors import registry
from connectors.contract import Connector, ConnectorError

_NAMED = dict[str, SecretStr]
"""The type of a field that holds secrets by name."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a configuration; `kind` is its type in the JSON schema.

    A secret field that is `named` holds any number of secrets by name (`dict[str, SecretStr]`):
    each is given, sealed and shown as set by itself, as `FIELD.NAME`.
    """

    name: str
    kind: str
    required: bool
    secret: bool
    named: bool
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
            info.annotation in (SecretStr, SecretStr | None, _NAMED),
            info.annotation == _NAMED,
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


def reach(config: type[BaseModel]) -> list[str]:
    """Return the fields that say where secrets are sent: all where the connector names none."""
    declared = getattr(config, "reach", None)
    plain = [field.name for field in fields(config) if not field.secret]
    return [name for name in plain if declared is None or name in declared]


def changed(
    config: type[BaseModel], before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> list[str]:
    """Return the fields that differ between two stored configurations, defaults filled in."""
    plain = [field.name for field in fields(config) if not field.secret]
    known = [*plain, *(name for name in before if name not in plain)]
    return [name for name in known if value(config, before, name) != value(config, after, name)]


def value(config: type[BaseModel], stored: Mapping[str, JsonValue], name: str) -> JsonValue:
    """Return a field of a stored configuration, or its default."""
    info = config.model_fields.get(name)
    if name in stored or info is None or info.is_required():
        return stored.get(name)
    default: JsonValue = to_jsonable_python(info.get_default(call_default_factory=True))
    return default


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


def spread(config: type[BaseModel], secrets: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    """Return secrets with those that a JSON object holds by themselves, as `FIELD.NAME`.

    Raises `InvalidRequest` if a field of named secrets holds anything else.
    """
    named = {field.name for field in fields(config) if field.named}
    found: dict[str, SecretStr] = {}
    for name, secret in secrets.items():
        if name not in named:
            found[name] = secret
            continue
        try:
            inner = json.loads(secret.get_secret_value())
        except ValueError:
            inner = None
        if not isinstance(inner, dict) or not all(isinstance(v, str) for v in inner.values()):
            raise InvalidRequest(
                f"{name!r} holds secrets by name: give each as {name}.NAME, or all as a JSON "
                "object of texts."
            )
        found |= {f"{name}.{key}": SecretStr(value) for key, value in inner.items()}
    return found


def whole(
    config: type[BaseModel], given: Mapping[str, JsonValue], secrets: Mapping[str, SecretStr]
) -> dict[str, Any]:
    """Return what a configuration is made from: its fields, and secrets in their places."""
    named = {field.name for field in fields(config) if field.named}
    found: dict[str, Any] = {**given}
    for name, secret in secrets.items():
        field, _, key = name.partition(".")
        if field in named:
            found[field] = {**found.get(field, {}), key: secret}
        else:
            found[name] = secret
    return found


def checked(
    config: type[BaseModel], given: Mapping[str, JsonValue], secrets: Mapping[str, SecretStr]
) -> dict[str, JsonValue]:
    """Return the values to store, paths absolute and without secrets.

    Raises `InvalidRequest` with a sentence for each field that is unknown, missing or wrong.
    """
    known = {field.name: field for field in fields(config)}
    places = {name: secret_field(name, known.values()) for name in secrets}
    unknown = {*given, *(name.partition(".")[0] for name in secrets)} - set(known)
    for name in sorted(unknown):
        raise InvalidRequest(f"There is no field {name!r}; the fields are: {', '.join(known)}.")
    for name in given:
        if known[name].secret:
            raise InvalidRequest(f"{name!r} is a secret: give it with the secrets.")
    for name, place in places.items():
        if place is None:
            raise InvalidRequest(f"{name!r} is no secret: give it with the other fields.")
    try:
        made = config.model_validate(whole(config, given, secrets))
    except ValidationError as error:
        raise InvalidRequest(_advice(error, known, secrets)) from None
    hidden = {name for name, field in known.items() if field.secret}
    stored: dict[str, JsonValue] = made.model_dump(mode="json", exclude_unset=True, exclude=hidden)
    for name in stored:
        if isinstance(path := getattr(made, name), Path):
            stored[name] = str(path.resolve())
    return stored


def secret_field(name: str, known: Iterable[Field]) -> Field | None:
    """Return the field that a secret belongs to: its own, or one of named secrets."""
    field, dot, key = name.partition(".")
    secret = {one.name: one for one in known if one.secret}
    place = secret.get(field)
    if place is None or place.named != bool(dot and key):
        return None
    return place


def problems(error: ValidationError, secrets: Mapping[str, SecretStr]) -> str:
    """Return what is wrong, by field, without any secret."""
    texts = [secret.get_secret_value() for secret in secrets.values()]
    return hide("; ".join(f"{_place(e)}: {e['msg']}" for e in error.errors()), texts)


def _advice(
    error: ValidationError, known: Mapping[str, Field], secrets: Mapping[str, SecretStr]
) -> str:
    missing = [_place(e) for e in error.errors() if e["type"] == "missing"]
    if not missing:
        return f"Wrong values: {problems(error, secrets)}. Correct them."
    secret = [name for name in missing if name in known and known[name].secret]
    plain = [name for name in missing if name not in secret]
    groups = [("fields", plain), ("secrets", secret)]
    told = "; ".join(f"{what}: {', '.join(names)}" for what, names in groups if names)
    return f"Required and missing {told}. Give them."


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
