"""Legal holds: placed and released by auditors, seen by administrators."""

from __future__ import annotations

import streamlit as st

from ui import components
from ui.life import KINDS, Custody, Hold
from ui.rights import table_html
from ui.safety import clean, plain
from ui.standing import chip_html
from ui.text import Speech, mark

NAMES = {
    "subject": mark("A person"),
    "document": mark("A document"),
    "collection": mark("A collection"),
    "everything": mark("Everything"),
}


def show(mine: Custody, say: Speech, *, may_hold: bool) -> None:
    """Show the holds, and to those who may the form of a new one; raises `ApiError`."""
    found = mine.life.holds()
    components.line(
        "note", [say("What is on hold is neither erased nor forgotten until it is released.")]
    )
    if found:
        st.html(_table(say, found))
    else:
        components.line("note", [say("Nothing is on hold.")])
    if may_hold:
        _releasing(mine, say, [one for one in found if one.released_at is None])
        _placing(mine, say)


def _table(say: Speech, found: list[Hold]) -> str:
    rows = []
    for one in found:
        tone = (
            ("late", say("in force since {day}", day=say.day(one.created_at)))
            if one.released_at is None
            else ("new", say("released {day}", day=say.day(one.released_at)))
        )
        named = f"<b>{plain(say(NAMES.get(one.kind, one.kind)))}</b> {plain(one.value)}"
        rows.append((named, plain(one.reason), chip_html(*tone)))
    return table_html((say("Held"), say("Reason"), ""), rows)


def _releasing(mine: Custody, say: Speech, found: list[Hold]) -> None:
    if not found:
        return
    names = {one.id: f"{one.value or say(NAMES[one.kind])} · {one.reason}" for one in found}
    with st.container(horizontal=True, vertical_alignment="bottom", key="releasing"):
        chosen = st.selectbox(
            say("Hold to release"),
            list(names),
            format_func=lambda one: clean(names[one]),
            key="released-hold",
        )
        st.button(
            say("Release"),
            key="release-hold",
            icon=":material/lock_open:",
            on_click=mine.wishing(lambda: mine.life.release_hold(str(chosen))),
        )


def _placing(mine: Custody, say: Speech) -> None:
    with st.form("new-hold", border=True):
        kind = st.radio(
            say("What to hold"),
            KINDS,
            format_func=lambda one: say(NAMES[one]),
            horizontal=True,
            key="hold-kind",
        )
        value = st.text_input(
            say("Name, number, id or collection; nothing for everything"),
            key="hold-value",
            max_chars=200,
        )
        reason = st.text_input(say("Why, such as the number of a case"), key="hold-reason")
        sent = st.form_submit_button(
            say("Place the hold"), key="place-hold", type="primary", icon=":material/gavel:"
        )
    if not sent:
        return
    if not reason.strip() or (kind == "everything") == bool(value.strip()):
        st.error(say("Say what to hold, and why; only everything stands without a name."))
        return
    mine.life.hold(str(kind), value.strip(), reason.strip())
    st.rerun()
