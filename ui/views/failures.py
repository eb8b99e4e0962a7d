"""What could not be read of a source, by cause, with what to do about it."""

from __future__ import annotations

import streamlit as st

from ui import components, standing
from ui.desk import Desk
from ui.safety import label
from ui.sources import FailureGroup, Source
from ui.text import Speech


def show(mine: Desk, say: Speech, source: Source) -> None:
    """Show the quarantine; raises `ApiError`."""
    groups = mine.sources.failures(source.name)
    if not groups:
        components.line("note", [say("Everything that was listed could be read.")])
        return
    is_free = source.active_run is None
    for group in groups:
        _group(mine, say, source.name, group, is_free=is_free)
    if len(groups) > 1 and any(group.n_retryable for group in groups):
        st.button(
            say("Retry all"),
            key="retry-all",
            icon=":material/replay:",
            disabled=not is_free,
            on_click=mine.wishing(lambda: mine.sources.retry(source.name)),
        )


def _group(mine: Desk, say: Speech, name: str, group: FailureGroup, *, is_free: bool) -> None:
    cause, advice = standing.CAUSES.get(group.cause, (group.cause, ""))
    with st.container(border=True, key=f"cause-{group.cause}", gap="small"):
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            components.line("cause", [say(cause), say.number(group.n)])
            if group.n_retryable:
                st.button(
                    say("Retry"),
                    key=f"retry-{group.cause}",
                    icon=":material/replay:",
                    disabled=not is_free,
                    help=label(say("Reads these again: {cause}", cause=say(cause))),
                    on_click=mine.wishing(lambda: mine.sources.retry(name, group.cause)),
                )
        components.line("quiet", [say(advice)] if advice else [])
        st.html(standing.failures_html(say, group))
        if group.n > len(group.failures):
            components.line("quiet", [say("The newest {n} are shown.", n=len(group.failures))])
