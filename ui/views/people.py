"""The page of people and access: everybody, groups, API keys, and who may read what."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import components, naming, rights, roster
from ui.roster import SECTIONS, Roster
from ui.session import Visit
from ui.text import LANGS, Speech, mark
from ui.views import explorer, frame, keys, person, requests, roles

_NAMES = {
    "people": mark("People"),
    "groups": mark("Groups"),
    "keys": mark("API keys"),
    "access": mark("Who may read what"),
    "requests": mark("Access for a while"),
}


def show(visit: Visit, say: Speech) -> None:
    """Show the page of those who look after people and access; raises `SignedOut`."""
    mine = roster.roster(visit)
    frame.show(visit, say, mine, lambda: _page(visit, mine, say), gone=lambda: mine.open(""))


def _page(visit: Visit, mine: Roster, say: Speech) -> None:
    if mine.is_adding:
        _addition(mine, say)
    elif mine.opened:
        person.show(visit, mine, say, mine.people.one(mine.opened))
    elif mine.group:
        _group(mine, say)
    else:
        _sections(visit, mine, say)


def _sections(visit: Visit, mine: Roster, say: Speech) -> None:
    asked = mine.glass.all()
    waits = asked.n_waiting_for(visit.me.person.id)
    if waits != visit.n_waiting:
        visit.n_waiting = waits
        st.rerun()  # the sidebar says how many, and is drawn before
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        components.heading(say("People and access"))
        st.button(
            say("Add somebody"),
            key="add-person",
            type="primary",
            icon=":material/person_add:",
            on_click=mine.begin,
        )
    chosen = st.segmented_control(
        say("Sections"),
        SECTIONS,
        format_func=lambda section: _name(say, section, waits),
        default="people",
        required=True,
        key="people-section",
        label_visibility="collapsed",
    )
    with st.container(key="section"):
        if chosen == "groups":
            _groups(mine, say)
        elif chosen == "keys":
            keys.show(mine, say)
        elif chosen == "access":
            explorer.show(mine, say)
        elif chosen == "requests":
            requests.show(visit, mine, say, asked)
        else:
            _people(mine, say)


def _name(say: Speech, section: str, n_waiting: int) -> str:
    """Name a section, with how many requests wait there."""
    n = f" ({n_waiting})" if section == "requests" and n_waiting else ""
    return say(_NAMES[section]) + n


def _people(mine: Roster, say: Speech) -> None:
    found = mine.people.all()
    n_off = sum(one.disabled_at is not None for one in found)
    words = [say.plural("{n} account", "{n} accounts", len(found))]
    words += [say.plural("{n} disabled", "{n} disabled", n_off)] if n_off else []
    components.line("quiet", words)

    def opened(name: str) -> None:
        mine.open(name.removeprefix("p"))

    components.show_answer("people-list", rights.people_html(say, found), "", opened)


def _groups(mine: Roster, say: Speech) -> None:
    found = mine.people.groups()
    if not found:
        components.line("note", [say("No source has told of a group yet.")])
        return
    components.line(
        "quiet", [say("Groups come from sources and the identity provider; change them there.")]
    )

    def opened(name: str) -> None:
        mine.open_group(found[int(name.removeprefix("g"))].name)

    components.show_answer("group-list", rights.groups_html(say, found), "", opened)


def _group(mine: Roster, say: Speech) -> None:
    found = mine.people.members(mine.group)
    st.button(
        say("All groups"),
        key="all-groups",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=lambda: mine.open_group(""),
    )
    components.heading(naming.title(mine.group, found.known))
    words = [mine.group, say.plural("{n} member", "{n} members", len(found.members))]
    if (known := found.known.get(mine.group)) is not None:
        words.append(say("told by {origin}", origin=naming.origin(say, known)))
        words += [age] if (age := naming.age(say, known)) else []
    components.line("status-line", words)
    st.html(rights.members_html(say, found))


def _addition(mine: Roster, say: Speech) -> None:
    st.button(
        say("All people"),
        key="all-people",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=lambda: mine.open(""),
    )
    components.heading(say("Add somebody"))
    components.line(
        "note",
        [
            say(
                "They get a password that is shown to you once. Whoever signs in through your "
                "identity provider needs no account here."
            )
        ],
    )
    with st.container(key="addition"), st.form("new-person", border=True):
        login = st.text_input(say("Login"), key="new-login", max_chars=200)
        name = st.text_input(say("Name"), key="new-person-name", max_chars=200)
        company = st.text_input(
            f"{say('Company')} ({say('optional')})", key="new-company", max_chars=200
        )
        chosen = roles.pick(say, "new-roles", ["employee"])
        lang = st.radio(
            say("Language"),
            list(LANGS),
            format_func=lambda one: LANGS[one],
            horizontal=True,
            key="new-lang",
        )
        sent = st.form_submit_button(
            say("Add"), key="save-person", type="primary", icon=":material/person_add:"
        )
    if not sent:
        return
    wrong = roles.fault(say, chosen) or ("" if login.strip() else say("Enter a login."))
    if wrong:
        st.error(wrong)
        return
    _add(mine, {"login": login, "name": name, "company": company, "roles": chosen, "lang": lang})


def _add(mine: Roster, new: dict[str, Any]) -> None:
    added = mine.people.add(new)
    mine.added(added.person.login, added.person.id, added.password)
    st.rerun()
