"""Finding events of the audit log by person, kind, time, document or answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from ui import components, trail
from ui.audit import Wanted
from ui.inquiry import Inquiry
from ui.safety import clean
from ui.text import Speech


def show(mine: Inquiry, say: Speech) -> None:
    """Show the form and what was found; raises `ApiError`."""
    mine.begin()
    _form(mine, say)
    events = mine.events or []
    if not events:
        components.line("note", [say("Nothing in the log fits that. Search for less.")])
        return
    n = say.plural("{n} event", "{n} events", len(events))
    components.line("quiet", [n, say("the newest first, times in UTC")])

    def opened(name: str) -> None:
        seq = int(name.removeprefix("e"))
        mine.wish = lambda: mine.open(seq)

    components.show_answer("trail", trail.events_html(say, events, mine.who), "", opened)
    if mine.next_before is not None:
        st.button(
            say("Show earlier ones"),
            key="more-events",
            icon=":material/expand_more:",
            on_click=mine.wishing(mine.more),
        )


def _form(mine: Inquiry, say: Speech) -> None:
    with st.form("audit-search", border=True):
        first, second, third = st.columns([2, 2, 2])
        person = first.selectbox(
            say("Person"),
            ["", *sorted(mine.names, key=lambda one: mine.names[one].name.casefold())],
            format_func=lambda one: _person(mine, say, one),
            key="audit-person",
        )
        kinds = list(trail.KINDS)
        kind = second.selectbox(
            say("What happened"),
            kinds,
            index=kinds.index(mine.wanted.type) if mine.wanted.type in kinds else 0,
            format_func=lambda one: say(trail.KINDS[one]),
            key="audit-kind",
        )
        days = third.date_input(
            say("Time"), value=[], max_value=date.today() + timedelta(days=1), key="audit-days"
        )
        fourth, fifth = st.columns([4, 2])
        about = fourth.text_input(
            say("Document, source, conversation or person it is about"),
            max_chars=500,
            key="audit-about",
            placeholder=say("An id, a source's name, or a login"),
        )
        receipt = fifth.text_input(
            say("Receipt of an answer"), max_chars=18, key="audit-receipt", placeholder="1234"
        )
        sent = st.form_submit_button(
            say("Search"), key="search-events", type="primary", icon=":material/search:"
        )
    if not sent:
        return
    if receipt.strip():
        _answer(mine, say, receipt.strip())
        return
    since, until = _span(days)
    mine.search(
        Wanted(type=str(kind), person=str(person), about=about.strip(), since=since, until=until)
    )


def _answer(mine: Inquiry, say: Speech, receipt: str) -> None:
    if receipt.isascii() and receipt.isdecimal() and mine.open_answer(receipt):
        st.rerun()
    st.error(say("This is no number of a receipt; the answer shows it."))


def _person(mine: Inquiry, say: Speech, person_id: str) -> str:
    if not person_id:
        return say("Everybody")
    one = mine.names[person_id]
    return clean(one.name if one.name == one.login else f"{one.name} ({one.login})")


def _span(days: object) -> tuple[datetime | None, datetime | None]:
    """Return the beginning of the first day and the end of the last, in UTC."""
    chosen = [day for day in days if isinstance(day, date)] if isinstance(days, tuple) else []
    if not chosen:
        return None, None
    first, last = (datetime.combine(day, time(), UTC) for day in (chosen[0], chosen[-1]))
    return first, last + timedelta(days=1)
