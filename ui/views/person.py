"""One person: roles, groups, keys and sessions, and what ends them."""

from __future__ import annotations

import streamlit as st

from ui import components, rights, standing
from ui.people import Account, Detail
from ui.roster import Roster
from ui.safety import label
from ui.session import Visit
from ui.text import Speech
from ui.views import roles


def show(visit: Visit, mine: Roster, say: Speech, detail: Detail) -> None:
    """Show a person; raises `ApiError`."""
    one = detail.person
    st.button(
        say("All people"),
        key="all-people",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=lambda: mine.open(""),
    )
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        components.heading(one.name)
        st.html(standing.chip_html(*rights.state(say, one)), width="content")
    components.line("status-line", rights.facts(say, one))
    secret(mine, say)
    if visit.me.person.id == one.id:
        note = say("This is your own account: another administrator changes it.")
        components.line("note", [note])
    else:
        _actions(mine, say, one)
        _roles(mine, say, one)
    components.line("over", [say("Groups")])
    if detail.groups:
        st.html(rights.held_html(say, detail.groups, detail.known))
    else:
        components.line("note", [say("In no group.")])
    if detail.keys:
        components.line("over", [say("API keys")])
        st.html(rights.keys_html(say, detail.keys))


def secret(mine: Roster, say: Speech) -> None:
    """Show a password or key that was just made; it can't be shown again."""
    if mine.secret is None:
        return
    kind, owner, text = mine.secret
    with st.container(border=True, key="secret", gap="small"):
        about = (
            say("The password of {login}. It is shown this once: hand it over now.", login=owner)
            if kind == "password"
            else say("The key of {login}. It is shown this once: keep it now.", login=owner)
        )
        components.line("cause", [about])
        st.code(text, language=None)


def _actions(mine: Roster, say: Speech, one: Account) -> None:
    people = mine.people
    with st.container(horizontal=True, key="actions", vertical_alignment="center"):
        if one.disabled_at is None:
            st.button(
                say("Disable"),
                key="disable",
                icon=":material/block:",
                help=say("Ends sessions, tokens, keys and answers under way, within a second."),
                on_click=mine.wishing(lambda: people.disable(one.id)),
            )
        else:
            st.button(
                say("Enable"),
                key="enable",
                type="primary",
                icon=":material/check:",
                on_click=mine.wishing(lambda: people.enable(one.id)),
            )
        if not one.is_service:
            st.button(
                say("Sign out everywhere"),
                key="end-sessions",
                icon=":material/logout:",
                on_click=mine.wishing(lambda: people.end_sessions(one.id)),
            )
        if one.has_password:
            st.button(
                say("New password"),
                key="new-password",
                icon=":material/password:",
                on_click=mine.wishing(lambda: mine.replace_password(one.login, one.id)),
            )


def _roles(mine: Roster, say: Speech, one: Account) -> None:
    with st.form(f"roles-{one.id}", border=True):
        chosen = roles.pick(say, f"roles-of-{one.id}", list(one.roles))
        sent = st.form_submit_button(say("Save the roles"), key="save-roles")
    if not sent:
        return
    if wrong := roles.fault(say, chosen):
        st.error(wrong)
        return
    mine.people.set_roles(one.id, chosen)
    st.toast(say("{name} has these roles from the next click on.", name=label(one.name)))
    st.rerun()
