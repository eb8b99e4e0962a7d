"""One source: its clocks, its run under way, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from ui import components, standing
from ui.desk import SECTIONS, Desk
from ui.safety import label
from ui.sources import Run, Source
from ui.text import Speech, mark
from ui.views import failures, run, schedule, settings

_NAMES = {
    "problems": mark("Quarantine"),
    "runs": mark("Runs"),
    "schedule": mark("Schedule"),
    "settings": mark("Settings"),
}


def show(mine: Desk, say: Speech, source: Source) -> None:
    """Show a source and follow its run; raises `ApiError`."""
    runs = mine.sources.runs(source.name)
    active = next((one for one in runs if one.is_active), None)
    st.button(
        say("All sources"),
        key="all-sources",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=lambda: mine.open(""),
    )
    _head(say, source)
    st.html(standing.clocks_html(say, source))
    _actions(mine, say, source, active)
    if active is not None:
        run.show(mine, say, active)
    else:
        _newest(say, runs)
    _sections(mine, say, source, runs)
    if active is None and source.schedule is not None:
        run.wait(mine, source.name)


def _head(say: Speech, source: Source) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        components.heading(source.title)
        st.html(standing.chip_html(*standing.state(say, source)), width="content")
    components.line("status-line", standing.facts(say, source))


def _actions(mine: Desk, say: Speech, source: Source, active: Run | None) -> None:
    with st.container(horizontal=True, key="actions", vertical_alignment="center"):
        if active is not None:
            run.steering(mine, say, active)
            return
        start = mine.sources.start
        st.button(
            say("Sync now"),
            key="sync-now",
            type="primary",
            icon=":material/sync:",
            on_click=mine.wishing(lambda: start(source.name)),
        )
        st.button(
            say("Dry run"),
            key="dry-run",
            icon=":material/visibility:",
            help=say("Lists and compares only: says what a sync would do."),
            on_click=mine.wishing(lambda: start(source.name, dry_run=True)),
        )
        with st.popover(say("More"), key="more-runs", type="tertiary"):
            st.button(
                say("Read every document again"),
                key="full-sync",
                width="stretch",
                on_click=mine.wishing(lambda: start(source.name, full=True)),
            )
            components.line(
                "note",
                [say("A sync stops before it deletes most of a source. If they really are gone:")],
            )
            st.button(
                say("Sync, and delete what is gone"),
                key="forced-sync",
                width="stretch",
                on_click=mine.wishing(lambda: start(source.name, force=True)),
            )


def _newest(say: Speech, runs: list[Run]) -> None:
    """Show what the newest run did or would do."""
    if not runs:
        components.line("note", [say("Start the first sync to bring the documents in.")])
        return
    newest = runs[0]
    words = standing.outcome(say, newest)
    if newest.kind == "dry_run":
        words = say("A sync would do this: {outcome}", outcome=words)
    when = say.ago(newest.finished_at or newest.queued_at)
    st.html(
        components.line_html("quiet", [standing.run_words(say, newest), when])
        + components.line_html("outcome", [words])
    )
    for problem in (newest.error, newest.note):
        if problem:
            st.warning(label(problem), icon=":material/warning:")
    if newest.stages:
        st.html(standing.stages_html(say, newest))


def _sections(mine: Desk, say: Speech, source: Source, runs: list[Run]) -> None:
    def named(section: str) -> str:
        n = source.n_failures if section == "problems" else 0
        return f"{say(_NAMES[section])} · {say.number(n)}" if n else say(_NAMES[section])

    chosen = st.segmented_control(
        say("Sections"),
        SECTIONS,
        format_func=named,
        default="problems",
        required=True,
        key=f"section-{source.name}",
        label_visibility="collapsed",
    )
    with st.container(key="section"):
        if chosen == "runs":
            _history(say, runs)
        elif chosen == "schedule":
            schedule.show(mine, say, source)
        elif chosen == "settings":
            settings.show(mine, say, source)
        else:
            failures.show(mine, say, source)


def _history(say: Speech, runs: list[Run]) -> None:
    if runs:
        st.html(standing.runs_html(say, runs))
    else:
        components.line("note", [say("There was no run yet.")])
