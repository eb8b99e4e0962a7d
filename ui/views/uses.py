"""Access for a while, for auditors: who asked, who decided, and every document read with it."""

from __future__ import annotations

import streamlit as st

from ui import components, request, trail
from ui.inquiry import Inquiry, Opened
from ui.text import Speech


def show(mine: Inquiry, say: Speech) -> None:
    """Show all requests; raises `ApiError`."""
    found = mine.glass.all().requests
    if not found:
        components.line("note", [say("Nobody has asked for access for a while yet.")])
        return
    components.line(
        "quiet", [say.plural("{n} request", "{n} requests", len(found)), say("the newest first")]
    )
    known = {one.id: one for one in found}

    def opened(name: str) -> None:
        one = known[name.removeprefix("r")]
        mine.wish = lambda: mine.open_request(one)

    components.show_answer("requests", request.rows_html(say, found), "", opened)


def show_one(mine: Inquiry, say: Speech, opened: Opened) -> None:
    """Show a request with all that the log has of it; raises `ApiError`."""
    st.button(
        say("All requests"),
        key="all-requests",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=mine.close,
    )
    one = opened.request
    components.heading(one.what)
    st.html(request.card_html(say, one, who=True))
    uses = [event for event in opened.events if event.type == trail.USED]
    documents = {str(event.data.get("document_id", "")) for event in uses}
    components.line("over", [say("What the log has of it")])
    words = [
        say.plural(
            "{n} document was read with it", "{n} documents were read with it", len(documents)
        )
        if uses
        else say("nothing was read with it"),
        say("times in UTC"),
    ]
    components.line("outcome", words)

    def looked(name: str) -> None:
        seq = int(name.removeprefix("e"))
        mine.wish = lambda: mine.open(seq)

    body = trail.events_html(say, opened.events, mine.who)
    components.show_answer("request-trail", body, "", looked)
    if opened.next_before is not None:
        st.button(
            say("Show earlier ones"),
            key="more-events",
            icon=":material/expand_more:",
            on_click=mine.wishing(mine.more_of_request),
        )
