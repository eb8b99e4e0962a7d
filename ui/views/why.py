"""“Why can't I see it?”, for readers: an answer that says nothing of what they may not know of."""

from __future__ import annotations

import streamlit as st

from ui import components, problems
from ui.client import ApiError, SignedOut
from ui.people import Invisibility, People
from ui.session import Visit
from ui.text import Speech


def offer(visit: Visit, say: Speech) -> None:
    """Offer the question; it is answered in a dialog."""
    if st.button(
        say("Why can't I see it?"),
        key="why",
        type="tertiary",
        icon=":material/visibility_off:",
        width="stretch",
    ):
        st.dialog(say("Why can't I see it?"))(_asked)(visit, say)


def _asked(visit: Visit, say: Speech) -> None:
    components.line(
        "note", [say("Name the document that you miss, by its title, address or path.")]
    )
    with st.form("why-form", border=False):
        name = st.text_input(
            say("Document"), key="why-document", max_chars=2000, label_visibility="collapsed"
        )
        sent = st.form_submit_button(say("Look"), key="ask-why", type="primary")
    if not sent or not name.strip():
        return
    try:
        found = People(visit.client).why(name.strip())
    except SignedOut:
        st.rerun()
    except ApiError as error:
        st.error(problems.sentence(say, error))
    else:
        _told(say, found)


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
