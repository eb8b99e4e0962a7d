"""The chat: the conversation, its sources beside it, and the list of earlier ones."""

from __future__ import annotations

import streamlit as st

from ui import components, problems
from ui.client import ApiError, SignedOut
from ui.session import Visit
from ui.text import Speech
from ui.views import ask, exchange, filters, panel, sidebar


def show(visit: Visit, say: Speech) -> None:
    """Show the chat of the person who is signed in; raises `SignedOut`."""
    trouble = _settled(visit, say)
    sidebar.show(visit, say)
    question = ask.box(visit, say)
    if question:
        visit.opened = None
    talk, side = _layout(visit)
    with talk:
        _header(visit, say)
        if trouble:
            st.error(trouble)
        if not visit.exchanges and not question:
            ask.welcome(visit, say)
        for number, one in enumerate(visit.exchanges):
            exchange.show(visit, say, number, one)
        if question:
            ask.answer(visit, say, question)
    if visit.opened is not None and side is not None:
        with side:
            panel.show(visit, say, visit.opened)


def _settled(visit: Visit, say: Speech) -> str:
    """Do what was clicked; returns a sentence if that failed."""
    try:
        visit.settle()
        visit.refresh()
    except SignedOut:
        raise
    except ApiError as error:
        return problems.sentence(say, error)
    return ""


def _layout(
    visit: Visit,
) -> tuple[st.delta_generator.DeltaGenerator, st.delta_generator.DeltaGenerator | None]:
    if visit.opened is None:
        return st.container(key="talk"), None
    left, right = st.columns([3, 2], gap="medium")
    return left.container(key="talk"), right.container(key="panel")


def _header(visit: Visit, say: Speech) -> None:
    readable = visit.me.readable
    documents = say.plural(
        "You can read {n} document", "You can read {n} documents", readable.n_documents
    )
    collections = say.plural("in {n} collection", "in {n} collections", len(readable.collections))
    words = [f"{documents} {collections}"]
    if readable.newest_sync_at is not None:
        words.append(say("newest sync {ago}", ago=say.ago(readable.newest_sync_at)))
    n_late = sum(source.state == "failed" for source in readable.sources)
    if n_late:
        words.append(say.plural("{n} source is late", "{n} sources are late", n_late))
    if visit.filters.n:
        words.append(filters.words(visit, say))
    components.line("status-line", words)
