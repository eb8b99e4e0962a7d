"""What a reader misses and asks for, in a browser tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from ui.break_glass import BreakGlass, Request
from ui.people import Invisibility, People
from ui.session import Visit
from ui.wish import Wishing

_MISSING = "missing"


@dataclass(slots=True)
class Missing(Wishing):
    """Which dialog is open, the document that was looked for, and the request that was sent."""

    visit: Visit
    shown: Literal["", "why", "requests"] = ""
    named: str = ""
    found: Invisibility | None = None
    sent: Request | None = None

    def ask_why(self) -> None:
        """Open the dialog in which a document is named."""
        self.shown, self.named, self.found, self.sent = "why", "", None, None

    def look_at_requests(self) -> None:
        """Open the list of one's own requests."""
        self.shown = "requests"
        self.visit.outdate()

    def close(self) -> None:
        """Close the dialog."""
        self.shown = ""

    def look(self, named: str) -> None:
        """Ask whether a document can be read; raises `ApiError`."""
        self.named, self.sent = named, None
        self.found = People(self.visit.client).why(named)

    def ask(self, reason: str, hours: int) -> None:
        """Ask for access to what is missed; raises `ApiError`."""
        self.sent = BreakGlass(self.visit.client).ask(self.named, reason, hours)
        self.visit.outdate()

    def end(self, request_id: str) -> None:
        """End access, or withdraw a request; raises `ApiError`."""
        BreakGlass(self.visit.client).end(request_id)
        self.visit.outdate()


def missing(visit: Visit) -> Missing:
    """Return what the tab's reader misses."""
    if _MISSING not in st.session_state:
        st.session_state[_MISSING] = Missing(visit)
    found: Missing = st.session_state[_MISSING]
    return found
