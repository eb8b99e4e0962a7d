"""The pages' script: Streamlit runs it for every visit and every click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui import components, problems, session
from ui.client import SignedOut
from ui.serve import forbidden
from ui.session import Visit
from ui.text import Speech
from ui.views import chat, sign_in, sources

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


def home() -> None:
    """Show the chat, or what there is for somebody who has no questions to ask."""
    visit = session.visit()
    is_only_operating = visit is not None and visit.me.person.operates and not visit.me.person.asks
    run(sources.show if is_only_operating else chat.show)


def looked_after() -> None:
    """Show the sources."""
    run(sources.show)


def main() -> None:
    """Run the page of the address; what a person may do there is for the API to decide."""
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
    first = st.Page(home, title=say("Chat"), url_path="chat", icon=":material/forum:", default=True)
    second = st.Page(
        looked_after, title=say("Sources"), url_path="sources", icon=":material/database:"
    )
    shown = [first, second] if visit is None or visit.me.person.operates else [first]
    if visit is not None:
        visit.places = shown if visit.me.person.asks else ()
    st.navigation(shown, position="hidden").run()


main()
