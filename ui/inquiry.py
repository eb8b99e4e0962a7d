"""What an auditor has open in a browser tab."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui.audit import Account, Audit, LogEvent, Name, Replay, Verification, Wanted
from ui.break_glass import BreakGlass, Request
from ui.session import Visit
from ui.wish import Wishing

_INQUIRY = "inquiry"

SECTIONS = ("search", "requests", "verify", "export")
_FINISHED = "query.finished"


@dataclass(frozen=True, slots=True)
class Opened:
    """A request of access for a while with the events that name it, the newest first."""

    request: Request
    events: tuple[LogEvent, ...]
    next_before: int | None


@dataclass(slots=True)
class Inquiry(Wishing):
    """What was searched and found, the question or event that is open, the last verification.

    All of it is kept: to fetch it again would be another look, and another event of the log.
    """

    audit: Audit
    glass: BreakGlass
    wanted: Wanted = field(default_factory=lambda: Wanted(type="query.accepted"))
    events: list[LogEvent] | None = None
    next_before: int | None = None
    names: dict[str, Name] = field(default_factory=dict)
    account: Account | None = None
    replay: Replay | None = None
    event: dict[str, Any] | None = None
    opened: Opened | None = None
    verification: Verification | None = None

    def begin(self) -> None:
        """Search once when the page is opened; raises `ApiError`."""
        if self.events is None:
            self.search(self.wanted)

    def search(self, wanted: Wanted) -> None:
        """Find events; raises `ApiError`."""
        self.names = self.audit.names()
        found = self.audit.find(wanted)
        self.wanted, self.events, self.next_before = wanted, list(found.events), found.next_before

    def more(self) -> None:
        """Find the events before those that are listed; raises `ApiError`."""
        found = self.audit.find(self.wanted, self.next_before)
        self.events = [*(self.events or ()), *found.events]
        self.next_before = found.next_before

    def open(self, seq: int) -> None:
        """Show the question that an event belongs to, or the event; raises `ApiError`."""
        listed = self.opened.events if self.opened is not None else self.events or ()
        known = next((one for one in listed if one.seq == seq), None)
        if known is not None and known.query_id:
            self.ask_about(known.query_id)
        else:
            self.show_list()
            self.event = self.audit.proven(seq)

    def open_request(self, request: Request) -> None:
        """Show a request with all that the log has of it; raises `ApiError`."""
        self.names = self.audit.names()
        found = self.audit.find(Wanted(about=request.id))
        self.opened = Opened(request, found.events, found.next_before)

    def more_of_request(self) -> None:
        """Find the events of the request before those that are listed; raises `ApiError`."""
        if self.opened is not None:
            one = self.opened
            found = self.audit.find(Wanted(about=one.request.id), one.next_before)
            self.opened = Opened(one.request, one.events + found.events, found.next_before)

    def open_answer(self, receipt: str) -> bool:
        """Show the question of a receipt; False if the number is no answer's."""
        proven = self.audit.proven(int(receipt))
        if proven["event"]["type"] != _FINISHED:
            return False
        self.ask_about(str(proven["event"]["data"]["query_id"]))
        return True

    def ask_about(self, query_id: str) -> None:
        """Show a question; raises `ApiError`."""
        self.show_list()
        self.account = self.audit.account(query_id)

    def search_again(self) -> None:
        """Replay the question that is open; raises `ApiError`."""
        if self.account is not None:
            self.replay = self.audit.replay(self.account.query_id)

    def show_list(self) -> None:
        """Show the list that was open before: of a request, or of what was searched."""
        self.account = self.replay = self.event = None

    def close(self) -> None:
        """Leave the request that is open."""
        self.opened = None

    def who(self, person_id: str) -> str:
        """Name a person; by their id if nobody here has it."""
        known = self.names.get(person_id)
        return known.name if known is not None else person_id


def inquiry(visit: Visit) -> Inquiry:
    """Return the tab's inquiry."""
    if _INQUIRY not in st.session_state:
        st.session_state[_INQUIRY] = Inquiry(Audit(visit.client), BreakGlass(visit.client))
    found: Inquiry = st.session_state[_INQUIRY]
    return found
