"""What somebody who looks after people and access has open in a browser tab."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from ui.break_glass import BreakGlass, Candidates
from ui.people import Comparison, Explanation, People, Readers, Reading, Simulation
from ui.session import Visit
from ui.wish import Wishing

_ROSTER = "roster"

SECTIONS = ("people", "groups", "keys", "access", "requests")

Finding = Reading | Readers | Explanation | Comparison | Simulation
"""What the access explorer was told."""


@dataclass(slots=True)
class Roster(Wishing):
    """The person, group or request that is open; a secret shown this once; what was explored.

    `secret` holds what it is (`password` or `key`), whose, and the secret itself.
    """

    people: People
    glass: BreakGlass
    opened: str = ""
    group: str = ""
    is_adding: bool = False
    secret: tuple[str, str, str] | None = None
    finding: tuple[str, Finding] | None = None
    request: str = ""
    meant: Candidates = field(default_factory=Candidates)

    def settle(self) -> None:
        """Do what was clicked since the last run; raises `ApiError`."""
        if self.wish is not None:
            self.secret = None
        Wishing.settle(self)

    def open(self, person_id: str) -> None:
        """Show a person, or everybody."""
        self.opened, self.group, self.is_adding, self.secret = person_id, "", False, None

    def open_group(self, name: str) -> None:
        """Show a group, or all."""
        self.opened, self.group = "", name

    def look_at(self, request_id: str, collection: str) -> None:
        """Show what a request may mean; raises `ApiError`."""
        self.meant = Candidates() if collection else self.glass.documents(request_id)
        self.request = request_id

    def approve(self, request_id: str, document_id: str) -> None:
        """Give somebody what they asked for; raises `ApiError`."""
        self.glass.approve(request_id, document_id)
        self.request = ""

    def refuse(self, request_id: str, answer: str) -> None:
        """Refuse what somebody asked for; raises `ApiError`."""
        self.glass.refuse(request_id, answer.strip())
        self.request = ""

    def begin(self) -> None:
        """Show the form of a new person."""
        self.open("")
        self.is_adding = True

    def added(self, login: str, person_id: str, password: str) -> None:
        """Show somebody who was just added, with their password."""
        self.open(person_id)
        self.secret = ("password", login, password)

    def replace_password(self, login: str, person_id: str) -> None:
        """Replace a password and show it; raises `ApiError`."""
        self.secret = ("password", login, self.people.new_password(person_id))


def roster(visit: Visit) -> Roster:
    """Return the tab's roster."""
    if _ROSTER not in st.session_state:
        st.session_state[_ROSTER] = Roster(People(visit.client), BreakGlass(visit.client))
    found: Roster = st.session_state[_ROSTER]
    return found
