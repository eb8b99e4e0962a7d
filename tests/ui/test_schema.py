"""Forms from schemas: those of the installed connectors, and what is typed into them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from assistant.errors import AssistantError
from assistant.ingest import configuration
from connectors import registry
from ui.schema import Field, Unfit, fields


class Part(BaseModel):
    name: str
    size: int = 0


class Config(BaseModel):
    url: str
    parts: list[Part]
    port: int | None = None
    share: float = 2.5
    tags: list[str] = ["a", "b"]
    numbers: list[int] = []
    extra: dict[str, str] = {}
    is_on: bool = True
    token: SecretStr | None = None


FIELDS = {one.name: one for one in fields(Config.model_json_schema())}


def test_each_type_is_typed_in_its_own_way() -> None:
    assert {name: one.kind for name, one in FIELDS.items()} == {
        "url": "text",
        "parts": "json",
        "port": "number",
        "share": "number",
        "tags": "lines",
        "numbers": "lines",
        "extra": "json",
        "is_on": "flag",
        "token": "secret",
    }
    assert list(FIELDS)[:2] == ["url", "parts"]
    assert '"name": "…"' in FIELDS["parts"].example


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("url", " https://x ", "https://x"),
        ("parts", '[{"name": "a"}]', [{"name": "a"}]),
        ("port", "443", 443),
        ("port", "", None),
        ("share", "0.5", 0.5),
        ("tags", "x\n\n y ", ["x", "y"]),
        ("tags", "", []),
        ("numbers", "1\n2", [1, 2]),
        ("numbers", "", None),
        ("is_on", False, False),
        ("token", " kept as typed ", " kept as typed "),
        ("token", "", None),
    ],
)
def test_what_is_typed_becomes_a_value(name: str, typed: Any, value: Any) -> None:
    assert FIELDS[name].parsed(typed) == value


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("url", "  "),
        ("parts", "[{]"),
        ("parts", "{}"),
        ("extra", "[]"),
        ("port", "4.5"),
        ("share", "half"),
        ("numbers", "1\ntwo"),
    ],
)
def test_what_does_not_fit_is_said(name: str, typed: str) -> None:
    with pytest.raises(Unfit) as said:
        FIELDS[name].parsed(typed)
    assert said.value.message


def installed() -> list[tuple[str, list[Field], type[BaseModel]]]:
    found = []
    for name in registry.names():
        try:
            config = configuration.connector_class(name).Config
            configuration.fields(config)
        except AssistantError:
            continue
        found.append((name, fields(config.model_json_schema()), config))
    return found


@pytest.mark.parametrize(("name", "form", "config"), installed())
def test_every_installed_connector_has_a_form(
    name: str, form: list[Field], config: type[BaseModel]
) -> None:
    secrets = {field.name for field in configuration.fields(config) if field.secret}
    # Secrets with names of their own are written as JSON.
    named = {field.name for field in form if field.kind == "json" and field.name in secrets}
    assert {field.name for field in form if field.kind == "secret"} | named == secrets, name
    assert named == ({"secrets"} if name == "langchain" else set())
    assert {field.name for field in form} == set(config.model_fields)
    for field in form:
        if not field.required and field.kind in {"lines", "number", "json", "text"}:
            # What stands in an untouched field means the default.
            assert field.parsed(field.typed) in (None, field.default), field
