"""What somebody who looks after the sources has open in a browser tab."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ui.session import Visit
from ui.sources import Draft, Look, Patch, Sources, Trial
from ui.wish import Wishing

_DESK = "desk"

SECTIONS = ("problems", "runs", "schedule", "settings")


@dataclass(slots=True)
class Desk(Wishing):
    """The source that is open, or the one being added; what was clicked waits for the next run.

    `draft` is the source that was tested and what was found; only that may be added. `edit` is a
    change of the open source that was looked at; only that may be saved. `n_saved` counts changes.
    """

    sources: Sources
    opened: str = ""
    is_adding: bool = False
    draft: tuple[Draft, Look] | None = None
    edit: tuple[str, Patch, Trial] | None = None
    n_saved: int = 0

    def open(self, name: str) -> None:
        """Show a source, or all of them."""
        self.opened, self.is_adding, self.draft, self.edit = name, False, None, None

    def begin(self) -> None:
        """Show the form of a new source."""
        self.opened, self.is_adding, self.draft = "", True, None

    def add(self) -> None:
        """Store the source that was tested; raises `ApiError`."""
        if self.draft is not None and self.draft[1].ok:
            added = self.sources.add(self.draft[0])
            self.open(added.name)

    def save(self) -> None:
        """Store the change that was looked at; raises `ApiError`."""
        if self.edit is not None:
            name, patch, _ = self.edit
            self.sources.change(name, patch)
            self.edit = None
            self.n_saved += 1

    def remove(self, name: str) -> None:
        """Remove a source; raises `ApiError`."""
        self.sources.remove(name)
        self.open("")


def desk(visit: Visit) -> Desk:
    """Return the tab's desk."""
    if _DESK not in st.session_state:
        st.session_state[_DESK] = Desk(Sources(visit.client))
    found: Desk = st.session_state[_DESK]
    return found
