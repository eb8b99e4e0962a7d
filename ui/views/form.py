"""A form made of a connector's JSON schema."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import streamlit as st

from ui import components
from ui.safety import label
from ui.schema import Field, Unfit
from ui.text import Speech

N_OPEN = 6


def show(say: Speech, prefix: str, fields: list[Field]) -> dict[str, Any]:
    """Show the fields, optional ones below where there are many; returns what was typed."""
    typed: dict[str, Any] = {}
    rest = [one for one in fields if not one.required and one.kind != "secret"]
    first = fields if len(fields) <= N_OPEN else [one for one in fields if one not in rest]
    for one in first:
        typed[one.name] = _input(say, prefix, one)
    if len(fields) > N_OPEN:
        with st.expander(say("More settings"), type="compact", key=f"{prefix}-more"):
            for one in rest:
                typed[one.name] = _input(say, prefix, one)
    return typed


def values(
    say: Speech, fields: list[Field], typed: dict[str, Any], secret: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Return the configuration, the secrets, and a sentence for each field that is wrong.

    `secret` names the fields that are secrets, also those of many by name, typed as JSON.
    """
    config: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    wrong: list[str] = []
    for one in fields:
        try:
            value = one.parsed(typed.get(one.name))
        except Unfit as error:
            wrong.append(f"**{label(one.title)}** {say(error.message)}")
            continue
        if value is None:
            continue
        if one.kind == "secret":
            secrets[one.name] = value
        elif one.name in secret:
            secrets[one.name] = json.dumps(value)
        elif value != one.default or one.required:
            config[one.name] = value
    return config, secrets, wrong


def _input(say: Speech, prefix: str, one: Field) -> Any:
    """Show one field; returns what was typed."""
    key = f"{prefix}-{one.name}"
    title = label(one.title) if one.required else f"{label(one.title)} ({say('optional')})"
    about = label(one.about) or None
    match one.kind:
        case "flag":
            return st.checkbox(label(one.title), value=bool(one.default), key=key, help=about)
        case "choice":
            options = list(one.options)
            index = options.index(str(one.default)) if str(one.default) in options else 0
            return st.selectbox(title, options, index=index, key=key, help=about)
        case "secret":
            return st.text_input(
                title, type="password", key=key, help=about, autocomplete="new-password"
            )
        case "lines":
            return _lines(say, key, title, one)
        case "json":
            return _json(say, key, title, one)
    return st.text_input(title, value=one.typed, key=key, help=about)


def _lines(say: Speech, key: str, title: str, one: Field) -> str:
    typed = st.text_area(
        title,
        value=one.typed,
        key=key,
        height=90,
        placeholder=say("one on each line"),
        help=label(one.about) or None,
    )
    return typed or ""


def _json(say: Speech, key: str, title: str, one: Field) -> str:
    typed = st.text_area(
        title,
        value=one.typed,
        key=key,
        height=220 if one.required else 120,
        placeholder=one.example,
        help=label(one.about) or None,
    )
    components.line("hint", [say("JSON, written like the example in the empty field.")])
    return typed or ""
