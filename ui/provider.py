"""The identity provider at which people sign in, and their access token, which the API judges.

Streamlit keeps the token in a cookie that is signed, but not encrypted, for 30 days, and never
looks at when it ends. So nothing here believes it: what somebody may do, and whether they are
signed in at all, is what the API says of the token each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

NAME = "company"
"""What Streamlit calls the provider."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in; `url` is the address at which they open the pages."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    url: str
    cookie_secret: str = field(repr=False)
    scope: str
    prompt: str
    parameters: dict[str, str]

    def secrets(self) -> dict[str, Any]:
        """Return it as Streamlit's secrets have it."""
        issuer = self.issuer.rstrip("/")
        return {
            "redirect_uri": f"{self.url.rstrip('/')}/oauth2callback",
            "cookie_secret": self.cookie_secret,
            "expose_tokens": ["access"],
            NAME: {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "server_metadata_url": f"{issuer}/.well-known/openid-configuration",
                "client_kwargs": {"scope": self.scope, "prompt": self.prompt},
                "authorize_params": self.parameters,
            },
        }


def read_provider(text: str) -> Provider | None:
    """Read a provider from JSON; an empty object is none."""
    said = json.loads(text or "{}")
    return Provider(**said) if said else None


def is_offered() -> bool:
    """Say whether people may sign in at a provider."""
    return bool(st.secrets.get("auth"))


def sign_in() -> None:
    """Send the browser to the provider."""
    st.login(NAME)


def access_token() -> str:
    """Return the access token that the browser came with; empty without one."""
    if not is_offered() or not st.user.get("is_logged_in"):
        return ""
    return str(st.user.tokens.to_dict().get("access", ""))


def sign_out() -> None:
    """Forget the token, and send the browser to the provider to be signed out there too."""
    if access_token():
        st.logout()
