"""The page of holds, erasures and retention: auditors hold, administrators erase and forget."""

from __future__ import annotations

import streamlit as st

from ui import components, life, trail
from ui.life import Custody, Plan
from ui.session import Visit
from ui.text import Speech, mark
from ui.views import erasures, frame, holds

SECTIONS = {
    "holds": mark("Legal holds"),
    "erasures": mark("Erasures"),
    "retention": mark("Retention"),
}


def show(visit: Visit, say: Speech) -> None:
    """Show the page of those who answer for what is kept; raises `SignedOut`."""
    mine = life.custody(visit)
    frame.show(visit, say, mine, lambda: _page(visit, mine, say))


def _page(visit: Visit, mine: Custody, say: Speech) -> None:
    person = visit.me.person
    components.heading(say("Kept and erased"))
    components.line(
        "status-line",
        [say("Auditors hold and release; administrators erase and forget. Neither does both.")],
    )
    chosen = st.segmented_control(
        say("Sections"),
        list(SECTIONS),
        format_func=lambda section: say(SECTIONS[section]),
        default="holds",
        required=True,
        key="life-section",
        label_visibility="collapsed",
    )
    with st.container(key="section"):
        if chosen == "erasures":
            erasures.show(mine, say, may_erase=person.administers)
        elif chosen == "retention":
            _retention(mine, say, may_run=person.administers)
        else:
            holds.show(mine, say, may_hold=person.audits)


def _retention(mine: Custody, say: Speech, *, may_run: bool) -> None:
    plan = mine.life.plan()
    components.line(
        "note",
        [
            say(
                "Questions in the log, and conversations, can be read for {n} months. Then their "
                "keys are deleted: every event and every proof stays, and nobody reads them.",
                n=plan.kept_months,
            )
        ],
    )
    st.html(
        trail.grid_html(
            [
                (say("Kept from"), plan.before),
                (say("Keys to delete"), say.number(plan.n_keys)),
                (say("Messages to delete"), say.number(plan.n_messages)),
                (say("Keys that holds keep"), say.number(plan.n_held)),
            ]
        )
    )
    if plan.on_hold:
        st.warning(
            say("A legal hold on everything keeps all; nothing is forgotten."),
            icon=":material/gavel:",
        )
    if mine.done is not None:
        _done(say, mine.done)
    if may_run:
        st.button(
            say("Forget what is older"),
            key="run-retention",
            type="primary",
            icon=":material/auto_delete:",
            disabled=plan.on_hold or not (plan.n_keys or plan.n_messages),
            on_click=mine.wishing(mine.forget),
        )


def _done(say: Speech, done: Plan) -> None:
    st.success(
        say(
            "Forgotten: {keys} keys, {messages} messages.",
            keys=done.n_keys,
            messages=done.n_messages,
        ),
        icon=":material/check:",
    )
    for file in done.keys_files_not_renewed:
        st.warning(components.sentences([say("Delete every copy of {file}.", file=file)]))
