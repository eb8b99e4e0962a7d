"""The page's script: Streamlit runs it for every visit and every click."""

from __future__ import annotations

import streamlit as st

from ui import components, problems, session
from ui.client import SignedOut
from ui.views import chat, sign_in


def run() -> None:
    """Show the page that fits: signing in, or the chat."""
    say = session.speech()
    st.set_page_config(
        page_title=say("Assistant"),
        page_icon=components.icon(),
        layout="wide",
        initial_sidebar_state="auto",
    )
    components.styles()
    visit = session.visit()
    if visit is None:
        sign_in.show(say)
        return
    try:
        chat.show(visit, say)
    except SignedOut as error:
        session.end(problems.sentence(say, error))
        st.rerun()


def main() -> None:
    """Run the pages; there is one so far."""
    st.navigation(
        [st.Page(run, title="Chat", url_path="chat", default=True)], position="hidden"
    ).run()


main()
