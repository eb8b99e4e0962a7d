"""Choosing roles, with what each may do and which exclude each other."""

from __future__ import annotations

import streamlit as st

from ui import rights
from ui.people import EXCLUDING, ROLES
from ui.text import Speech


def pick(say: Speech, key: str, current: list[str]) -> list[str]:
    """Offer the roles, with what each may do and which exclude each other."""

    def named(name: str) -> str:
        title, about = rights.ROLES[name]
        return f"{say(title)}: {say(about)}"

    chosen = st.multiselect(
        say("Roles"),
        ROLES,
        default=current,
        format_func=named,
        key=key,
        help=say("Auditors can't be administrators or integrators: nobody audits their own work."),
    )
    return [str(one) for one in chosen]


def fault(say: Speech, roles: list[str]) -> str:
    """Say why these roles can't be given together; empty if they can."""
    if not roles:
        return say("Choose at least one role.")
    if any(pair <= set(roles) for pair in EXCLUDING):
        return say("Auditors can't be administrators or integrators: nobody audits their own work.")
    return ""
