"""The access explorer: both ways through the rights, compared, explained, and tried out."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import components, rights
from ui.people import Account, Comparison, Explanation, Readers, Reading, Simulation
from ui.roster import Finding, Roster
from ui.safety import clean
from ui.text import Speech, mark

QUESTIONS = {
    "reading": mark("What may this person read?"),
    "readers": mark("Who may read this document?"),
    "explain": mark("Why may they, or why not?"),
    "compare": mark("What does one read and the other not?"),
    "simulate": mark("What would a change give and take?"),
}


def show(mine: Roster, say: Speech) -> None:
    """Show the questions, and what the last one found; raises `ApiError`."""
    components.line(
        "note",
        [say("Documents are named by id and counted; what they say is for their readers alone.")],
    )
    asked = str(
        st.selectbox(
            say("Question"),
            list(QUESTIONS),
            format_func=lambda one: say(QUESTIONS[one]),
            key="explored",
        )
    )
    people = mine.people.all()
    with st.form(f"explore-{asked}", border=True):
        wanted = _form(say, asked, people)
        sent = st.form_submit_button(
            say("Look"), key="explore", type="primary", icon=":material/travel_explore:"
        )
    if sent and wanted is None:
        st.error(say("Fill in the form first."))
    if sent and wanted is not None:
        mine.finding = (asked, _found(mine, asked, wanted))
    if mine.finding is not None and mine.finding[0] == asked:
        with st.container(key="finding"):
            _show(say, mine.finding[1])


def _form(say: Speech, asked: str, people: list[Account]) -> dict[str, Any] | None:
    """Show the fields of a question; returns what was filled in, None if that is too little."""
    if asked == "simulate":
        return _change(say)
    names = {one.login: one.name for one in people}
    wanted: dict[str, Any] = {}
    if asked != "readers":
        wanted["login"] = _person(say, names, say("Person"), f"{asked}-person", 0)
    if asked == "compare":
        wanted["other"] = _person(say, names, say("The other person"), "other-person", 1)
    if asked in {"readers", "explain"}:
        document = st.text_input(
            say("Document"),
            key=f"{asked}-document",
            max_chars=2000,
            placeholder=say("Its id, or its path or address at the source"),
        ).strip()
        wanted["document"] = document or None
    return None if None in wanted.values() else wanted


def _person(say: Speech, names: dict[str, str], title: str, key: str, at: int) -> str | None:
    return st.selectbox(
        title,
        list(names),
        index=min(at, len(names) - 1),
        format_func=lambda one: clean(f"{names[one]} ({one})"),
        key=key,
        placeholder=say("Choose somebody"),
    )


def _change(say: Speech) -> dict[str, Any] | None:
    kind = st.radio(
        say("Change"),
        ("joins", "leaves", "acl"),
        format_func=lambda one: {
            "joins": say("somebody joins a group"),
            "leaves": say("somebody leaves a group"),
            "acl": say("a document is opened to others"),
        }[one],
        horizontal=True,
        key="change-kind",
    )
    left, right = st.columns(2)
    who = left.text_input(
        say("Login or group; or the document's id"), key="change-what", max_chars=500
    ).strip()
    names = right.text_input(
        say("The group, or who may read from then on"),
        key="change-names",
        max_chars=2000,
        placeholder="group:intranet:finance",
    ).strip()
    if not who or not names:
        return None
    if kind == "acl":
        allow = [name for name in names.replace(",", " ").split() if name]
        return {"target": {"document_id": who}, "acl": {"allow": allow}}
    return {str(kind): [{"member": who, "group": names}]}


def _found(mine: Roster, asked: str, wanted: dict[str, Any]) -> Finding:
    if asked == "simulate":
        return mine.people.simulate(wanted)
    found: Finding = getattr(mine.people, asked)(**wanted)
    return found


def _show(say: Speech, found: Finding) -> None:
    match found:
        case Reading():
            _reading(say, found)
        case Readers():
            people = say.plural(
                "{n} person may read it", "{n} people may read it", len(found.readers)
            )
            of = say("of {n} accounts", n=found.n_people)
            components.line("outcome", [f"{people}, {of}"])
            components.line("quiet", [found.source, found.collection, found.document_id])
            st.html(rights.readers_html(say, found))
        case Explanation():
            words = rights.rule_words(say, found.rule, found.known)
            (st.success if found.allowed else st.error)(
                components.sentences([words]),
                icon=":material/lock_open:" if found.allowed else ":material/lock:",
            )
            components.line("quiet", [found.source, found.collection, found.document_id])
            st.html(rights.explanation_html(say, found))
        case Comparison():
            st.html(rights.comparison_html(say, found))
        case Simulation():
            components.line("outcome", [rights.simulation_words(say, found)])
            st.html(rights.simulation_html(say, found))


def _reading(say: Speech, found: Reading) -> None:
    if not found.may_open:
        st.warning(say("Disabled, or without a role that reads documents: nothing at all."))
    words = [
        say.plural("May read {n} document", "May read {n} documents", found.n_documents),
        say.plural("{n} stays closed", "{n} stay closed", found.n_closed),
    ]
    components.line("outcome", words)
    st.html(rights.reading_html(say, found))
