"""The page of auditors: finding events, verifying the log, taking it away; looks are recorded."""

from __future__ import annotations

import streamlit as st

from ui import components, inquiry
from ui.inquiry import SECTIONS, Inquiry
from ui.session import Visit
from ui.text import Speech, mark
from ui.views import account, frame, search, takeaway, uses

_NAMES = {
    "search": mark("Search"),
    "requests": mark("Access for a while"),
    "verify": mark("Verify"),
    "export": mark("Export"),
}


def show(visit: Visit, say: Speech) -> None:
    """Show the page of those who read the audit log; raises `SignedOut`."""
    mine = inquiry.inquiry(visit)
    frame.show(
        visit, say, mine, lambda: _page(mine, say), missing=say("The log has no such event.")
    )


def _page(mine: Inquiry, say: Speech) -> None:
    if mine.account is not None:
        account.show(mine, say, mine.account)
    elif mine.event is not None:
        account.show_event(mine, say, mine.event)
    elif mine.opened is not None:
        uses.show_one(mine, say, mine.opened)
    else:
        _sections(mine, say)


def _sections(mine: Inquiry, say: Speech) -> None:
    components.heading(say("Audit"))
    components.line(
        "status-line recorded", [say("Every look here is recorded in the log, in your name.")]
    )
    chosen = st.segmented_control(
        say("Sections"),
        SECTIONS,
        format_func=lambda section: say(_NAMES[section]),
        default="search",
        required=True,
        key="audit-section",
        label_visibility="collapsed",
    )
    with st.container(key="section"):
        if chosen == "verify":
            takeaway.verify(mine, say)
        elif chosen == "export":
            takeaway.export(mine, say)
        elif chosen == "requests":
            uses.show(mine, say)
        else:
            search.show(mine, say)
