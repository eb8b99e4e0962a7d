"""Restricting what is searched; the choices stay in the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st

from ui.components import kind
from ui.model import Filters
from ui.safety import label
from ui.session import Visit
from ui.text import Speech

_KEYS = ("collection", "language", "type", "since", "until")


def show(visit: Visit, say: Speech) -> None:
    """Show the filters and keep what is chosen."""
    readable = visit.me.readable
    n = visit.filters.n
    with st.popover(
        say("Filters · {n}", n=n) if n else say("Filters"),
        icon=":material/tune:",
        type="tertiary",
        key="filters",
    ):
        titles = {one.name: one.title for one in readable.collections}
        chosen = Filters(
            collections=_pills(
                say("Collection"), "collection", list(titles), lambda name: label(titles[name])
            ),
            langs=_pills(
                say("Language"), "language", readable.langs, lambda lang: language_name(say, lang)
            ),
            media_types=_pills(
                say("Document type"),
                "type",
                readable.media_types,
                lambda media_type: label(kind(say, media_type)),
            ),
            since=_day(say("From"), "since"),
            until=_day(say("To"), "until"),
        )
        st.button(say("Clear filters"), key="clear-filters", disabled=chosen.n == 0, on_click=clear)
    if chosen != visit.filters:
        visit.filters = chosen
        st.rerun()


def clear() -> None:
    """Choose nothing."""
    for key in _KEYS:
        st.session_state[key] = None if key in {"since", "until"} else []


def words(visit: Visit, say: Speech) -> str:
    """Say what the search is restricted to."""
    chosen = visit.filters
    titles = {one.name: one.title for one in visit.me.readable.collections}
    parts = [titles.get(name, name) for name in chosen.collections]
    parts += [language_name(say, lang) for lang in chosen.langs]
    parts += [kind(say, media_type) for media_type in chosen.media_types]
    if chosen.since is not None:
        parts.append(say("from {day}", day=say.day(chosen.since)))
    if chosen.until is not None:
        parts.append(say("to {day}", day=say.day(chosen.until)))
    return say("only {parts}", parts=", ".join(parts))


def language_name(say: Speech, lang: str) -> str:
    """Name a document's language."""
    return {"en": say("English"), "pt": say("Portuguese")}.get(lang, lang)


def _pills(
    title: str, key: str, options: Sequence[str], named: Callable[[str], str]
) -> tuple[str, ...]:
    if not options:
        return ()
    chosen = st.pills(
        title,
        options,
        selection_mode="multi",
        format_func=named,
        key=key,
        bind="query-params",
    )
    return tuple(chosen)


def _day(title: str, key: str) -> date | None:
    return st.date_input(title, value=None, key=key, format="YYYY-MM-DD", bind="query-params")
