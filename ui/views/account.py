"""One question as the log has it: what was asked and prompted, its proof, and its replay."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from ui import components, rights, standing, trail
from ui.audit import Account, Replay
from ui.inquiry import Inquiry
from ui.text import Speech


def show(mine: Inquiry, say: Speech, account: Account) -> None:
    """Show a question with its proof; raises `ApiError`."""
    _back(mine, say)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        components.heading(account.question)
        st.html(standing.chip_html(*trail.outcome(say, account)), width="content")
    components.line("status-line", _facts(mine, say, account))
    if account.standalone_question and account.standalone_question != account.question:
        understood = say("Understood as: {question}", question=account.standalone_question)
        components.line("quiet", [understood])
    st.html(trail.facts_html(say, account))
    _actions(mine, say, account)
    if mine.replay is not None:
        _replayed(say, mine.replay)
    _proof(say, account)
    _passages(say, account, mine.replay)


def show_event(mine: Inquiry, say: Speech, proven: dict[str, Any]) -> None:
    """Show an event that belongs to no question, as it was hashed, with its proof."""
    _back(mine, say)
    event = proven["event"]
    components.heading(trail.named(say, event["type"]))
    components.line("status-line", [event["type"], f"#{event['seq']}", event["at"]])
    st.html(trail.event_rows(event))
    components.line(
        "note",
        [say("This is how it was hashed; what is personal stands there encrypted (🔒).")],
    )
    st.download_button(
        say("Download with its proof"),
        data=json.dumps(proven, indent=2, ensure_ascii=False),
        file_name=f"event-{event['seq']}.json",
        mime="application/json",
        key="download-event",
        icon=":material/download:",
        on_click="ignore",
    )


def _back(mine: Inquiry, say: Speech) -> None:
    st.button(
        say("Back to the list"),
        key="all-events",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=mine.show_list,
    )


def _facts(mine: Inquiry, say: Speech, account: Account) -> list[str]:
    roles = ", ".join(rights.role(say, one) for one in account.roles)
    words = [mine.who(account.person_id), roles, say.instant(account.asked_at)]
    if account.via:
        words.append(say("through {service}", service=account.via))
    if account.seconds:
        words.append(say("{seconds} s", seconds=say.seconds(float(account.seconds))))
    if account.receipt:
        words.append(say("receipt {receipt}", receipt=account.receipt))
    return [word for word in words if word]


def _actions(mine: Inquiry, say: Speech, account: Account) -> None:
    with st.container(horizontal=True, key="actions", vertical_alignment="center"):
        st.button(
            say("Search again as of then"),
            key="replay",
            type="primary",
            icon=":material/history:",
            help=say("Repeats the search under the permissions of then; nothing is generated."),
            on_click=mine.wishing(mine.search_again),
        )
        if account.receipt:
            st.download_button(
                say("Receipt"),
                data=lambda: mine.audit.receipt(account.receipt),
                file_name=f"receipt-{account.receipt}.json",
                mime="application/json",
                key="download-receipt",
                icon=":material/download:",
                on_click="ignore",
            )


def _replayed(say: Speech, replay: Replay) -> None:
    tone, words = trail.replay_words(say, replay)
    with st.container(key="replayed"):
        show_as = st.success if tone == "good" else st.warning
        show_as(components.sentences(words), icon=":material/history:")


def _passages(say: Speech, account: Account, replay: Replay | None) -> None:
    components.line("over", [say("Passages that were read for it")])
    if account.chunks:
        st.html(trail.chunks_html(say, account, replay))
    else:
        components.line("note", [say("No passage was found that the asker might read.")])


def _proof(say: Speech, account: Account) -> None:
    with st.container(border=True, key="proof", gap="small"):
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            components.line("over", [say("Proof, computed anew just now")])
            st.html(standing.chip_html(*trail.proof_state(say, account.proof)), width="content")
        st.html(trail.proof_html(say, account.proof))
        if account.proof.path:
            with st.expander(say("The hashes")):
                st.code("\n".join(account.proof.path), language=None)
