"""Requests of access for a while, for the second person: what waits, what is open, what was."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ui import components, request
from ui.break_glass import MAX_WORDS, Request, Requests
from ui.roster import Roster
from ui.safety import clean
from ui.session import Visit
from ui.text import Speech

N_PAST = 30


def show(visit: Visit, mine: Roster, say: Speech, found: Requests) -> None:
    """Show everybody's requests, those that wait first; raises `ApiError`."""
    components.line(
        "note",
        [
            say(
                "Somebody needs what their sources don't let them read. Nobody approves their own "
                "request; it ends by itself, and auditors see every document read with it."
            )
        ],
    )
    waiting, opened = found.which("asked"), found.which("active")
    if not waiting:
        components.line("note", [say("No request waits.")])
    for one in waiting:
        _waiting(visit, mine, say, one)
    if opened:
        components.line("over", [say("Open now")])
    for one in opened:
        with st.container(border=True, key=f"open-{one.id}", gap="small"):
            st.html(request.card_html(say, one, who=True))
            st.button(
                say("End it now"),
                key=f"end-{one.id}",
                icon=":material/lock:",
                on_click=mine.wishing(partial(mine.glass.end, one.id)),
            )
    past = found.which("ended", "lapsed", "refused")[:N_PAST]
    if past:
        components.line("over", [say("Earlier ones")])
        st.html("".join(request.card_html(say, one, who=True) for one in past))


def _waiting(visit: Visit, mine: Roster, say: Speech, one: Request) -> None:
    with st.container(border=True, key=f"waiting-{one.id}", gap="small"):
        st.html(request.card_html(say, one, who=True))
        if one.person_id == visit.me.person.id:
            own = say("You asked for this yourself: another administrator decides.")
            components.line("note", [own])
        elif mine.request == one.id:
            _deciding(mine, say, one)
        else:
            st.button(
                say("Look at it"),
                key=f"look-{one.id}",
                type="primary",
                on_click=mine.wishing(lambda: mine.look_at(one.id, one.collection)),
            )


def _deciding(mine: Roster, say: Speech, one: Request) -> None:
    chosen = "" if one.collection else _document(mine, say)
    with st.container(horizontal=True, vertical_alignment="bottom", key="deciding"):
        st.button(
            say("Approve for {hours}", hours=say.exactly(one.hours * 3600)),
            key="approve",
            type="primary",
            icon=":material/lock_open_right:",
            disabled=not (chosen or one.collection),
            on_click=mine.wishing(lambda: mine.approve(one.id, chosen)),
        )
        st.text_input(
            f"{say('What to say if you refuse')} ({say('optional')})",
            key="refusal",
            max_chars=MAX_WORDS,
        )
        st.button(
            say("Refuse"),
            key="refuse",
            icon=":material/block:",
            # Read when it is done: what was typed last may come with the click.
            on_click=mine.wishing(lambda: mine.refuse(one.id, st.session_state["refusal"])),
        )


def _document(mine: Roster, say: Speech) -> str:
    """Show which documents may be meant; returns the one that is."""
    if not mine.meant.documents:
        words = say("No document here is called so. Refuse it, and say what you found.")
        st.warning(words, icon=":material/search_off:")
        return ""
    st.html(request.candidates_html(say, mine.meant))
    ids = [one.document_id for one in mine.meant.documents]
    if len(ids) == 1:
        return ids[0]
    chosen = st.selectbox(
        say("Several are called so. Which one is meant?"),
        ids,
        index=None,
        format_func=clean,
        key="meant-document",
        placeholder=say("Choose a document"),
    )
    return str(chosen or "")
