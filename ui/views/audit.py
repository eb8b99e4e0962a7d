"""The page of auditors: finding events, verifying the log, taking it away; looks are recorded."""

from __future__ import annotations

import streamlit as st

from ui import components, inquiry, problems
from ui.client import ApiError, Gone, SignedOut
from ui.inquiry import SECTIONS, Inquiry
from ui.session import Visit
from ui.text import Speech, mark
from ui.views import account, search, sidebar, takeaway

_NAMES = {
    "search": mark("Search"),
    "verify": mark("Verify"),
    "export": mark("Export"),
}


def show(visit: Visit, say: Speech) -> None:
    """Show the page of those who read the audit log; raises `SignedOut`."""
    mine = inquiry.inquiry(visit)
    trouble = settled(mine, say)
    sidebar.show_places(visit, say)
    with st.container(key="desk"):
        if trouble:
            st.error(trouble, icon=":material/error:")
        try:
            _page(mine, say)
        except SignedOut:
            raise
        except ApiError as error:
            st.error(problems.advice(say, error), icon=":material/error:")


def settled(mine: Inquiry, say: Speech) -> str:
    """Do what was clicked; returns a sentence if that failed."""
    try:
        mine.settle()
    except SignedOut:
        raise
    except Gone:
        return say("The log has no such event.")
    except ApiError as error:
        return problems.advice(say, error)
    return ""


def _page(mine: Inquiry, say: Speech) -> None:
    if mine.account is not None:
        account.show(mine, say, mine.account)
    elif mine.event is not None:
        account.show_event(mine, say, mine.event)
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
        else:
            search.show(mine, say)
