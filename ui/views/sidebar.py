"""Beside the chat: who is signed in, and their conversations."""

from __future__ import annotations

import streamlit as st

from ui import session
from ui.model import Head
from ui.safety import label, plain
from ui.session import Visit
from ui.text import Speech
from ui.views import why
from ui.views.sign_in import language_switch

N_SHOWN = 40


def show(visit: Visit, say: Speech) -> None:
    """Show the sidebar."""
    with st.sidebar, st.container(key="side"):
        _top(visit, say)
        st.button(
            say("New chat"),
            icon=":material/edit_square:",
            width="stretch",
            key="new-chat",
            on_click=visit.begin_anew,
        )
        with st.container(key="history", gap=None):
            _history(visit, say)
        why.offer(visit, say)
        _person(visit, say)


def show_places(visit: Visit, say: Speech) -> None:
    """Show the sidebar of a page without conversations."""
    with st.sidebar, st.container(key="side"):
        _top(visit, say)
        with st.container(key="history"):
            st.html("<div></div>")
        _person(visit, say)


def _top(visit: Visit, say: Speech) -> None:
    st.html(f'<div class="brand">{say("Assistant")}</div>')
    if len(visit.places) < 2:
        return
    with st.container(key="places", gap=None):
        for place in visit.places:
            waits = visit.n_waiting if place.url_path == "people" else 0
            label = f"{place.title} ({waits})" if waits else place.title
            st.page_link(place, label=label, query_params={"lang": say.lang}, width="stretch")


def _history(visit: Visit, say: Speech) -> None:
    if not visit.conversations:
        st.html(f'<p class="quiet">{say("Your conversations will be listed here.")}</p>')
        return
    st.html(f'<div class="over">{say("History")}</div>')
    for head in visit.conversations[:N_SHOWN]:
        _entry(visit, say, head)


def _entry(visit: Visit, say: Speech, head: Head) -> None:
    def opened() -> None:
        visit.wanted = head.id

    def deleted() -> None:
        visit.unwanted = head.id

    is_open = head.id == visit.conversation_id
    name = f"entry-{'open-' if is_open else ''}{head.id}"
    with st.container(horizontal=True, gap=None, key=name, vertical_alignment="center", wrap=False):
        st.button(
            label(head.title) or say("Conversation"),
            key=f"open-{head.id}",
            type="tertiary",
            width="stretch",
            on_click=opened,
            wrap=False,
        )
        st.menu_button(
            "",
            [say("Delete")],
            key=f"more-{head.id}",
            type="tertiary",
            icon=":material/more_horiz:",
            help=say("Delete this conversation"),
            on_click=deleted,
        )


def _person(visit: Visit, say: Speech) -> None:
    person = visit.me.person
    details = " · ".join(part for part in (person.title, _company(visit)) if part)
    with st.container(key="person"):
        st.html(f'<div class="who"><b>{plain(person.name)}</b><span>{plain(details)}</span></div>')
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            language_switch(say)
            st.button(say("Sign out"), key="sign-out", type="tertiary", on_click=session.sign_out)


def _company(visit: Visit) -> str:
    """Return the title of the person's company, as their sources or collections name it."""
    name, readable = visit.me.person.company, visit.me.readable
    titles = {one.name: one.title for one in readable.collections}
    titles |= {one.name: one.title for one in readable.sources}
    return titles.get(name, name)
