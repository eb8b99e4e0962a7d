"""What somebody who looks after people and access has open in a browser tab."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from ui.people import Comparison, Explanation, People, Readers, Reading, Simulation
from ui.session import Visit
from ui.wish import Wishing

_ROSTER = "roster"

SECTIONS = ("people", "groups", "keys", "access")

Finding = Reading | Readers | Explanation | Comparison | Simulation
"""What the access explorer was told."""


@dataclass(slots=True)
class Roster(Wishing):
    """The person or group that is open; a secret that is shown this once; what was explored.

    `secret` holds what it is (`password` or `key`), whose, and the secret itself.
    """

    people: People
    opened: str = ""
    group: str = ""
    is_adding: bool = False
    secret: tuple[str, str, str] | None = None
    finding: tuple[str, Finding] | None = None
    chosen: dict[str, str] = field(default_factory=dict)

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
        st.session_state[_ROSTER] = Roster(People(visit.client))
    found: Roster = st.session_state[_ROSTER]
    return found
