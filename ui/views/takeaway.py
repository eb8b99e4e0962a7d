"""Verifying the whole log while it is watched, and taking it away with what proves it."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import streamlit as st

from ui import components, trail
from ui.audit import Format, Step, Verification
from ui.inquiry import Inquiry
from ui.text import Speech, mark

FORMATS: dict[Format, tuple[str, str]] = {
    "jsonl": (
        mark("JSON lines, with their proof"),
        mark("The bytes that were hashed; the last line proves the others, offline too."),
    ),
    "cef": (mark("CEF"), mark("For ArcSight and other monitoring; without a proof.")),
    "ocsf": (mark("OCSF 1.3"), mark("For security data lakes; without a proof.")),
}


def verify(mine: Inquiry, say: Speech) -> None:
    """Show the verification of the whole log; raises `ApiError`."""
    components.line(
        "note",
        [say("Hashes every event again and compares the tree with every signed head.")],
    )
    if st.button(
        say("Verify the whole log"), key="verify-log", type="primary", icon=":material/verified:"
    ):
        mine.verification = _watched(mine, say)
    if mine.verification is not None:
        _found(say, mine.verification)


def _watched(mine: Inquiry, say: Speech) -> Verification | None:
    place = st.empty()
    found = None
    with closing(mine.audit.verify()) as steps:
        for one in steps:
            if isinstance(one, Verification):
                found = one
            elif isinstance(one, Step):
                words = say("{n} of {total} events", n=one.n_events, total=one.of)
                place.progress(min(1.0, one.n_events / max(one.of, 1)), words)
    place.empty()
    return found


def _found(say: Speech, found: Verification) -> None:
    words = trail.verification_words(say, found)
    with st.container(key="verified"):
        if found.ok:
            st.success(words, icon=":material/verified:")
        else:
            st.error(components.sentences([words]), icon=":material/gpp_bad:")
            components.line(
                "note",
                [say("Keep the database as it is, and compare with heads kept elsewhere.")],
            )
        st.html(
            trail.grid_html(
                [
                    (say("Events"), say.number(found.n_events)),
                    (say("Signed heads"), say.number(found.n_heads)),
                    (say("Events that are signed"), say.number(found.n_sealed)),
                    (
                        say("First bad event"),
                        "–" if found.first_bad_seq is None else f"#{found.first_bad_seq}",
                    ),
                ]
            )
        )


def export(mine: Inquiry, say: Speech) -> None:
    """Offer the log as a file, and what it is verified with."""
    chosen = st.radio(
        say("Format"),
        list(FORMATS),
        format_func=lambda one: say(FORMATS[one][0]),
        captions=[say(about) for _, about in FORMATS.values()],
        key="export-format",
    )
    left, right = st.columns(2)
    first = left.number_input(say("From event"), min_value=0, value=0, step=1, key="export-first")
    last = right.number_input(
        say("To event"),
        min_value=0,
        value=None,
        step=1,
        key="export-last",
        placeholder=say("the last one"),
    )
    suffix = "log" if chosen == "cef" else "jsonl"
    st.download_button(
        say("Export"),
        data=partial(mine.audit.export, int(first), None if last is None else int(last), chosen),
        file_name=f"audit-{chosen}.{suffix}",
        mime="application/octet-stream",
        key="export-log",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )
    _offline(mine, say)


def _offline(mine: Inquiry, say: Speech) -> None:
    """Offer what the file is verified with on another machine."""
    with st.container(border=True, key="offline", gap="small"):
        components.line("over", [say("Verify it elsewhere")])
        components.line(
            "note",
            [
                say(
                    "The program needs Python and the package cryptography only. Keep the key "
                    "where the operators of this server can't change it."
                )
            ],
        )
        st.code("python verify_audit.py audit.pub audit-jsonl.jsonl", language=None)
        with st.container(horizontal=True):
            st.download_button(
                say("Program"),
                data=mine.audit.verifier,
                file_name="verify_audit.py",
                mime="text/x-python",
                key="download-verifier",
                icon=":material/download:",
                on_click="ignore",
            )
            st.download_button(
                say("Public key"),
                data=mine.audit.public_key,
                file_name="audit.pub",
                mime="application/x-pem-file",
                key="download-key",
                icon=":material/key:",
                on_click="ignore",
            )
