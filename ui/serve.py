"""Serving the page in this process."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config

from ui.provider import Provider
from ui.theme import THEME

SCRIPT = Path(__file__).with_name("app.py")

_PR_SET_PDEATHSIG = 1

OPTIONS: dict[str, Any] = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.maxUploadSize": 1,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
    "client.showSidebarNavigation": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "error",
    "runner.magicEnabled": False,
    # Said here, no file that is written later turns them on.
    "server.enableAgentApi": False,
    "server.trustedUserHeaders": "{}",
    **THEME,
}


FORBIDDEN = {
    "server.trustedUserHeaders": "whoever reaches the page could say who they are",
    "server.enableAgentApi": "programs would use the pages instead of the API, and unseen by it",
}
"""Options that nobody may have set, and why."""


def forbidden() -> str:
    """Return what is set that must not be, and where to remove it; empty if nothing is."""
    for name, reason in FORBIDDEN.items():
        if config.get_option(name) not in (None, False, "", "{}", {}):
            return (
                f"The pages don't start with Streamlit's option {name}: {reason}. "
                f"Remove it ({config.get_where_defined(name)})."
            )
    return ""


def serve(api: str, host: str, port: int, provider: Provider | None = None) -> int:
    """Serve the page until SIGTERM or SIGINT, or until the process that started it ends."""
    if wrong := forbidden():
        sys.stderr.write(f"{wrong}\n")
        return 3
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        sys.stderr.write(
            f"Port {port} on {host} can't be used ({error.strerror}): choose another with --port.\n"
        )
        return 3
    _die_with_parent()
    logging.disable(logging.WARNING)
    secrets: dict[str, Any] = {"api": api, "auth": provider.secrets() if provider else {}}
    app = st.App(SCRIPT, secrets=secrets, on_script_error=_on_error)
    with suppress(KeyboardInterrupt):
        app.run(config={**OPTIONS, "server.address": host, "server.port": port})
    return 0


def _on_error(error: Exception) -> bool:
    """Say that something is wrong without saying what; the log has the kind and the place."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    sys.stderr.write(f"unexpected {type(error).__name__} at {where}\n")
    from ui import session

    say = session.speech()
    st.error(say("Something went wrong on this page. Reload it and sign in again."))
    return True


def _die_with_parent() -> None:
    """Let Linux end this process with the one that started it, however that ends."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
