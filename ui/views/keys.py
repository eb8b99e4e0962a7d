"""API keys of people and services: made, shown once, revoked."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from ui import components, rights
from ui.people import Key, Keys
from ui.roster import Roster
from ui.safety import clean
from ui.text import Speech
from ui.views import person

_USUAL = ("own_session", "ask", "read_documents", "own_conversations", "see_receipts")


def show(mine: Roster, say: Speech) -> None:
    """Show all keys, and the form of a new one; raises `ApiError`."""
    found = mine.people.keys()
    person.secret(mine, say)
    good = [one for one in found.keys if _is_good(one)]
    if found.keys:
        st.html(rights.keys_html(say, found.keys))
    else:
        components.line("note", [say("There is no key yet. Programs ask with one.")])
    if good:
        _revoking(mine, say, good)
    with st.expander(say("New key"), icon=":material/key:", key="new-key"):
        _form(mine, say, found)


def _is_good(one: Key) -> bool:
    return one.revoked_at is None and one.expires_at > datetime.now(UTC)


def _revoking(mine: Roster, say: Speech, good: list[Key]) -> None:
    names = {one.id: f"{one.owner} · {one.name or one.id}" for one in good}
    with st.container(horizontal=True, vertical_alignment="bottom", key="revoking"):
        chosen = st.selectbox(
            say("Key to revoke"),
            list(names),
            format_func=lambda one: clean(names[one]),
            key="revoked-key",
        )
        st.button(
            say("Revoke"),
            key="revoke-key",
            icon=":material/key_off:",
            on_click=mine.wishing(lambda: mine.people.revoke_key(str(chosen))),
        )


def _form(mine: Roster, say: Speech, found: Keys) -> None:
    with st.form("new-key-form", border=False):
        kind = st.radio(
            say("Whose key"),
            ("service", "login"),
            format_func=lambda one: (
                say("A service's, added if it is new") if one == "service" else say("A person's")
            ),
            horizontal=True,
            key="key-kind",
        )
        owner = st.text_input(say("Name of the service, or login"), key="key-owner", max_chars=200)
        name = st.text_input(
            f"{say('What it is for')} ({say('optional')})", key="key-name", max_chars=200
        )
        scopes = st.multiselect(
            say("What it may do"),
            list(found.scopes),
            default=[one for one in _USUAL if one in found.scopes],
            key="key-scopes",
            help=say("A key never may more than the roles of its owner."),
        )
        days = st.number_input(
            say("Days until it ends"), min_value=1, max_value=366, value=90, key="key-days"
        )
        sent = st.form_submit_button(say("Make the key"), key="save-key", type="primary")
    if sent:
        added = mine.people.add_key(
            {str(kind): owner.strip(), "name": name, "scopes": scopes, "days": int(days)}
        )
        mine.secret = ("key", added.owner, added.key)
        st.rerun()
