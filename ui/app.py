"""The pages' script: Streamlit runs it for every visit and every click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page

from ui import components, problems, session
from ui.client import SignedOut
from ui.model import Person
from ui.serve import forbidden
from ui.session import Visit
from ui.text import Speech, mark
from ui.views import audit, chat, life_cycle, people, sign_in, sources

Show = Callable[[Visit, Speech], None]


def run(show: Show) -> None:
    """Show a page, or signing in to whoever is not."""
    say = session.speech()
    components.styles()
    visit = session.visit()
    if visit is None:
        sign_in.show(say)
        return
    try:
        show(visit, say)
    except SignedOut as error:
        session.end(problems.sentence(say, error))
        st.rerun()


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and who has use for it; what may be done there is for the API to decide."""

    path: str
    title: str
    icon: str
    show: Show
    serves: Callable[[Person], bool]

    def page(self, say: Speech) -> Page:
        """Return it as Streamlit's page."""

        def shown() -> None:
            run(self.show)

        shown.__name__ = self.path  # Streamlit tells pages apart by it
        return st.Page(shown, title=say(self.title), url_path=self.path, icon=self.icon)


PLACES = (
    Place("chat", mark("Chat"), ":material/forum:", chat.show, lambda one: one.asks),
    Place(
        "sources", mark("Sources"), ":material/database:", sources.show, lambda one: one.operates
    ),
    Place(
        "people",
        mark("People and access"),
        ":material/group:",
        people.show,
        lambda one: one.administers,
    ),
    Place("audit", mark("Audit"), ":material/policy:", audit.show, lambda one: one.audits),
    Place(
        "kept",
        mark("Kept and erased"),
        ":material/inventory_2:",
        life_cycle.show,
        lambda one: one.administers or one.audits,
    ),
)


def home() -> None:
    """Show the first page that a person has use for."""
    visit = session.visit()
    found = next((p for p in PLACES if visit is not None and p.serves(visit.me.person)), PLACES[0])
    run(found.show)


def main() -> None:
    """Run the page of the address."""
    visit, say = session.arrive(), session.speech()
    st.set_page_config(
        page_title=say("Assistant"),
        page_icon=components.icon(),
        layout="wide",
        initial_sidebar_state="auto",
    )
    if wrong := forbidden():
        st.error(wrong)
        return
    # Whoever is not signed in keeps the address of any page until they are.
    serving = [p for p in PLACES if visit is None or p.serves(visit.me.person)]
    pages = {place.path: place.page(say) for place in serving if place.path != "chat"}
    first = st.Page(home, title=say("Chat"), url_path="chat", icon=PLACES[0].icon, default=True)
    if visit is not None:
        visit.places = [first if place.path == "chat" else pages[place.path] for place in serving]
    st.navigation([first, *pages.values()], position="hidden").run()


main()
