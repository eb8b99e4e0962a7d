"""The page of somebody who is not signed in."""

from __future__ import annotations

import streamlit as st

from ui import problems, provider, session
from ui.client import ApiError, SignedOut
from ui.text import LANGS, Speech, language


def show(say: Speech) -> None:
    """Show the sign-in form; signing in shows the chat."""
    with st.container(key="sign-in", width=420):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f'<div class="brand">{say("Assistant")}</div>')
            language_switch(say)
        st.html(
            f"<h1>{say('Sign in')}</h1><p class='lead'>"
            f"{say('Ask questions, and get answers whose every sentence shows its source.')}</p>"
        )
        notice = session.notice()
        if notice:
            st.info(notice, icon=":material/schedule:")
        if provider.is_offered():
            _at_provider(say)
        _form(say)


def _at_provider(say: Speech) -> None:
    st.button(
        say("Sign in with your company account"),
        type="primary",
        width="stretch",
        key="provider-button",
        on_click=provider.sign_in,
    )
    st.html(f"<p class='quiet'>{say('or with a login of this assistant')}</p>")


def language_switch(say: Speech) -> None:
    """Offer the other language; the choice stays in the address."""

    def chosen() -> None:
        session.choose(language(str(st.session_state["language-switch"])))

    st.session_state["language-switch"] = say.lang
    st.segmented_control(
        say("Language"),
        list(LANGS),
        format_func=lambda lang: str(lang).upper(),
        required=True,
        key="language-switch",
        on_change=chosen,
        label_visibility="collapsed",
    )


def _form(say: Speech) -> None:
    with st.form("credentials", border=False):
        login = st.text_input(say("Login"), key="login", autocomplete="username")
        password = st.text_input(
            say("Password"), type="password", key="password", autocomplete="current-password"
        )
        submitted = st.form_submit_button(
            say("Sign in"),
            type="secondary" if provider.is_offered() else "primary",
            width="stretch",
            key="sign-in-button",
        )
    if not submitted:
        return
    if not login or not password:
        st.error(say("Enter your login and your password."))
        return
    try:
        session.begin(login.strip(), password)
    except SignedOut:
        st.error(say("The login or the password is wrong. Check both and try again."))
    except ApiError as error:
        st.error(problems.sentence(say, error))
    else:
        st.rerun()
