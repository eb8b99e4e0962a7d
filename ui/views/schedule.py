"""When a source is synced by itself."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from ui import components, standing
from ui.desk import Desk
from ui.sources import Schedule, Source
from ui.text import Speech, mark

MINUTE_S = 60
MAX_MINUTES = 366 * 24 * 60

_WAYS = {
    "never": mark("Only when somebody starts it"),
    "every": mark("At an interval"),
    "cron": mark("At set times"),
}


def show(mine: Desk, say: Speech, source: Source) -> None:
    """Show the schedule and change it; raises `ApiError`."""
    now = source.schedule
    components.line("outcome", [standing.schedule(say, now)])
    used = "never" if now is None else "every" if now.every_s is not None else "cron"
    way = st.radio(
        say("Sync this source"),
        list(_WAYS),
        index=list(_WAYS).index(used),
        format_func=lambda one: say(_WAYS[one]),
        key=f"way-{source.name}",
        horizontal=True,
    )
    with st.form(f"schedule-{source.name}", border=False):
        wanted = _wanted(say, way, now or Schedule())
        if st.form_submit_button(say("Save the schedule"), key="save-schedule"):
            mine.sources.schedule(source.name, wanted)
            st.rerun()


def _wanted(say: Speech, way: str, now: Schedule) -> Schedule | None:
    if way == "never":
        return None
    if way == "every":
        before = int((now.every_s or 3600) // MINUTE_S)
        minutes = st.number_input(
            say("Minutes from one sync to the next"),
            min_value=1,
            max_value=MAX_MINUTES,
            value=max(1, before),
            key="every-minutes",
        )
        return Schedule(every_s=float(minutes * MINUTE_S))
    cron = st.text_input(
        say("Minute, hour, day, month, weekday"),
        value=now.cron or "30 6 * * mon-fri",
        key="cron",
        help=say("30 6 * * mon-fri is half past six, Monday to Friday; * means every."),
    )
    zones = sorted(available_timezones())
    zone = st.selectbox(say("Time zone"), zones, index=zones.index(now.timezone), key="zone")
    return Schedule(cron=cron.strip(), timezone=str(zone))
