"""“Why can't I see it?”, for readers, and asking for it: neither tells what they may not know."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from ui import components, missing, problems, request
from ui.break_glass import MAX_WORDS, MIN_REASON, Request
from ui.client import ApiError, SignedOut
from ui.missing import Missing
from ui.people import Invisibility
from ui.session import Visit
from ui.text import Speech


def offer(visit: Visit, say: Speech) -> None:
    """Offer the question, and a look at what was asked for; each opens a dialog."""
    mine = missing.missing(visit)
    st.button(
        say("Why can't I see it?"),
        key="why",
        type="tertiary",
        icon=":material/visibility_off:",
        width="stretch",
        on_click=mine.ask_why,
    )
    if visit.requests.requests:
        st.button(
            request.notice(say, visit.requests),
            key="my-requests",
            type="tertiary",
            icon=":material/hourglass_top:",
            width="stretch",
            on_click=mine.look_at_requests,
        )
    if mine.shown == "why":
        _dialog(say("Why can't I see it?"), mine)(_why)(mine, say)
    elif mine.shown == "requests":
        _dialog(say("Access for a while"), mine)(_requests)(mine, say)


def _dialog(title: str, mine: Missing) -> Callable[..., Callable[..., None]]:
    return st.dialog(title, on_dismiss=mine.close)


def _why(mine: Missing, say: Speech) -> None:
    components.line(
        "note", [say("Name the document that you miss, by its title, address or path.")]
    )
    with st.form("why-form", border=False):
        name = st.text_input(
            say("Document"), key="why-document", max_chars=2000, label_visibility="collapsed"
        )
        sent = st.form_submit_button(say("Look"), key="ask-why", type="primary")
    if sent and name.strip():
        _tried(say, lambda: mine.look(name.strip()))
    if mine.sent is not None:
        _sent(say, mine.sent)
    elif mine.found is not None:
        _told(say, mine.found)
        if not mine.found.visible:
            _asking(mine, say)


def _told(say: Speech, found: Invisibility) -> None:
    if found.visible:
        st.success(say("You can read it: ask about it."), icon=":material/visibility:")
        return
    st.info(
        say("There is no such document here, or it is not shared with you."),
        icon=":material/visibility_off:",
    )
    components.line(
        "note",
        [say("This says the same of both, so that it tells nothing of other people's documents.")],
    )
    titles = ", ".join(one.title for one in found.contacts)
    components.line(
        "quiet",
        [
            say("Ask those who look after: {sources}", sources=titles)
            if titles
            else say("Ask your administrator for access.")
        ],
    )


def _asking(mine: Missing, say: Speech) -> None:
    """Show the form that asks for what was not found, whether there is such a thing or not."""
    with st.form("ask-access", border=True):
        components.line("over", [say("Needed now? Ask for access for a while")])
        reason = st.text_area(
            say("Why you need it"),
            key="access-reason",
            max_chars=MAX_WORDS,
            height=90,
            placeholder=say("For whoever approves it, and for auditors."),
        )
        hours = st.selectbox(
            say("For how long, from the approval on"),
            list(range(1, mine.visit.requests.max_hours + 1)),
            format_func=lambda n: say.exactly(n * 3600),
            key="access-hours",
        )
        sent = st.form_submit_button(
            say("Ask for it"), key="ask-access-button", icon=":material/lock_open_right:"
        )
    if not sent:
        return
    if len(reason.strip()) < MIN_REASON:
        st.error(say("Say why in a few words more: a second person decides by it."))
    elif _tried(say, lambda: mine.ask(reason.strip(), int(hours))):
        st.rerun()


def _sent(say: Speech, sent: Request) -> None:
    st.success(
        say("Asked. An administrator decides; the answer shows in the sidebar."),
        icon=":material/hourglass_top:",
    )
    st.html(request.card_html(say, sent, who=False))


def _requests(mine: Missing, say: Speech) -> None:
    """Show what somebody asked for; what waits is withdrawn here, what is open ended."""
    for one in mine.visit.requests.requests[:20]:
        with st.container(border=True, key=f"request-{one.id}", gap="small"):
            st.html(request.card_html(say, one, who=False))
            if one.state not in {"asked", "active"}:
                continue
            words = say("Withdraw") if one.state == "asked" else say("End it now")
            if st.button(words, key=f"end-{one.id}") and _tried(say, partial(mine.end, one.id)):
                st.rerun()


def _tried(say: Speech, act: Callable[[], object]) -> bool:
    """Do something; if that fails, say why and return False."""
    try:
        act()
    except SignedOut:
        st.rerun()
    except ApiError as error:
        st.error(problems.sentence(say, error))
        return False
    return True
