"""Adding a source: its form, a test that says who could read it, and only then the source."""

from __future__ import annotations

import re

import streamlit as st

from ui import components, problems, schema, standing
from ui.client import ApiError, SignedOut
from ui.desk import Desk
from ui.safety import clean, label
from ui.sources import Draft, Kind, Look
from ui.text import Speech
from ui.views import form

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def show(mine: Desk, say: Speech) -> None:
    """Show the form, and what its test found; raises `ApiError`."""
    st.button(
        say("All sources"),
        key="all-sources",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=lambda: mine.open(""),
    )
    components.heading(say("Add a source"))
    kinds = {one.name: one for one in mine.sources.kinds() if not one.problem}

    def named(name: str) -> str:
        return clean(f"{name} — {kinds[name].about}" if kinds[name].about else name)

    with st.container(key="addition"):
        chosen = st.selectbox(
            say("Kind of source"), list(kinds), format_func=named, key="kind", index=_usual(kinds)
        )
        if chosen is not None:
            _form(mine, say, kinds[chosen])
        if mine.draft is not None:
            _found(mine, say, *mine.draft)


def _usual(kinds: dict[str, Kind]) -> int:
    return list(kinds).index("files") if "files" in kinds else 0


def _form(mine: Desk, say: Speech, kind: Kind) -> None:
    fields = schema.fields(kind.config_schema)
    with st.form(f"new-{kind.name}", border=True):
        name = st.text_input(
            say("Name"), key="new-name", max_chars=64, help=say("a-z, 0-9, - and _; it stays")
        )
        title = st.text_input(f"{say('Title')} ({say('optional')})", key="new-title", max_chars=200)
        typed = form.show(say, f"new-{kind.name}", fields)
        public = st.checkbox(
            say("Public: everyone who signs in may read what everyone may read at the source"),
            key="new-public",
        )
        tested = st.form_submit_button(
            say("Test"), type="primary", key="test-source", icon=":material/network_check:"
        )
    if not tested:
        return
    mine.draft = None
    config, secrets, wrong = form.values(say, fields, typed, kind.secrets)
    if not _NAME.fullmatch(name.strip()):
        wrong.insert(0, f"**{say('Name')}** {say('Use a-z, 0-9, - and _, at most 64.')}")
    for sentence in wrong:
        st.error(sentence)
    if not wrong:
        draft = Draft(name.strip(), kind.name, config, secrets, title.strip())
        _test(mine, say, draft, public=public)


def _test(mine: Desk, say: Speech, draft: Draft, *, public: bool) -> None:
    try:
        with st.spinner(say("Looking at the source; nothing is stored …")):
            mine.draft = draft, mine.sources.test(draft, public=public)
    except SignedOut:
        raise
    except ApiError as error:
        st.error(problems.advice(say, error), icon=":material/error:")


def _found(mine: Desk, say: Speech, draft: Draft, look: Look) -> None:
    with st.container(border=True, key="tested"):
        verdict(say, draft.name, look)
        st.html(standing.look_html(say, look))
        if look.ok:
            if "nobody" in look.readers:
                components.line("note", [say("What nobody may read is kept, and found by nobody.")])
            st.button(
                say("Add this source"),
                key="save-source",
                type="primary",
                icon=":material/add:",
                on_click=mine.wishing(mine.add),
            )


def verdict(say: Speech, name: str, look: Look) -> None:
    """Say whether a source that was looked at can be used as it is."""
    if look.ok:
        st.success(say("{name} can be used.", name=label(name)), icon=":material/check:")
    elif "everyone" in look.readers:
        st.error(
            say(
                "Refused: everyone could read {n} items. Restrict them at the source, or tick "
                "“Public” and test again.",
                n=look.readers["everyone"],
            ),
            icon=":material/lock_open:",
        )
    else:
        st.error(label(look.problem), icon=":material/error:")
