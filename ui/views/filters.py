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

_LISTS = ("collection", "language", "type")
_DAYS = ("since", "until")


def show(visit: Visit, say: Speech) -> None:
    """Show the filters and keep what is chosen."""
    readable = visit.me.readable
    titles = {one.name: one.title for one in readable.collections}
    _seed({"collection": list(titles), "language": readable.langs, "type": readable.media_types})
    n = visit.filters.n
    with st.popover(
        say("Filters · {n}", n=n) if n else say("Filters"),
        icon=":material/tune:",
        type="tertiary",
        key="filters",
    ):
        visit.filters = Filters(
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
        st.button(
            say("Clear filters"),
            key="clear-filters",
            disabled=visit.filters.n == 0,
            on_click=clear,
        )
    if n != visit.filters.n:
        st.rerun()


def clear() -> None:
    """Choose nothing."""
    for key in _LISTS:
        st.session_state[key] = []
    for key in _DAYS:
        st.session_state[key] = None
    _keep()


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


def _seed(options: dict[str, Sequence[str]]) -> None:
    """Take what the address says where the page doesn't know yet; what doesn't fit is left."""
    for key in _LISTS:
        if key not in st.session_state:
            named = st.query_params.get_all(key)
            st.session_state[key] = [one for one in options[key] if one in named]
    for key in _DAYS:
        if key not in st.session_state:
            st.session_state[key] = _parsed(st.query_params.get(key, ""))


def _keep() -> None:
    """Write what is chosen into the address."""
    for key in (*_LISTS, *_DAYS):
        value = st.session_state.get(key)
        if not value:
            st.query_params.pop(key, None)
        elif isinstance(value, date):
            st.query_params[key] = value.isoformat()
        else:
            st.query_params[key] = list(value)


def _parsed(day: str) -> date | None:
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None


def _pills(
    title: str, key: str, options: Sequence[str], named: Callable[[str], str]
) -> tuple[str, ...]:
    if not options:
        return ()
    return tuple(
        st.pills(
            title,
            options,
            selection_mode="multi",
            format_func=named,
            key=key,
            on_change=_keep,
        )
    )


def _day(title: str, key: str) -> date | None:
    return st.date_input(title, key=key, format="YYYY-MM-DD", on_change=_keep)
