"""All sources with how fresh they are; one of them; or the form of a new one."""

from __future__ import annotations

import streamlit as st

from ui import components, desk, standing
from ui.client import ApiError
from ui.desk import Desk
from ui.safety import label
from ui.session import Visit
from ui.sources import Source
from ui.text import Speech
from ui.views import addition, frame, source

REFRESH_S = 3.0


def show(visit: Visit, say: Speech) -> None:
    """Show the page of those who look after the sources; raises `SignedOut`."""
    mine = desk.desk(visit)
    frame.show(visit, say, mine, lambda: _page(mine, say), gone=lambda: mine.open(""))


def _page(mine: Desk, say: Speech) -> None:
    if mine.is_adding:
        addition.show(mine, say)
    elif mine.opened:
        source.show(mine, say, mine.sources.one(mine.opened))
    else:
        _all(mine, say, mine.sources.all())


def _all(mine: Desk, say: Speech, found: list[Source]) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        components.heading(say("Sources"))
        st.button(
            say("Add a source"),
            key="add-source",
            type="primary",
            icon=":material/add:",
            on_click=mine.begin,
        )
    if not found:
        components.line(
            "note", [say("There is no source yet. Add one, and its documents can be asked about.")]
        )
        return
    is_busy = any(one.active_run is not None for one in found)

    def cards() -> None:
        now = _again(mine, found)
        if mine.opened or (is_busy and all(one.active_run is None for one in now)):
            st.rerun()
        components.line("status-line", _summary(say, now))
        for one in now:
            _card(mine, say, one)

    st.fragment(cards, run_every=REFRESH_S if is_busy else None)()


def _again(mine: Desk, found: list[Source]) -> list[Source]:
    """Return the sources as they are now, or as they were where the API is silent."""
    try:
        return mine.sources.all()
    except ApiError:
        return found


def _summary(say: Speech, found: list[Source]) -> list[str]:
    n_late = sum(bool(one.late) for one in found)
    n_busy = sum(one.active_run is not None for one in found)
    words = [
        say.plural("{n} source", "{n} sources", len(found)),
        say.plural("{n} document", "{n} documents", sum(one.n_documents for one in found)),
    ]
    if n_busy:
        words.append(say.plural("{n} run under way", "{n} runs under way", n_busy))
    words.append(
        say.plural("{n} source is late", "{n} sources are late", n_late)
        if n_late
        else say("none is late")
    )
    return words


def _card(mine: Desk, say: Speech, one: Source) -> None:
    with st.container(border=True, key=f"card-{one.name}", gap="small"):
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.button(
                label(one.title),
                key=f"source-{one.name}",
                type="tertiary",
                on_click=lambda: mine.open(one.name),
            )
            st.html(standing.chip_html(*standing.state(say, one)), width="content")
        components.line("quiet", standing.facts(say, one))
        st.html(standing.clocks_html(say, one))
