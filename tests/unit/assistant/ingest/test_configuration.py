"""What is given for a connector's fields is checked, in sentences with the fix."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, Field, JsonValue, SecretStr, field_validator

from assistant.errors import InvalidRequest, SettingsError
from assistant.ingest.configuration import (
    changed,
    checked,
    connector_class,
    fields,
    reach,
    secret_field,
    spread,
    values,
    whole,
)
from connectors import registry
from connectors.contract import Frozen

CANARY = "canary-77c1"


class Share(Frozen):
    host: str = Field(description="the server")
    port: int = 445
    folder: Path = Path("/")
    include: tuple[str, ...] = ()
    password: SecretStr
    token: SecretStr | None = None

    @field_validator("password")
    @classmethod
    def _long(cls, value: SecretStr) -> SecretStr:
        if len(value) < 8:
            raise ValueError(f"{value.get_secret_value()} is too short")
        return value


class Deep(BaseModel):
    logins: list[SecretStr]


class Nested(BaseModel):
    logins: Deep


class Loader(Frozen):
    path: str
    keys: dict[str, SecretStr] = Field(default={})


SECRET = {"password": SecretStr(CANARY)}


def test_fields_are_described() -> None:
    found = {field.name: field for field in fields(Share)}
    assert (found["host"].kind, found["host"].required) == ("string", True)
    assert found["host"].description == "the server"
    assert (found["port"].kind, found["include"].kind) == ("integer", "array")
    assert [name for name, field in found.items() if field.secret] == ["password", "token"]
    for deep in (Deep, Nested):
        with pytest.raises(SettingsError, match="SecretStr"):
            fields(deep)


def test_texts_become_values() -> None:
    given = values(Share, ["host=h=1", "port=9", "include=a", "include=b"])
    assert given == {"host": "h=1", "port": "9", "include": ["a", "b"]}
    stored = checked(Share, {**given, "folder": "docs"}, SECRET)
    assert stored == {
        "host": "h=1",
        "port": 9,
        "include": ["a", "b"],
        "folder": str(Path("docs").resolve()),
    }
    assert values(Share, ['include=["x"]']) == {"include": ["x"]}
    with pytest.raises(InvalidRequest, match="key=value"):
        values(Share, ["host"])
    with pytest.raises(InvalidRequest, match="JSON"):
        values(Share, ["include=["])


@pytest.mark.parametrize(
    ("given", "secrets", "said"),
    [
        ({"hots": "h"}, SECRET, "no field 'hots'; the fields are: host, port"),
        ({}, SECRET, "missing fields: host. Give them."),
        ({"host": "h"}, {}, "missing secrets: password. Give them."),
        ({"host": "h", "port": "many"}, SECRET, "port: "),
        ({"host": "h", "password": CANARY}, {}, "is a secret: give it with the secrets"),
        ({}, {"host": SecretStr(CANARY)}, "is no secret: give it with the other fields"),
        ({"host": "h"}, {"password": SecretStr("zq9")}, "too short"),
    ],
)
def test_wrong_input_is_a_sentence(
    given: dict[str, str], secrets: dict[str, SecretStr], said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(Share, dict(given), secrets)
    assert said in str(caught.value)
    assert not {CANARY, "zq9"} & set(str(caught.value).replace(",", " ").split())


def test_secrets_by_name_are_one_secret_each() -> None:
    known = fields(Loader)
    assert [(field.name, field.secret, field.named) for field in known] == [
        ("path", False, False),
        ("keys", True, True),
    ]
    places = {name: secret_field(name, known) for name in ("keys.a", "keys", "keys.", "path.a")}
    assert [name for name, place in places.items() if place] == ["keys.a"]
    given = spread(Loader, {"keys": SecretStr('{"a": "1", "b": "2"}'), "keys.c": SecretStr("3")})
    assert {name: secret.get_secret_value() for name, secret in given.items()} == {
        "keys.a": "1",
        "keys.b": "2",
        "keys.c": "3",
    }
    assert checked(Loader, {"path": "x"}, given) == {"path": "x"}
    made = Loader.model_validate(whole(Loader, {"path": "x"}, given))
    assert {key: secret.get_secret_value() for key, secret in made.keys.items()} == {
        "a": "1",
        "b": "2",
        "c": "3",
    }
    for wrong in ("{", "[]", '{"a": 1}', CANARY):
        with pytest.raises(InvalidRequest, match=r"each as keys\.NAME") as caught:
            spread(Loader, {"keys": SecretStr(wrong)})
        assert CANARY not in str(caught.value)
    with pytest.raises(InvalidRequest, match=r"'path\.a' is no secret"):
        checked(Loader, {"path": "x"}, {"path.a": SecretStr("1")})
    with pytest.raises(InvalidRequest, match="no field 'other'"):
        checked(Loader, {"path": "x"}, {"other.a": SecretStr("1")})


def test_an_unknown_connector_is_named() -> None:
    with pytest.raises(InvalidRequest, match="no connector 'nope'; installed are: "):
        connector_class("nope")


def test_what_changed_counts_defaults_as_they_are() -> None:
    before: dict[str, JsonValue] = {"host": "a", "port": 445, "old": 1}
    assert changed(Share, before, {"host": "a", "include": []}) == ["old"]
    assert changed(Share, before, {"host": "b", "port": 446}) == ["host", "port", "old"]


def test_secrets_reach_wherever_a_connector_does_not_say() -> None:
    class Narrow(Share):
        reach: ClassVar[frozenset[str]] = frozenset({"host", "port"})

    assert reach(Share) == ["host", "port", "folder", "include"]
    assert reach(Narrow) == ["host", "port"]


@pytest.mark.parametrize("name", registry.names())
def test_every_connector_with_secrets_says_where_they_go(name: str) -> None:
    config = connector_class(name).Config
    declared = getattr(config, "reach", None)
    if any(field.secret for field in fields(config)):
        assert declared
        assert set(reach(config)) == declared
    else:
        assert declared is None
