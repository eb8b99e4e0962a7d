"""The frame of every page beside the chat: the click that waits, the places, the page, trouble."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui import problems
from ui.client import ApiError, Gone, SignedOut
from ui.session import Visit
from ui.text import Speech
from ui.views import sidebar
from ui.wish import Wishing


def show(
    visit: Visit,
    say: Speech,
    mine: Wishing,
    page: Callable[[], None],
    *,
    gone: Callable[[], None] | None = None,
    missing: str = "",
) -> None:
    """Show a page; raises `SignedOut`.

    Where the page finds that what it shows is no more, `gone` leaves it. `missing` is what to say
    of a click on something that isn't there, if that is not what is said elsewhere.
    """
    trouble = _settled(visit, mine, say, missing)
    sidebar.show_places(visit, say)
    with st.container(key="desk"):
        if trouble:
            st.error(trouble, icon=":material/error:")
        try:
            page()
        except SignedOut:
            raise
        except ApiError as error:
            if gone is not None and isinstance(error, Gone):
                gone()
                st.rerun()
            st.error(problems.advice(say, error), icon=":material/error:")


def _settled(visit: Visit, mine: Wishing, say: Speech, missing: str) -> str:
    """Do what was clicked; returns a sentence if that failed."""
    try:
        mine.settle()
        visit.refresh()
    except SignedOut:
        raise
    except ApiError as error:
        if missing and isinstance(error, Gone):
            return missing
        return problems.advice(say, error)
    return ""
