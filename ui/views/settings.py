"""The settings of a source: changed after a look at what would change, or removed with it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import streamlit as st

from ui import components, problems, schema, standing
from ui.client import ApiError, SignedOut
from ui.desk import Desk
from ui.rights import table_html
from ui.safety import label, plain
from ui.schema import Field
from ui.sources import Kind, Patch, Source, Trial
from ui.text import Speech
from ui.views import addition, form

MAX_SHOWN = 400


def show(mine: Desk, say: Speech, source: Source) -> None:
    """Show the settings as a form, what a change would do, and the way out; raises `ApiError`."""
    kind = next((one for one in mine.sources.kinds() if one.name == source.connector), None)
    if kind is None or kind.problem:
        st.code(json.dumps(source.config, indent=2, ensure_ascii=False), language="json")
    else:
        _form(mine, say, source, kind)
        if mine.edit is not None and mine.edit[0] == source.name:
            _found(mine, say, source, kind)
    _removal(mine, say, source)


def _form(mine: Desk, say: Speech, source: Source, kind: Kind) -> None:
    fields = [_kept(say, one, source) for one in schema.fields(kind.config_schema)]
    # Saved values are those a new form begins with.
    prefix = f"edit-{source.name}-{mine.n_saved}"
    with st.form(prefix, border=True):
        title = st.text_input(
            f"{say('Title')} ({say('optional')})",
            value=source.title,
            key=f"{prefix}-title",
            max_chars=200,
        )
        typed = form.show(say, prefix, [_holding(one, source) for one in fields])
        if kind.secrets:
            components.line(
                "hint",
                [
                    say(
                        "Secrets are never shown. Leave one empty to keep it; who changes where "
                        "it is sent types it again."
                    )
                ],
            )
        public = st.checkbox(
            say("Public: everyone who signs in may read what everyone may read at the source"),
            key=f"{prefix}-public",
        )
        sent = st.form_submit_button(
            say("See what would change"),
            type="primary",
            key="look-at-change",
            icon=":material/difference:",
        )
    if not sent:
        return
    mine.edit = None
    config, secrets, wrong = form.values(say, fields, typed, kind.secrets)
    for sentence in wrong:
        st.error(sentence)
    if wrong:
        return
    named = title.strip()
    patch = Patch(
        _changed(fields, source, config), secrets, named if named != source.title else None
    )
    if patch.is_empty:
        st.info(say("Nothing would change."), icon=":material/check:")
    else:
        _look(mine, say, source, patch, public=public)


def _kept(say: Speech, one: Field, source: Source) -> Field:
    """Return a field; of a secret that is set, one that may stay empty."""
    if not any(name.partition(".")[0] == one.name for name in source.secrets):
        return one
    title = say("{field}: set, type to replace it", field=one.title)
    return dataclasses.replace(one, title=title, required=False)


def _holding(one: Field, source: Source) -> Field:
    """Return a field that begins with what is stored."""
    if one.name in source.config:
        return dataclasses.replace(one, default=source.config[one.name])
    return one


def _changed(fields: list[Field], source: Source, config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that differ from what is stored; None takes one away."""
    before = source.config
    changed = {name: new for name, new in config.items() if before.get(name) != new}
    gone = [
        one.name
        for one in fields
        if one.name in before and one.name not in config and before[one.name] != one.default
    ]
    return changed | dict.fromkeys(gone)


def _look(mine: Desk, say: Speech, source: Source, patch: Patch, *, public: bool) -> None:
    try:
        with st.spinner(say("Looking at the source; nothing is stored …")):
            trial = mine.sources.try_change(source.name, patch, public=public)
    except SignedOut:
        raise
    except ApiError as error:
        st.error(problems.advice(say, error), icon=":material/error:")
    else:
        mine.edit = source.name, patch, trial


def _found(mine: Desk, say: Speech, source: Source, kind: Kind) -> None:
    if mine.edit is None:
        return
    _, patch, trial = mine.edit
    with st.container(border=True, key="change-found"):
        components.line("over", [say("What would change")])
        st.html(_table(say, source, kind, patch, trial))
        if trial.lists_again:
            components.line("note", [say("The next sync lists the whole source again.")])
        if trial.test is not None:
            addition.verdict(say, source.name, trial.test)
            st.html(standing.look_html(say, trial.test))
        if trial.test is None or trial.test.ok:
            st.button(
                say("Save the change"),
                key="save-change",
                type="primary",
                icon=":material/save:",
                on_click=mine.wishing(mine.save),
            )


def _table(say: Speech, source: Source, kind: Kind, patch: Patch, trial: Trial) -> str:
    titles = {one.name: one.title for one in schema.fields(kind.config_schema)}
    changes = [
        (titles.get(one.field, one.field), _words(say, one.before), _words(say, one.after))
        for one in trial.changes
    ]
    changes += [(titles.get(n, n), say("secret"), say("another secret")) for n in trial.secrets]
    if patch.title is not None:
        changes.append((say("Title"), source.title, patch.title or say("as by default")))
    rows = [(f"<b>{plain(name)}</b>", plain(now), plain(then)) for name, now, then in changes]
    return table_html((say("Setting"), say("Now"), say("Then")), rows)


def _words(say: Speech, value: Any) -> str:
    if value is None:
        return say("as by default")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 1] + "…"


def _removal(mine: Desk, say: Speech, source: Source) -> None:
    with st.container(key="removal"), st.form(f"removal-{source.name}", border=True):
        components.line("over", [say("Remove this source")])
        components.line(
            "note",
            [
                say.plural(
                    "Its {n} document leaves with it, at once for everybody who searches.",
                    "Its {n} documents leave with it, at once for everybody who searches.",
                    source.n_documents,
                )
            ],
        )
        typed = st.text_input(
            say("Type {name} to confirm", name=label(source.name)), key="removal-name"
        )
        if st.form_submit_button(
            say("Remove"), key="remove-source", icon=":material/delete_forever:"
        ):
            if typed.strip() == source.name:
                mine.remove(source.name)
                st.rerun()
            st.error(say("That is not the name of this source; nothing was removed."))
