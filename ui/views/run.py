"""A run under way: how far it is, and the buttons that pause, resume and cancel it."""

from __future__ import annotations

from contextlib import closing

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import standing
from ui.client import ApiError
from ui.desk import Desk
from ui.sources import Run
from ui.text import Speech

LOOK_S = 10.0
TURN_S = 0.5

_IS_FIRST = "is-first-turn"


def show(mine: Desk, say: Speech, active: Run) -> None:
    """Show a run, and follow it from then on until its state changes.

    The following is a fragment's second turn: as a part of the page's own run, it would leave
    what the page had shown before beside it.
    """
    if active.state == "paused":
        st.html(standing.progress_html(say, active))
        return

    def told() -> None:
        place = st.empty()
        place.html(standing.progress_html(say, active))
        if st.session_state.pop(_IS_FIRST, False):
            return
        try:
            _follow(mine, say, active, place)
        except ApiError:
            st.rerun()

    st.session_state[_IS_FIRST] = True
    st.fragment(told, run_every=TURN_S)()


def _follow(mine: Desk, say: Speech, active: Run, place: DeltaGenerator) -> None:
    """Show a run as it changes; a click ends this."""
    shown = active
    with closing(mine.sources.follow(active.id)) as told:
        for now in told:
            shown = now or shown
            place.html(standing.progress_html(say, shown))
            if shown.state != active.state:
                break  # Other buttons fit now.
    st.rerun()


def steering(mine: Desk, say: Speech, active: Run) -> None:
    """Show the buttons that fit the run's state."""
    steer = mine.sources.steer
    if active.state == "paused":
        st.button(
            say("Resume"),
            key="resume",
            type="primary",
            icon=":material/play_arrow:",
            on_click=mine.wishing(lambda: steer(active.id, "resume")),
        )
    else:
        st.button(
            say("Pause"),
            key="pause",
            icon=":material/pause:",
            disabled=active.wish == "pause",
            on_click=mine.wishing(lambda: steer(active.id, "pause")),
        )
    st.button(
        say("Cancel"),
        key="cancel",
        icon=":material/stop_circle:",
        disabled=active.wish == "cancel",
        help=say("What was stored until then stays."),
        on_click=mine.wishing(lambda: steer(active.id, "cancel")),
    )


def wait(mine: Desk, name: str) -> None:
    """Look now and then whether the schedule has begun a run."""

    def looked() -> None:
        is_first = st.session_state.pop(_IS_FIRST, False)
        if not is_first and _has_begun(mine, name):
            st.rerun()

    st.session_state[_IS_FIRST] = True
    st.fragment(looked, run_every=LOOK_S)()


def _has_begun(mine: Desk, name: str) -> bool:
    """Say whether a source has a run under way; no where the API is silent."""
    try:
        return mine.sources.one(name).active_run is not None
    except ApiError:
        return False
